/* data/dataset: every layout that is promised is read alike, each rule gives the rows
 * worked out by hand, each damaged file its Status and a message that helps. */
#include "support/check.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/dir.h"
#include "base/file.h"
#include "base/mem.h"
#include "data/dataset.h"
#include "data/h5.h"
#include "data/recording.h"
#include "support/shared.h"
#include "support/temp_dir.h"

/* Six rows: an episode that terminates (0, 1), one that times out (2, 3, 4), and the start of one. */
enum { N = 6, S = 2, A = 1, STRIDE = 2 * S + A + 2 };

typedef struct {
    float obs[N * S], act[N * A], rew[N], next[N * S];
    uint8_t term[N], time[N];
} Rows;

static Rows make_rows(void)
{
    Rows rows = {.term = {0, 1, 0, 0, 0, 0}, .time = {0, 0, 0, 0, 1, 0}};
    for (int i = 0; i < N; i++) {
        rows.act[i] = 0.1F * (float)i;
        rows.rew[i] = (float)i;
        for (int j = 0; j < S; j++) {
            rows.obs[i * S + j] = (float)(10 * i + j);
            rows.next[i * S + j] = (float)(1000 + 10 * i + j);
        }
    }
    return rows;
}

static char dir[TEMP_PATH_MAX];
static char path[TEMP_PATH_MAX + 10]; /* of the dataset in it */

static void widen(double *to, const float *from, int n)
{
    for (int i = 0; i < n; i++) {
        to[i] = (double)from[i];
    }
}

/* Writes the rows as collecting does. qpos: (N, 1) or NULL. */
static Status write_rows(const Rows *rows, double *qpos)
{
    double obs[N * S];
    double act[N * A];
    double rew[N];
    double next[N * S];
    uint8_t term[N];
    uint8_t time[N];
    Recording rec = {.state_dim = S,
                     .act_dim = A,
                     .rows = N,
                     .observations = obs,
                     .actions = act,
                     .rewards = rew,
                     .next_observations = next,
                     .terminals = term,
                     .timeouts = time,
                     .qpos = qpos,
                     .qvel = qpos,
                     .nq = 1,
                     .nv = 1,
                     .algorithm = "random",
                     .iteration = -1};
    widen(obs, rows->obs, N * S);
    widen(act, rows->act, N * A);
    widen(rew, rows->rew, N);
    widen(next, rows->next, N * S);
    memcpy(term, rows->term, sizeof term);
    memcpy(time, rows->time, sizeof time);
    return recording_write(path, &rec, NULL, 0, NULL, 0);
}

/* The same rows as items, for a test to spoil. */
enum { OBS, ACT, REW, TERM, TIME, NEXT, ITEMS };

static void make_items(const Rows *rows, H5Item items[ITEMS])
{
    const H5Item all[ITEMS] = {
        {.name = "observations", .data = rows->obs, .rank = 2, .dims = {N, S}},
        {.name = "actions", .data = rows->act, .rank = 2, .dims = {N, A}},
        {.name = "rewards", .data = rows->rew, .rank = 1, .dims = {N}},
        {.name = "terminals", .data = rows->term, .rank = 1, .dims = {N}, .flags = true},
        {.name = "timeouts", .data = rows->time, .rank = 1, .dims = {N}, .flags = true},
        {.name = "next_observations", .data = rows->next, .rank = 2, .dims = {N, S}},
    };
    memcpy(items, all, sizeof all);
}

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

/* The dataset holds exactly these rows of the file; next[k] is the row whose state is s' of the
 * k-th, or -1 for the stored s'. */
static void check_rows(const Dataset *set, const Rows *rows, int n, const int *from,
                       const int *next)
{
    assert_int_equal(set->rows, n);
    for (int k = 0; k < n; k++) {
        const int i = from[k];
        float want[STRIDE];
        memcpy(want, rows->obs + (size_t)i * S, S * sizeof *want);
        want[S] = rows->act[i];
        want[S + 1] = rows->rew[i];
        memcpy(want + S + 2,
               next[k] < 0 ? rows->next + (size_t)i * S : rows->obs + (size_t)next[k] * S,
               S * sizeof *want);
        want[STRIDE - 1] = rows->term[i] != 0 ? 0.0F : 1.0F;
        assert_memory_equal(set->records + (size_t)k * STRIDE, want, sizeof want);
    }
}

