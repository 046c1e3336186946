/* data/recording: what was written comes back, whatever a file has or lacks; nothing is repaired. */
#include "support/check.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "data/recording.h"
#include "support/shared.h"
#include "support/temp_dir.h"

enum { N = 5, S = 2, A = 1, NQ = 3, NV = 2 };

static char dir[TEMP_PATH_MAX];
static char path[TEMP_PATH_MAX + 10]; /* of the file in it */

static int setup(void **state)
{
    (void)state;
    temp_dir_make(dir);
    (void)snprintf(path, sizeof path, "%s/d.hdf5", dir);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    temp_dir_remove(dir);
    return 0;
}

/* Numbers that single precision cannot hold, a different thousand for each array. */
static double column[11][N * 3];
static uint8_t terminals[N] = {0, 1, 0, 0, 0};
static uint8_t timeouts[N] = {0, 0, 0, 1, 0};

static Recording full(bool wide)
{
    for (int k = 0; k < 11; k++) {
        for (int i = 0; i < N * 3; i++) {
            column[k][i] = 1000 * k + i + 1.0 / 3;
        }
    }
    return (Recording){.state_dim = S,
                       .act_dim = A,
                       .nq = NQ,
                       .nv = NV,
                       .rows = N,
                       .wide = wide,
                       .observations = column[0],
                       .actions = column[1],
                       .rewards = column[2],
                       .next_observations = column[3],
                       .terminals = terminals,
                       .timeouts = timeouts,
                       .log_probs = column[4],
                       .qpos = column[5],
                       .qvel = column[6],
                       .xpos = column[7],
                       .next_xpos = column[8],
                       .algorithm = "SAC",
                       .iteration = 57};
}

static void check(const double *got, const double *want, int n, bool single)
{
    assert_non_null(got);
    for (int i = 0; i < n; i++) {
        CHECK_NEAR(got[i], single ? (double)(float)want[i] : want[i], 0, 0);
    }
}

static void everything_comes_back(void **state)
{
    (void)state;
    const int64_t blocks = mem_count();

    for (int wide = 0; wide < 2; wide++) {
        const Recording out = full(wide != 0);
        const float weight[2] = {1, 2};
        const H5Item item = {.name = "metadata/policy/w", .data = weight, .rank = 1, .dims = {2}};
        const H5Text text = {.name = "metadata/note", .text = "noted", .object = true};
        Recording in;
        H5File *file = NULL;
        char note[16];

        CHECK_OK(recording_write(path, &out, &item, 1, &text, 1));
        CHECK_OK(recording_read(&in, path));
        assert_true(in.layout == LAYOUT_D4RL && in.rows == N && in.wide == (wide != 0));
        assert_true(in.state_dim == S && in.act_dim == A && in.nq == NQ && in.nv == NV);
        check(in.observations, column[0], N * S, wide == 0);
        check(in.actions, column[1], N * A, true);
        check(in.rewards, column[2], N, wide == 0);
        check(in.next_observations, column[3], N * S, wide == 0);
        check(in.log_probs, column[4], N, false);
        check(in.qpos, column[5], N * NQ, false);
        check(in.qvel, column[6], N * NV, false);
        check(in.xpos, column[7], N * 3, false);
        check(in.next_xpos, column[8], N * 3, false);
        assert_memory_equal(in.terminals, terminals, N);
        assert_memory_equal(in.timeouts, timeouts, N);
        assert_string_equal(in.algorithm, "SAC");
        assert_true(in.iteration == 57 && in.odd_flags == 0);
        recording_release(&in);
        assert_null(in.observations);

        CHECK_OK(h5_open(&file, path));
        assert_true(h5_has(file, "metadata/policy/w"));
        CHECK_OK(h5_read_text(file, "metadata/note", note, sizeof note));
        assert_string_equal(note, "noted");
        h5_close(file);
    }
    assert_int_equal(mem_count(), blocks);
}

static void what_a_file_lacks_is_null(void **state)
{
    (void)state;
    Recording out = full(false);
    Recording in;

    out.next_observations = out.log_probs = out.qpos = out.qvel = out.xpos = out.next_xpos = NULL;
    out.timeouts = NULL;
    out.algorithm[0] = '\0';
    out.iteration = -1;
    column[0][3] = (double)NAN; /* not for us to judge */
    column[1][0] = 17;
    CHECK_OK(recording_write(path, &out, NULL, 0, NULL, 0));
    CHECK_OK(recording_read(&in, path));
    assert_true(in.next_observations == NULL && in.timeouts == NULL && in.log_probs == NULL);
    assert_true(in.qpos == NULL && in.qvel == NULL && in.nq == 0 && in.nv == 0);
    assert_true(in.xpos == NULL && in.next_xpos == NULL);
    assert_true(in.algorithm[0] == '\0' && in.iteration == -1);
    assert_true(isnan(in.observations[3]));
    CHECK_NEAR(in.actions[0], 17, 0, 0);
    recording_release(&in);
}

