/* Minari's layout: recordings there and back, files put together by hand, and what cannot be taken. */
#include "support/check.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "data/dataset.h"
#include "data/minari.h"
#include "support/temp_dir.h"

enum { S = 2, A = 1, ROWS = 9 };

static char dir[TEMP_PATH_MAX];

static int setup(void **state)
{
    return temp_dir_setup(state, dir);
}

static int teardown(void **state)
{
    return temp_dir_teardown(state, dir);
}

static void *copy(const void *from, size_t bytes)
{
    void *to = NULL;
    CHECK_OK(mem_alloc(&to, bytes, 1, "test"));
    memcpy(to, from, bytes);
    return to;
}

/* Episodes of 4 rows (terminal), 3 (timed out) and 2 (not finished). */
static Recording example(void)
{
    double s[ROWS * S];
    double s2[ROWS * S];
    double a[ROWS];
    double r[ROWS];
    uint8_t terminals[ROWS] = {0};
    uint8_t timeouts[ROWS] = {0};

    for (int i = 0; i < ROWS; i++) {
        for (int j = 0; j < S; j++) {
            s[i * S + j] = 0.1 * i + j;
            s2[i * S + j] = 0.1 * (i + 1) + j;
        }
        a[i] = (double)(0.1F * (float)i);
        r[i] = 1.0 / (i + 1);
    }
    memset(s2 + 3 * S, 0, S * sizeof *s2); /* the last s' of an episode is no row's s */
    terminals[3] = 1;
    timeouts[6] = 1;
    return (Recording){.state_dim = S,
                       .act_dim = A,
                       .rows = ROWS,
                       .wide = true,
                       .iteration = -1,
                       .observations = copy(s, sizeof s),
                       .next_observations = copy(s2, sizeof s2),
                       .actions = copy(a, sizeof a),
                       .rewards = copy(r, sizeof r),
                       .terminals = copy(terminals, sizeof terminals),
                       .timeouts = copy(timeouts, sizeof timeouts)};
}

static void what_is_written_comes_back(void **state)
{
    (void)state;
    const char *path = temp_path(dir, "main_data.hdf5");
    Recording rec = example();
    Recording back;
    int64_t episodes = 0;

    CHECK_OK(minari_write(path, &rec, 1000, &episodes));
    assert_int_equal(episodes, 3);
    CHECK_OK(recording_read(&back, path));
    assert_int_equal(back.layout, LAYOUT_MINARI);
    assert_int_equal(back.rows, ROWS);
    assert_int_equal(back.state_dim, S);
    assert_int_equal(back.act_dim, A);
    assert_memory_equal(back.observations, rec.observations, ROWS * S * sizeof(double));
    assert_memory_equal(back.next_observations, rec.next_observations, ROWS * S * sizeof(double));
    assert_memory_equal(back.actions, rec.actions, ROWS * A * sizeof(double));
    assert_memory_equal(back.rewards, rec.rewards, ROWS * sizeof(double));
    assert_memory_equal(back.terminals, rec.terminals, ROWS);
    rec.timeouts[ROWS - 1] = 1; /* the unfinished episode is cut there */
    assert_memory_equal(back.timeouts, rec.timeouts, ROWS);
    recording_release(&back);
    recording_release(&rec);
}

/* What h5py shows of such a file: shapes, attributes, kinds. */
static void the_file_has_minaris_objects(void **state)
{
    (void)state;
    const char *path = temp_path(dir, "main_data.hdf5");
    Recording rec = example();
    H5File *file = NULL;
    H5Shape shape;
    int64_t episodes = 0;
    int64_t number = -1;

    CHECK_OK(minari_write(path, &rec, 1000, &episodes));
    CHECK_OK(h5_open(&file, path));
    assert_int_equal(h5_children(file, "/"), 3);
    assert_int_equal(h5_children(file, "episode_0"), 5);
    CHECK_OK(h5_shape(file, "episode_0/observations", &shape));
    assert_int_equal(shape.dims[0], 5);
    assert_int_equal(shape.dims[1], S);
    CHECK_OK(h5_shape(file, "episode_1/truncations", &shape));
    assert_int_equal(shape.rank, 1);
    assert_int_equal(shape.dims[0], 3);
    CHECK_OK(h5_attribute_integer(file, "episode_2", "id", &number));
    assert_int_equal(number, 2);
    CHECK_OK(h5_attribute_integer(file, "episode_2", "total_steps", &number));
    assert_int_equal(number, 2);
    h5_close(file);
    recording_release(&rec);
}