static void read_ok(Dataset *set, const DatasetOptions *options)
{
    CHECK_OK(dataset_read(set, path, options));
}

/* ---- what is read ---- */

static void what_was_written_is_read(void **state)
{
    (void)state;
    const Rows rows = make_rows();
    double qpos[N] = {0.5, 1.5, 2.5, 3.5, 4.5, 5.5};
    double back[N];
    char text[20];
    Dataset set;
    H5File *file = NULL;

    CHECK_OK(write_rows(&rows, qpos));
    read_ok(&set, &(DatasetOptions){.state_dim = S, .act_dim = A});
    check_rows(&set, &rows, N, (const int[]){0, 1, 2, 3, 4, 5},
               (const int[]){-1, -1, -1, -1, -1, -1});
    assert_string_equal(set.rule, "s' from next_observations");
    assert_int_equal(set.file_rows, N);
    assert_int_equal(set.terminals, 1);
    assert_int_equal(set.timeouts, 1);
    assert_int_equal(set.episodes, 2); /* returns 0 + 1 and 2 + 3 + 4 */
    CHECK_NEAR(set.return_min, 1, 0, 0);
    CHECK_NEAR(set.return_max, 9, 0, 0);
    CHECK_NEAR(set.return_mean, 5, 0, 0);
    CHECK_NEAR(set.reward_min, 0, 0, 0);
    CHECK_NEAR(set.reward_max, 5, 0, 0);
    dataset_release(&set);
    assert_null(set.records);

    CHECK_OK(h5_open(&file, path));
    CHECK_OK(h5_read_text(file, "metadata/algorithm", text, sizeof text));
    assert_string_equal(text, "random");
    CHECK_OK(h5_read(file, "infos/qvel", SLAB_F64, back, N));
    assert_memory_equal(back, qpos, sizeof back);
    h5_close(file);
}

static void each_rule_gives_the_rows_worked_out_by_hand(void **state)
{
    (void)state;
    const Rows rows = make_rows();
    Dataset set;

    CHECK_OK(write_rows(&rows, NULL));
    read_ok(&set, &(DatasetOptions){.next = NEXT_JOINED});
    check_rows(&set, &rows, 3, (const int[]){0, 2, 3}, (const int[]){1, 3, 4});
    assert_int_equal(set.file_rows, N);
    assert_int_equal(set.episodes, 2);
    dataset_release(&set);

    read_ok(&set, &(DatasetOptions){.next = NEXT_D4RL}); /* row 1 leads into the next episode */
    check_rows(&set, &rows, 4, (const int[]){0, 1, 2, 3}, (const int[]){1, 2, 3, 4});
    dataset_release(&set);

    read_ok(&set, &(DatasetOptions){.next = NEXT_STORED, .max_rows = 2});
    check_rows(&set, &rows, 2, (const int[]){4, 5}, (const int[]){-1, -1});
    dataset_release(&set);
}

static void without_timeouts_episodes_end_at_the_horizon(void **state)
{
    (void)state;
    const Rows rows = make_rows();
    H5Item items[ITEMS];
    Dataset set;

    make_items(&rows, items);
    CHECK_OK(h5_write(path, items, TIME, NULL, 0));
    read_ok(&set, &(DatasetOptions){.horizon = 3});
    check_rows(&set, &rows, 3, (const int[]){0, 2, 3}, (const int[]){1, 3, 4});
    assert_non_null(strstr(set.rule, "no timeouts in the file: episodes cut after 3 steps"));
    assert_int_equal(set.timeouts, 1);
    dataset_release(&set);
    /* d4rl's counter stands at 1 after a terminal row: it drops row 3 where row 4 is meant */
    read_ok(&set, &(DatasetOptions){.next = NEXT_D4RL, .horizon = 3});
    check_rows(&set, &rows, 4, (const int[]){0, 1, 2, 4}, (const int[]){1, 2, 3, 5});
    dataset_release(&set);
    read_ok(&set, &(DatasetOptions){.next = NEXT_D4RL}); /* 1000 steps */
    assert_int_equal(set.rows, 5);
    dataset_release(&set);
}