static void odd_flags_are_counted(void **state)
{
    (void)state;
    const float flags[N] = {0, 1, 0.5F, NAN, 2};
    const H5Item items[] = {
        {.name = "observations", .data = flags, .rank = 1, .dims = {N}},
        {.name = "actions", .data = flags, .rank = 1, .dims = {N}},
        {.name = "rewards", .data = flags, .rank = 1, .dims = {N}},
        {.name = "terminals", .data = flags, .rank = 1, .dims = {N}},
    };
    Recording in;

    CHECK_OK(h5_write(path, items, 4, NULL, 0));
    CHECK_OK(recording_read(&in, path));
    assert_int_equal(in.odd_flags, 3);
    assert_memory_equal(in.terminals, ((uint8_t[N]){0, 1, 1, 1, 1}), N);
    assert_true(in.state_dim == 1 && in.act_dim == 1);
    recording_release(&in);
}

static void episodes_start_behind_an_end(void **state)
{
    (void)state;
    Recording rec = full(false);
    int64_t starts[N + 1];

    assert_int_equal(recording_episodes(&rec, 2, starts), 3);
    assert_memory_equal(starts, ((int64_t[]){0, 2, 4, N}), 4 * sizeof *starts);
    rec.timeouts = NULL; /* the terminal in row 1, then two rows each */
    assert_int_equal(recording_episodes(&rec, 2, starts), 3);
    assert_memory_equal(starts, ((int64_t[]){0, 2, 4, N}), 4 * sizeof *starts);
    assert_int_equal(recording_episodes(&rec, 1, starts), N);
    assert_int_equal(recording_episodes(&rec, 1000, starts), 2);
    assert_memory_equal(starts, ((int64_t[]){0, 2, N}), 3 * sizeof *starts);
    rec.rows = 2; /* nothing starts behind the last row */
    assert_int_equal(recording_episodes(&rec, 1000, starts), 1);
    assert_int_equal(starts[1], 2);
}

static void refuse(Status want, const char *words)
{
    const int64_t blocks = mem_count();
    Recording in;
    const Status got = recording_read(&in, path);
    if (got != want || strstr(status_reason(), words) == NULL) {
        fail_msg("got %s: %s", status_name(got), status_reason());
    }
    assert_true(in.rows == 0 && in.observations == NULL);
    assert_int_equal(mem_count(), blocks);
}

static void what_does_not_fit_is_refused(void **state)
{
    (void)state;
    Recording out = full(false);
    const float x[N + 1] = {0};
    H5Item item = {.name = "infos/qpos", .data = x, .rank = 1, .dims = {N + 1}};

    refuse(ERR_IO, "cannot open");
    out.qpos = NULL;
    CHECK_OK(recording_write(path, &out, &item, 1, NULL, 0));
    refuse(ERR_FORMAT, "'infos/qpos' has 6 rows, 'observations' has 5");
    item = (H5Item){.name = "infos/torso_xpos", .data = x, .rank = 2, .dims = {N, 1}};
    out.xpos = NULL;
    CHECK_OK(recording_write(path, &out, &item, 1, NULL, 0));
    refuse(ERR_FORMAT, "'infos/torso_xpos' has 1 x 1 columns, expected 3");
    out.rewards = NULL;
    CHECK_OK(recording_write(path, &out, NULL, 0, NULL, 0));
    refuse(ERR_FORMAT, "there is no 'rewards'");
    out = full(false);
    out.rows = 0;
    assert_int_equal(recording_write(path, &out, NULL, 0, NULL, 0), ERR_ARG);
}

static void refused_memory_is_reported(void **state)
{
    (void)state;
    const Recording out = full(false);
    const int64_t blocks = mem_count();
    Recording in;
    Status st = ERR_NOMEM;

    for (int64_t k = 1; st != OK; k++) {
        mem_fail_at(k);
        st = recording_write(path, &out, NULL, 0, NULL, 0);
        mem_fail_at(0);
        assert_true((st == OK || st == ERR_NOMEM) && mem_count() == blocks);
    }
    st = ERR_NOMEM;
    for (int64_t k = 1; st != OK; k++) {
        mem_fail_at(k);
        st = recording_read(&in, path);
        mem_fail_at(0);
        assert_true(st == OK || (st == ERR_NOMEM && mem_count() == blocks && in.rows == 0));
    }
    recording_release(&in);
    assert_int_equal(mem_count(), blocks);
}

/* 2000 steps, recorded with Gymnasium: float64, no timeouts. */
static void recordings_of_gym_are_read(void **state)
{
    (void)state;
    Recording in;
    int64_t starts[2001];

    CHECK_OK(recording_read(&in, shared_file("data/berkeley_cs285/hopper_expert_cs285-v4.hdf5")));
    assert_true(in.rows == 2000 && in.state_dim == 11 && in.act_dim == 3);
    assert_int_equal(recording_episodes(&in, 1000, starts), 2);
    assert_int_equal(starts[1], 1000);
    recording_release(&in);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(everything_comes_back, setup, teardown),
        cmocka_unit_test_setup_teardown(what_a_file_lacks_is_null, setup, teardown),
        cmocka_unit_test_setup_teardown(odd_flags_are_counted, setup, teardown),
        cmocka_unit_test(episodes_start_behind_an_end),
        cmocka_unit_test_setup_teardown(what_does_not_fit_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(refused_memory_is_reported, setup, teardown),
        cmocka_unit_test(recordings_of_gym_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