/* Twelve episodes of one step: the k-th with reward k. */
static void episodes_are_read_by_number(void **state)
{
    (void)state;
    enum { N = 12 };
    const char *path = temp_path(dir, "many.hdf5");
    static const char *const parts[] = {"observations", "actions", "rewards", "terminations",
                                        "truncations"};
    const float obs[2] = {1, 2};
    const uint8_t no = 0;
    int64_t rewards[N]; /* integers will do */
    H5Item items[N * 5];
    Recording rec;

    for (int k = 0; k < N; k++) {
        rewards[k] = k;
        for (int p = 0; p < 5; p++) {
            H5Item *item = &items[k * 5 + p];
            *item = (H5Item){.type = p == 2 ? SLAB_I64 : SLAB_F32,
                             .data = p < 2    ? (const void *)obs
                                     : p == 2 ? (const void *)&rewards[k]
                                              : (const void *)&no,
                             .rank = p < 2 ? 2 : 1,
                             .dims = {p == 0 ? 2 : 1, 1},
                             .flags = p > 2};
            (void)snprintf(item->name, sizeof item->name, "episode_%d/%s", k, parts[p]);
        }
    }
    CHECK_OK(h5_write(path, items, N * 5, NULL, 0));
    CHECK_OK(recording_read(&rec, path));
    assert_int_equal(rec.rows, N);
    for (int k = 0; k < N; k++) {
        CHECK_NEAR(rec.rewards[k], k, 0, 0);
        assert_int_equal(rec.timeouts[k], 1); /* neither flag: an episode's end all the same */
    }
    recording_release(&rec);
    CHECK_OK(h5_write(path, items + 5, N * 5 - 5, NULL, 0)); /* without the first */
    assert_int_equal(recording_read(&rec, path), ERR_FORMAT);
    CHECK_OK(h5_write(path, items, 4 * 5, NULL, 0));
    items[4 * 5 + 5].dims[0] = 1; /* episode 5: as many observations as actions */
    CHECK_OK(h5_write(path, items, N * 5, NULL, 0));
    assert_int_equal(recording_read(&rec, path), ERR_FORMAT);
    assert_non_null(strstr(status_reason(), "episode 5"));
}

static void what_minari_cannot_express_is_refused(void **state)
{
    (void)state;
    const char *path = temp_path(dir, "main_data.hdf5");
    Recording rec = example();
    int64_t episodes = 0;

    rec.next_observations[S] += 1; /* row 1 */
    assert_int_equal(minari_write(path, &rec, 1000, &episodes), ERR_CONFIG);
    assert_non_null(strstr(status_reason(), "row 1 "));
    mem_free(&rec.next_observations);
    assert_int_equal(minari_write(path, &rec, 1000, &episodes), ERR_CONFIG);
    assert_non_null(strstr(status_reason(), "next_observations"));
    recording_release(&rec);
}

static void arrow_is_refused_with_advice(void **state)
{
    (void)state;
    Recording rec;

    temp_write(temp_path(dir, "metadata.json"),
               "{\"total_steps\": 5, \"data_format\": \"arrow\", \"author\": [\"x\"]}");
    assert_int_equal(recording_read(&rec, dir), ERR_FORMAT);
    assert_non_null(strstr(status_reason(), "Arrow"));
    assert_int_equal(recording_read(&rec, temp_path(dir, "metadata.json")), ERR_FORMAT);
    assert_non_null(strstr(status_reason(), "Arrow"));
    temp_write(temp_path(dir, "metadata.json"), "{\"data_format\": \"hdf5\"}");
    CHECK_OK(minari_refuse_arrow(dir));
}

/* Training gets the same transitions out of both layouts, whichever rule makes s'. */
static void training_reads_the_same_as_from_d4rl(void **state)
{
    (void)state;
    static const NextRule rules[] = {NEXT_AUTO, NEXT_STORED, NEXT_JOINED, NEXT_D4RL};
    Recording rec = example();
    int64_t episodes = 0;

    rec.timeouts[ROWS - 1] = 1; /* as Minari has it */
    CHECK_OK(minari_write(temp_path(dir, "main_data.hdf5"), &rec, 1000, &episodes));
    CHECK_OK(recording_write(temp_path(dir, "d4rl.hdf5"), &rec, NULL, 0, NULL, 0));
    for (size_t k = 0; k < sizeof rules / sizeof *rules; k++) {
        const DatasetOptions options = {.state_dim = S, .act_dim = A, .next = rules[k]};
        Dataset a;
        Dataset b;
        CHECK_OK(dataset_read(&a, temp_path(dir, "main_data.hdf5"), &options));
        CHECK_OK(dataset_read(&b, temp_path(dir, "d4rl.hdf5"), &options));
        assert_int_equal(a.rows, rules[k] < NEXT_JOINED ? ROWS : rules[k] == NEXT_JOINED ? 6 : 7);
        assert_int_equal(a.rows, b.rows);
        assert_memory_equal(a.records, b.records,
                            (size_t)a.rows * a.rec.stride * sizeof *a.records);
        assert_string_equal(a.digest, b.digest);
        assert_string_equal(a.rule, b.rule);
        assert_int_equal(a.episodes, 3);
        assert_int_equal(b.episodes, 3);
        CHECK_NEAR(a.return_mean, b.return_mean, 0, 0);
        dataset_release(&a);
        dataset_release(&b);
    }
    recording_release(&rec);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(training_reads_the_same_as_from_d4rl, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_written_comes_back, setup, teardown),
        cmocka_unit_test_setup_teardown(the_file_has_minaris_objects, setup, teardown),
        cmocka_unit_test_setup_teardown(episodes_are_read_by_number, setup, teardown),
        cmocka_unit_test_setup_teardown(what_minari_cannot_express_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(arrow_is_refused_with_advice, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