static void any_width_of_numbers_and_flags_is_read_alike(void **state)
{
    (void)state;
    const Rows rows = make_rows();
    H5Item items[ITEMS];
    double obs[N * S];
    double rew[N];
    int64_t term[N];
    float time[N];
    Dataset set;
    char digest[33];

    CHECK_OK(write_rows(&rows, NULL));
    read_ok(&set, &(DatasetOptions){0});
    memcpy(digest, set.digest, sizeof digest);
    dataset_release(&set);

    for (int i = 0; i < N; i++) {
        for (int j = 0; j < S; j++) {
            obs[i * S + j] = (double)rows.obs[i * S + j];
        }
        rew[i] = (double)rows.rew[i];
        term[i] = rows.term[i];
        time[i] = (float)rows.time[i];
    }
    make_items(&rows, items);
    items[OBS].type = items[REW].type = SLAB_F64;
    items[OBS].data = obs;
    items[REW].data = rew;
    items[REW].rank = 2; /* (N, 1) */
    items[REW].dims[1] = 1;
    items[TERM] =
        (H5Item){.name = "terminals", .type = SLAB_I64, .data = term, .rank = 2, .dims = {N, 1}};
    items[TIME] = (H5Item){.name = "timeouts", .data = time, .rank = 1, .dims = {N}};
    CHECK_OK(h5_write(path, items, ITEMS, NULL, 0));
    read_ok(&set, &(DatasetOptions){0});
    assert_string_equal(set.digest, digest);
    dataset_release(&set);
}

/* Far more rows than are read at once: s' is right across the seams, in both halves of reading. */
static void long_files_are_read_without_seams(void **state)
{
    (void)state;
    enum { ROWS = 120000, EPISODE = 7 };
    DatasetReader *reader = NULL;
    Dataset set;
    float *x = NULL;
    float *records = NULL;
    uint8_t *time = NULL;

    CHECK_OK(mem_alloc(&x, ROWS, sizeof *x, "test"));
    CHECK_OK(mem_alloc(&time, (size_t)2 * ROWS, 1, "test"));
    for (int i = 0; i < ROWS; i++) {
        x[i] = (float)i / ROWS;
        time[i] = i % EPISODE == EPISODE - 1;
    }
    const H5Item items[] = {
        {.name = "observations", .data = x, .rank = 1, .dims = {ROWS}, .compress = true},
        {.name = "actions", .data = x, .rank = 1, .dims = {ROWS}, .extend = true},
        {.name = "rewards", .data = x, .rank = 1, .dims = {ROWS}},
        {.name = "terminals", .data = time + ROWS, .rank = 1, .dims = {ROWS}, .flags = true},
        {.name = "timeouts", .data = time, .rank = 1, .dims = {ROWS}, .flags = true},
    };
    CHECK_OK(h5_write(path, items, 5, NULL, 0));
    CHECK_OK(dataset_open(&reader, path, &(DatasetOptions){.max_rows = 100000}, &set));
    assert_int_equal(set.rows, 100000);
    assert_int_equal(set.timeouts, ROWS / EPISODE);
    CHECK_OK(mem_alloc(&records, 100000 * set.rec.stride, sizeof *records, "test"));
    CHECK_OK(dataset_fill(reader, records, &set));
    dataset_close(&reader);
    assert_ptr_equal(set.records, records);
    int row = ROWS - 1; /* from the end: the last row is dropped, and each that timed out */
    for (int k = 99999; k >= 0; k--) {
        row -= time[row - 1] != 0 ? 2 : 1;
        const float *record = records + (size_t)k * set.rec.stride;
        const float want[] = {x[row], x[row], x[row], x[row + 1], 1};
        assert_memory_equal(record, want, sizeof want);
    }
    dataset_release(&set);
    mem_free(&records);
    mem_free(&x);
    mem_free(&time);
}

