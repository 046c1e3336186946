/* run/collect: episodes are functions of their number, rows replay in the simulator, and a written
 * file reads as a dataset. */
#include "support/check.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "data/dataset.h"
#include "run/collect.h"
#include "support/temp_dir.h"

/* Offsets in a row, from the header. */
static size_t at_action(const CollectRows *rows)
{
    return (size_t)rows->state_dim;
}

static size_t at_reward(const CollectRows *rows)
{
    return at_action(rows) + (size_t)rows->act_dim;
}

static size_t at_flags(const CollectRows *rows)
{
    return at_reward(rows) + 1 + (size_t)rows->state_dim;
}

static void pieces_join_to_the_same_rows_however_they_are_cut(void **state)
{
    (void)state;
    const int64_t blocks = mem_count();
    const EnvKind *kind = env_find("pointmass");
    CollectRows whole;
    CollectRows piece[3];
    CollectRows joined;
    const int64_t first[4] = {0, 3, 3, 10}; /* the second piece is empty */

    CHECK_OK(collect_episodes(kind, 7, 0, 10, &whole));
    for (int i = 0; i < 3; i++) {
        CHECK_OK(collect_episodes(kind, 7, first[i], first[i + 1] - first[i], &piece[i]));
    }
    CHECK_OK(collect_init(&joined, kind, 0));
    CHECK_OK(collect_join(&joined, piece, 3, 0));
    assert_int_equal(joined.rows, whole.rows);
    assert_memory_equal(joined.data, whole.data,
                        (size_t)whole.rows * whole.stride * sizeof(double));
    collect_release(&joined);

    /* cut in the middle of an episode: no flag on the last row */
    int64_t cut = 0;
    for (int64_t i = 5; cut == 0; i++) {
        const double *flags = whole.data + (size_t)(i - 1) * whole.stride + at_flags(&whole);
        cut = flags[0] == 0 && flags[1] == 0 ? i : 0;
    }
    CHECK_OK(collect_init(&joined, kind, 0));
    CHECK_OK(collect_join(&joined, piece, 1, cut)); /* in two calls, as rounds arrive */
    CHECK_OK(collect_join(&joined, piece + 1, 2, cut));
    assert_int_equal(joined.rows, cut);
    assert_memory_equal(joined.data, whole.data, (size_t)cut * whole.stride * sizeof(double));

    collect_release(&joined);
    collect_release(&whole);
    for (int i = 0; i < 3; i++) {
        collect_release(&piece[i]);
    }
    assert_int_equal(mem_count(), blocks);
}

static void check_replay(const char *task, int64_t episodes)
{
    const EnvKind *kind = env_find(task);
    CollectRows rows;
    Env *env = NULL;
    int64_t ends = 0;
    int64_t step_of_episode = 0;

    CHECK_OK(collect_episodes(kind, 1, 100, episodes, &rows));
    CHECK_OK(kind->open(&env, kind));
    for (int64_t i = 0; i < rows.rows; i++) {
        const double *row = rows.data + (size_t)i * rows.stride;
        const double *flags = row + at_flags(&rows);
        const double *qpos = flags + 2;
        float action[16];
        float s[64];
        EnvStep step;
        for (int j = 0; j < kind->act_dim; j++) {
            action[j] = (float)row[at_action(&rows) + (size_t)j];
            assert_true(fabsf(action[j]) <= 1);
        }
        CHECK_OK(kind->set_state(env, qpos, qpos + kind->nq));
        kind->observe(env, s);
        for (int j = 0; j < kind->state_dim; j++) {
            CHECK_NEAR(s[j], row[j], 0, 0);
        }
        CHECK_OK(kind->step(env, action, &step));
        kind->observe(env, s);
        for (int j = 0; j < kind->state_dim; j++) { /* a recording goes on from a warm start */
            CHECK_NEAR(s[j], row[at_reward(&rows) + 1 + (size_t)j], 1e-6, 1e-6);
        }
        CHECK_NEAR(step.reward, row[at_reward(&rows)], 1e-6, 1e-6);
        step_of_episode++;
        const bool timeout = step_of_episode == kind->horizon;
        assert_true((flags[1] != 0) == timeout);
        assert_true((flags[0] != 0) == (step.terminal && !timeout));
        if (flags[0] != 0 || flags[1] != 0) {
            ends++;
            step_of_episode = 0;
        }
    }
    assert_int_equal(ends, episodes); /* whole episodes */
    assert_int_equal(step_of_episode, 0);
    kind->close(env);
    collect_release(&rows);
}

static void rows_replay_in_the_simulator(void **state)
{
    (void)state;
    check_replay("pointmass", 30);
    check_replay("halfcheetah", 1);
}

static void a_written_file_is_a_dataset(void **state)
{
    (void)state;
    const EnvKind *kind = env_find("pointmass");
    CollectRows rows;
    Dataset set;
    char dir[TEMP_PATH_MAX];

    temp_dir_make(dir);
    CHECK_OK(collect_episodes(kind, 7, 0, 40, &rows));
    CHECK_OK(collect_write(temp_path(dir, "d.hdf5"), &rows));
    CHECK_OK(
        dataset_read(&set, temp_path(dir, "d.hdf5"),
                     &(DatasetOptions){.state_dim = kind->state_dim, .act_dim = kind->act_dim}));
    assert_int_equal(set.rows, rows.rows);
    assert_int_equal(set.episodes, 40);
    assert_true(set.terminals > 10 && set.timeouts > 0 && set.terminals + set.timeouts == 40);
    CHECK_NEAR(set.return_mean, kind->ref_min, 0, 12); /* one episode deviates by about 16 */
    for (size_t i = 0; i < (size_t)set.rows; i++) {
        const double *row = rows.data + i * rows.stride;
        const float *rec = set.records + i * set.rec.stride;
        for (size_t j = 0; j < at_flags(&rows); j++) { /* s, a, r, s' stand alike in both */
            CHECK_NEAR(rec[j], row[j], 0, 0);
        }
        CHECK_NEAR(rec[set.rec.cont], 1 - row[at_flags(&rows)], 0, 0);
    }
    dataset_release(&set);
    rows.rows = 0;
    assert_int_equal(collect_write(temp_path(dir, "e.hdf5"), &rows), ERR_ARG);
    collect_release(&rows);
    temp_dir_remove(dir);
}

static void errors_leave_nothing_behind(void **state)
{
    (void)state;
    const int64_t blocks = mem_count();
    CollectRows rows;

    assert_int_equal(collect_episodes(env_kind(0), 1, -1, 1, &rows), ERR_ARG);
    assert_int_equal(collect_episodes(env_kind(0), 1, UINT32_MAX, 2, &rows), ERR_ARG);
    Status st = ERR_NOMEM;
    for (int64_t k = 1; st != OK; k++) {
        mem_fail_at(k);
        st = collect_episodes(env_find("pointmass"), 1, 0, 50, &rows);
        mem_fail_at(0);
        assert_true(st == OK || (st == ERR_NOMEM && mem_count() == blocks && rows.data == NULL));
    }
    collect_release(&rows);
    assert_int_equal(mem_count(), blocks);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_join_to_the_same_rows_however_they_are_cut),
        cmocka_unit_test(rows_replay_in_the_simulator),
        cmocka_unit_test(a_written_file_is_a_dataset),
        cmocka_unit_test(errors_leave_nothing_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