static void bytes_depend_on_the_content_only(void **state)
{
    (void)state;
    const Rows rows = make_rows();
    unsigned char *bytes[2] = {NULL, NULL};
    size_t n[2];

    for (int k = 0; k < 2; k++) {
        CHECK_OK(write_rows(&rows, NULL));
        CHECK_OK(file_read(path, 1 << 20, &bytes[k], &n[k]));
        /* HDF5's time stamps count seconds */
        (void)nanosleep(&(struct timespec){.tv_sec = k == 0, .tv_nsec = 100000000}, NULL);
    }
    assert_int_equal(n[0], n[1]);
    assert_memory_equal(bytes[0], bytes[1], n[0]);
    mem_free(&bytes[0]);
    mem_free(&bytes[1]);
}

/* ---- what is refused ---- */

static void expect(const DatasetOptions *options, Status want, const char *words)
{
    const int64_t blocks = mem_count();
    Dataset set;
    const Status got = dataset_read(&set, path, options);
    if (got != want || strstr(status_reason(), words) == NULL) {
        print_error("got %s: %s\nwant %s with: %s\n", status_name(got), status_reason(),
                    status_name(want), words);
        fail();
    }
    assert_non_null(strstr(status_reason(), "d.hdf5"));
    assert_null(set.records);
    assert_int_equal(set.rows, 0);
    assert_int_equal(mem_count(), blocks);
}

static void refuse(const H5Item *items, int n, Status want, const char *words)
{
    CHECK_OK(h5_write(path, items, n, NULL, 0));
    expect(&(DatasetOptions){0}, want, words);
}

static void missing_and_misshapen_arrays_are_named(void **state)
{
    (void)state;
    const Rows rows = make_rows();
    H5Item items[ITEMS];
    DatasetOptions stored = {.next = NEXT_STORED};

    make_items(&rows, items);
    refuse(items, REW, ERR_FORMAT, "there is no 'rewards'; a dataset has observations, actions");
    make_items(&rows, items);
    items[REW].dims[0] = N - 1;
    refuse(items, ITEMS, ERR_FORMAT, "'rewards' has 5 rows, 'observations' has 6");
    make_items(&rows, items);
    items[NEXT].dims[1] = 1;
    refuse(items, ITEMS, ERR_FORMAT, "'next_observations' has 1 x 1 columns, expected 2");
    make_items(&rows, items);
    items[OBS].dims[0] = 0;
    refuse(items, ITEMS, ERR_FORMAT, "'observations' has 0 rows");
    make_items(&rows, items);
    (void)snprintf(items[REW].name, sizeof items[REW].name, "rewards/sum");
    refuse(items, ITEMS, ERR_FORMAT, "'rewards' is not an array");

    make_items(&rows, items);
    CHECK_OK(h5_write(path, items, NEXT, NULL, 0));
    expect(&stored, ERR_CONFIG, "no 'next_observations', which data.next: stored asks for");
    expect(&(DatasetOptions){.state_dim = 17}, ERR_CONFIG,
           "'observations' has 2 columns, the task has 17; choose the task");
    expect(&(DatasetOptions){.act_dim = 6}, ERR_CONFIG, "'actions' has 1 columns, the task has 6");

    const H5Text text = {.name = "rewards", .text = "many", .object = true};
    items[REW] = items[NEXT];
    CHECK_OK(h5_write(path, items, NEXT, &text, 1));
    expect(&(DatasetOptions){0}, ERR_FORMAT, "'rewards' holds no numbers");
}

static void impossible_values_are_located(void **state)
{
    (void)state;
    Rows rows = make_rows();
    H5Item items[ITEMS];
    double wide[N * S] = {0};
    float flags[N] = {0, 0, 0.5F};
    Dataset set;

    make_items(&rows, items);
    rows.obs[(size_t)3 * S + 1] = (float)NAN;
    refuse(items, ITEMS, ERR_FORMAT,
           "'observations' row 3 column 1 is nan; numbers must be finite");
    rows = make_rows();
    wide[(size_t)2 * S] = 1e300;
    items[OBS].type = SLAB_F64;
    items[OBS].data = wide;
    refuse(items, ITEMS, ERR_FORMAT, "'observations' row 2 column 0 is inf");
    make_items(&rows, items);
    rows.next[(size_t)5 * S] = (float)INFINITY;
    refuse(items, ITEMS, ERR_FORMAT, "'next_observations' row 5 column 0 is inf");
    rows = make_rows();
    rows.act[4] = -1.5F;
    refuse(items, ITEMS, ERR_FORMAT, "'actions' row 4 column 0 is -1.5; actions lie in [-1, 1]");
    rows = make_rows();
    items[TERM] = (H5Item){.name = "terminals", .data = flags, .rank = 1, .dims = {N}};
    refuse(items, ITEMS, ERR_FORMAT, "'terminals' row 2 is 0.5; 0 and 1 are allowed");

    make_items(&rows, items); /* rounding of a tanh is forgiven */
    rows.act[4] = 1.0005F;
    CHECK_OK(h5_write(path, items, ITEMS, NULL, 0));
    read_ok(&set, &(DatasetOptions){0});
    CHECK_NEAR(set.records[4 * STRIDE + S], 1, 0, 0);
    dataset_release(&set);

    rows = make_rows();
    memset(rows.time, 1, sizeof rows.time);
    CHECK_OK(h5_write(path, items, ITEMS, NULL, 0));
    expect(&(DatasetOptions){.next = NEXT_JOINED}, ERR_FORMAT,
           "none of the 6 rows has a known next state");
}

static void what_is_no_hdf5_is_refused(void **state)
{
    (void)state;
    const Rows rows = make_rows();
    unsigned char *bytes = NULL;
    size_t n = 0;

    expect(&(DatasetOptions){0}, ERR_IO, "cannot open: No such file or directory");
    CHECK_OK(file_write(path, "", 0));
    expect(&(DatasetOptions){0}, ERR_FORMAT, "the file is empty");
    CHECK_OK(file_write(path, "s,a,r\n1,2,3\n", 12));
    expect(&(DatasetOptions){0}, ERR_FORMAT, "not an HDF5 file, or damaged or cut short");
    CHECK_OK(write_rows(&rows, NULL));
    CHECK_OK(file_read(path, 1 << 20, &bytes, &n));
    for (size_t part = 1; part < 10; part++) {
        CHECK_OK(file_write(path, bytes, n * part / 10));
        expect(&(DatasetOptions){0}, ERR_FORMAT, "cut short (HDF5 says: truncated file");
    }
    mem_free(&bytes);
}

static void refused_memory_and_disks_are_reported(void **state)
{
    (void)state;
    const Rows rows = make_rows();
    const DatasetOptions options = {.max_rows = 2};
    const int64_t blocks = mem_count();
    Dataset set;

    file_fail_at(2, ENOSPC);
    assert_int_equal(write_rows(&rows, NULL), ERR_IO);
    file_fail_at(0, 0);
    assert_non_null(strstr(status_reason(), "writing dataset"));
    DirList list;
    CHECK_OK(dir_list(&list, dir));
    assert_int_equal(list.count, 0);
    dir_list_release(&list);
    CHECK_OK(write_rows(&rows, NULL));
    Status st = ERR_NOMEM;
    for (int64_t k = 1; st != OK; k++) {
        mem_fail_at(k);
        st = dataset_read(&set, path, &options);
        mem_fail_at(0);
        assert_true(st == OK || (st == ERR_NOMEM && mem_count() == blocks && set.rows == 0));
    }
    dataset_release(&set);
    assert_int_equal(mem_count(), blocks);
}

/* ---- other people's files ---- */

/* Recorded by the CS285 course with Gymnasium v4; returns as its readers measured them. Its actions
 * are not clipped, so the file is refused as it is and read after clipping. */
static void check_recording(const char *task, int state_dim, int act_dim, double low, double high)
{
    enum { ROWS = 2000, DIM = 40 };
    char name[100];
    double *obs = NULL;
    double *rew = NULL;
    float *act = NULL;
    uint8_t *flags = NULL;
    H5File *file = NULL;
    Dataset set;

    (void)snprintf(name, sizeof name, "data/berkeley_cs285/%s_expert_cs285-v4.hdf5", task);
    const char *recording = shared_file(name);
    assert_int_equal(dataset_read(&set, recording, &(DatasetOptions){0}), ERR_FORMAT);
    assert_non_null(strstr(status_reason(), "actions lie in [-1, 1]"));

    CHECK_OK(mem_alloc(&obs, (size_t)2 * ROWS * DIM, sizeof *obs, "test"));
    CHECK_OK(mem_alloc(&act, (size_t)ROWS * DIM, sizeof *act, "test"));
    CHECK_OK(mem_alloc(&rew, ROWS, sizeof *rew, "test"));
    CHECK_OK(mem_alloc(&flags, (size_t)2 * ROWS, 1, "test"));
    double *next = obs + (size_t)ROWS * (size_t)state_dim;
    CHECK_OK(h5_open(&file, recording));
    CHECK_OK(h5_read(file, "observations", SLAB_F64, obs, (size_t)(ROWS * state_dim)));
    CHECK_OK(h5_read(file, "next_observations", SLAB_F64, next, (size_t)(ROWS * state_dim)));
    CHECK_OK(h5_read(file, "actions", SLAB_F32, act, (size_t)(ROWS * act_dim)));
    CHECK_OK(h5_read(file, "rewards", SLAB_F64, rew, ROWS));
    h5_close(file);
    for (int i = 0; i < ROWS * act_dim; i++) {
        act[i] = fminf(1, fmaxf(-1, act[i]));
    }
    flags[ROWS + 999] = flags[ROWS + 1999] = 1;
    const H5Item items[ITEMS] = {
        {.name = "observations",
         .type = SLAB_F64,
         .data = obs,
         .rank = 2,
         .dims = {ROWS, state_dim}},
        {.name = "next_observations",
         .type = SLAB_F64,
         .data = next,
         .rank = 2,
         .dims = {ROWS, state_dim}},
        {.name = "actions", .data = act, .rank = 2, .dims = {ROWS, act_dim}},
        {.name = "rewards", .type = SLAB_F64, .data = rew, .rank = 1, .dims = {ROWS}},
        {.name = "terminals", .data = flags, .rank = 1, .dims = {ROWS}, .flags = true},
        {.name = "timeouts", .data = flags + ROWS, .rank = 1, .dims = {ROWS}, .flags = true},
    };
    CHECK_OK(h5_write(path, items, ITEMS, NULL, 0));
    read_ok(&set, &(DatasetOptions){.state_dim = state_dim, .act_dim = act_dim});
    assert_int_equal(set.rows, ROWS);
    assert_int_equal(set.episodes, 2);
    CHECK_NEAR(set.return_min, low, 0, 0.6);
    CHECK_NEAR(set.return_max, high, 0, 0.6);
    dataset_release(&set);
    read_ok(&set, &(DatasetOptions){.next = NEXT_D4RL});
    assert_int_equal(set.rows, ROWS - 2);
    dataset_release(&set);
    mem_free(&obs);
    mem_free(&act);
    mem_free(&rew);
    mem_free(&flags);
}

static void recordings_of_gym_are_read(void **state)
{
    (void)state;
    check_recording("halfcheetah", 17, 6, 4001.9, 4067.7);
    check_recording("hopper", 11, 3, 3717.2, 3717.9);
    check_recording("walker2d", 17, 6, 5329, 5437);
    check_recording("ant", 27, 8, 4651.2, 4712.6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_was_written_is_read, setup, teardown),
        cmocka_unit_test_setup_teardown(each_rule_gives_the_rows_worked_out_by_hand, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(without_timeouts_episodes_end_at_the_horizon, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(any_width_of_numbers_and_flags_is_read_alike, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(long_files_are_read_without_seams, setup, teardown),
        cmocka_unit_test_setup_teardown(bytes_depend_on_the_content_only, setup, teardown),
        cmocka_unit_test_setup_teardown(missing_and_misshapen_arrays_are_named, setup, teardown),
        cmocka_unit_test_setup_teardown(impossible_values_are_located, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_no_hdf5_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(refused_memory_and_disks_are_reported, setup, teardown),
        cmocka_unit_test_setup_teardown(recordings_of_gym_are_read, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
