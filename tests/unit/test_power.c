/* A power cut at any moment: what was saved before it is found again, whole, and the run goes on. Recorded once is
 * what the files of a run and of a collection go through; drawn from it are 10,000 states of the disk, by a fixed
 * seed (support/power.h).
 */
#include "support/check.h"

#include <stdio.h>
#include <string.h>

#include "base/dir.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "data/h5.h"
#include "run/checkpoint.h"
#include "run/metrics.h"
#include "run/parts.h"
#include "run/rundir.h"
#include "run/sealed.h"
#include "run/tables.h"
#include "support/power.h"
#include "support/temp_dir.h"

enum { STATES = 10000, DRAWS = 45, AGAIN = 9, FLOATS = 600, ACKS_MAX = 200 };

static const char settings[] = "00112233445566778899aabbccddeeff";
static char root[TEMP_PATH_MAX];
static char out[TEMP_PATH_MAX];
static Config config;

/* ---- what was promised ---- */

enum { SETTINGS, MANIFEST, MODEL, POLICY, DATASET, FILES, CHECKPOINT = FILES, PARTS, THINGS };

static const char *const file_names[FILES] = {"team/run/used.yaml", "team/run/manifest.json",
                                              "team/run/model.h5", "team/run/policy.h5",
                                              "data.hdf5"};

/* From call `at` on, a thing is there in this version or a later one. */
typedef struct {
    int thing, at;
    int64_t number;
    unsigned char *bytes; /* of a file; of a checkpoint: metrics.jsonl as it was then */
    size_t n;
} Ack;

static Ack acks[ACKS_MAX];
static int ack_count;

static Ack *ack(int thing, int64_t number, const char *path)
{
    assert_in_range(ack_count, 0, ACKS_MAX - 1);
    Ack *a = &acks[ack_count++];
    *a = (Ack){.thing = thing, .at = power_calls(), .number = number};
    if (path != NULL) {
        CHECK_OK(file_read(temp_path(root, "%s", path), 1 << 20, &a->bytes, &a->n));
    }
    return a;
}

/* The newest that was there after so many calls; NULL: none yet. */
static const Ack *promised(int thing, int calls)
{
    const Ack *newest = NULL;
    for (int i = 0; i < ack_count; i++) {
        if (acks[i].thing == thing && acks[i].at <= calls) {
            newest = &acks[i];
        }
    }
    return newest;
}

/* ---- what is recorded ---- */

static const char *run_of(const char *place)
{
    return temp_path(place, "team/run");
}

static void world(int64_t number, float params[FLOATS])
{
    for (int i = 0; i < FLOATS; i++) {
        params[i] = (float)number + 1.0F / (float)(i + 1);
    }
}

static Status save(const char *place, Phase phase, int64_t step, int64_t number, int64_t length[2],
                   int keep)
{
    float params[FLOATS];
    const Slab slab = slab_f32("params", params, FLOATS);
    const CheckpointNote notes[] = {{.key = "number", .number = number},
                                    {.key = "jsonl", .number = length[METRICS_JSONL]},
                                    {.key = "csv", .number = length[METRICS_CSV]}};
    world(number, params);
    return checkpoint_save(run_of(place), phase, step, &slab, 1, notes, 3, keep);
}

static int64_t saves; /* so far */

static void add_line(MetricsLog *log, int64_t step)
{
    Metrics line;
    metrics_clear(&line);
    line.value[METRIC_EPOCH] = (double)step;
    line.value[METRIC_UPDATES] = (double)saves; /* tells lines of the same epoch apart */
    CHECK_OK(metrics_append(log, &line));
}

static void save_epoch(MetricsLog *log, int64_t step, int keep)
{
    int64_t length[METRICS_FILES];

    add_line(log, step);
    CHECK_OK(metrics_lengths(log, length));
    CHECK_OK(save(root, PHASE_POLICY, step, saves, length, keep));
    Ack *a = ack(CHECKPOINT, saves++, "team/run/metrics.jsonl");
    assert_int_equal(a->n, length[METRICS_JSONL]);
}

static void save_model(int64_t step)
{
    int64_t none[METRICS_FILES] = {0};
    CHECK_OK(save(root, PHASE_MODEL, step, saves, none, 2));
    (void)ack(CHECKPOINT, saves++, NULL);
}

static void write_sealed(int thing, int version)
{
    float params[FLOATS];
    const Slab slab = slab_f32("params", params, FLOATS);
    const H5Item item = h5_item(NULL, &slab);
    world(version, params);
    CHECK_OK(sealed_write(temp_path(root, "%s", file_names[thing]), &item, 1, NULL, 0));
    (void)ack(thing, version, file_names[thing]);
}

static void start(RunDir *dir, int version)
{
    const RunFacts facts = {.ranks = version + 1, .learners = 1, .dataset_digest = "0123"};
    CHECK_OK(rundir_open(dir, run_of(root), &config, NULL));
    (void)ack(SETTINGS, version, file_names[SETTINGS]);
    CHECK_OK(rundir_write_manifest(dir, &facts));
    (void)ack(MANIFEST, version, file_names[MANIFEST]);
}

/* The lengths that the newest checkpoint recorded. */
static void newest_lengths(const char *place, int64_t length[METRICS_FILES])
{
    Checkpoint ckpt;
    bool found = false;
    CHECK_OK(checkpoint_find(run_of(place), &ckpt, &found));
    assert_true(found);
    CHECK_OK(checkpoint_note_int(&ckpt, "jsonl", &length[METRICS_JSONL]));
    CHECK_OK(checkpoint_note_int(&ckpt, "csv", &length[METRICS_CSV]));
    checkpoint_release(&ckpt);
}

static void record_run(void)
{
    RunDir dir;
    MetricsLog log;
    int64_t length[METRICS_FILES];

    start(&dir, 0);
    save_model(1);
    save_model(2);
    save_model(3);
    write_sealed(MODEL, 0);
    CHECK_OK(metrics_open(&log, run_of(root), NULL));
    for (int64_t step = 8; step <= 12; step++) { /* the tenth stays, others go */
        save_epoch(&log, step, 2);
    }
    add_line(&log, 13); /* which no checkpoint will know */
    metrics_close(&log);
    rundir_close(&dir);

    start(&dir, 1);
    newest_lengths(root, length);
    CHECK_OK(metrics_open(&log, run_of(root), length));
    save_epoch(&log, 13, 2);
    write_sealed(POLICY, 0);
    save_epoch(&log, 13, 1); /* the same step once more */
    save_epoch(&log, 11, 3); /* back, as after damage */
    save_epoch(&log, 12, 3);
    save_epoch(&log, 12, 3);
    write_sealed(POLICY, 1);
    metrics_close(&log);
    rundir_close(&dir);
}

static void add_part(Parts *parts)
{
    CollectRows rows;
    int64_t next = parts->count + 1;
    const Slab state = slab_i64("next", &next, 1);
    CHECK_OK(
        collect_episodes(env_find("pointmass"), &(CollectSource){0}, 7, parts->count, 1, &rows));
    CHECK_OK(parts_add(parts, &rows, &state, 1));
    collect_release(&rows);
    (void)ack(PARTS, next, NULL);
}

static void record_collection(void)
{
    Parts parts;
    float x[FLOATS];
    const Slab slab = slab_f32("x", x, FLOATS);
    const H5Item item = h5_item(NULL, &slab);

    world(0, x);
    CHECK_OK(parts_open(&parts, temp_path(root, "data.hdf5"), settings, false));
    add_part(&parts);
    add_part(&parts);
    CHECK_OK(h5_write(temp_path(root, "data.hdf5"), &item, 1, NULL, 0));
    (void)ack(DATASET, 0, file_names[DATASET]);
    CHECK_OK(parts_remove(&parts));
}

/* ---- what is found ---- */

/* Version `at least` or the one that was being written. */
static void check_file(int thing, int calls)
{
    const char *path = temp_path(out, "%s", file_names[thing]);
    const Ack *least = promised(thing, calls);
    unsigned char *bytes = NULL;
    size_t n = 0;

    if (least == NULL && !file_exists(path)) {
        return;
    }
    CHECK_OK(file_read(path, 1 << 20, &bytes, &n));
    for (int i = 0; i < ack_count; i++) {
        const Ack *a = &acks[i];
        if (a->thing == thing && (least == NULL || a->number >= least->number) && a->n == n &&
            memcmp(a->bytes, bytes, n) == 0) {
            mem_free(&bytes);
            return;
        }
    }
    fail_msg("%s is no version that was written", path);
}

static const Ack *ack_of(int thing, int64_t number)
{
    for (int i = 0; i < ack_count; i++) {
        if (acks[i].thing == thing && acks[i].number == number) {
            return &acks[i];
        }
    }
    fail_msg("no version %lld was written", (long long)number);
    return NULL;
}

/* Its number and metrics are those of one save. */
static int64_t check_whole(const Checkpoint *ckpt, int64_t length[METRICS_FILES])
{
    float got[FLOATS] = {0};
    float want[FLOATS];
    const Slab slab = slab_f32("params", got, FLOATS);
    int64_t number = -1;

    CHECK_OK(checkpoint_note_int(ckpt, "number", &number));
    CHECK_OK(checkpoint_load(ckpt, &slab, 1));
    world(number, want);
    assert_memory_equal(got, want, sizeof got);
    CHECK_OK(checkpoint_note_int(ckpt, "jsonl", &length[METRICS_JSONL]));
    CHECK_OK(checkpoint_note_int(ckpt, "csv", &length[METRICS_CSV]));
    return number;
}

static void check_metrics(int64_t number, const int64_t length[METRICS_FILES])
{
    const Ack *a = ack_of(CHECKPOINT, number);
    MetricsLog log;
    unsigned char *bytes = NULL;
    size_t n = 0;

    if (length[METRICS_JSONL] == 0) { /* of the model's phase */
        return;
    }
    CHECK_OK(metrics_open(&log, run_of(out), length));
    metrics_close(&log);
    CHECK_OK(file_read(temp_path(out, "team/run/metrics.jsonl"), 1 << 20, &bytes, &n));
    assert_int_equal(n, a->n);
    assert_memory_equal(bytes, a->bytes, n);
    mem_free(&bytes);
}

static void check_run(int calls)
{
    const Ack *least = promised(CHECKPOINT, calls);
    RunDir dir;
    Checkpoint ckpt;
    bool found = false;
    int64_t length[METRICS_FILES] = {0};

    CHECK_OK(rundir_open(&dir, run_of(out), &config, NULL));
    CHECK_OK(checkpoint_find(run_of(out), &ckpt, &found));
    assert_true(found || least == NULL);
    int64_t step = 0;
    if (found) {
        const int64_t number = check_whole(&ckpt, length);
        assert_true(least == NULL || number >= least->number);
        check_metrics(number, length);
        step = ckpt.step;
        checkpoint_release(&ckpt);
    }
    CHECK_OK(save(out, PHASE_POLICY, step + 1, 1000, length, 2));
    CHECK_OK(checkpoint_find(run_of(out), &ckpt, &found));
    assert_true(found);
    assert_int_equal(check_whole(&ckpt, length), 1000);
    checkpoint_release(&ckpt);
    rundir_close(&dir);
}

/* The dataset, or the parts to go on from. */
static void check_collection(int calls)
{
    const Ack *least = promised(PARTS, calls);
    Parts parts;
    int64_t next = 0;
    const Slab state = slab_i64("next", &next, 1);

    if (file_exists(temp_path(out, "data.hdf5"))) {
        return; /* compared with the others */
    }
    CHECK_OK(parts_open(&parts, temp_path(out, "data.hdf5"), settings, false));
    assert_true(least == NULL || parts.count >= least->number);
    if (parts.count > 0) {
        CHECK_OK(parts_state(&parts, parts.count - 1, &state, 1));
        assert_int_equal(next, parts.count);
    }
}

/* Things as they were promised after so many calls, and the run can go on. */
static void check_state(int calls)
{
    for (int thing = 0; thing < FILES; thing++) {
        check_file(thing, calls);
    }
    check_collection(calls);
    check_run(calls);
}

static bool known(uint64_t hash, const uint64_t *hashes, int n)
{
    for (int i = 0; i < n; i++) {
        if (hashes[i] == hash) {
            return true;
        }
    }
    return false;
}

/* Where the tests of several builds run together, one of them goes through all states. */
static int draws(void)
{
    return getenv("MOPO_TEST_AGAIN") != NULL ? DRAWS / AGAIN : DRAWS;
}

/* States after so many calls; returns how many different ones came. */
static int cut_power(int calls)
{
    uint64_t hashes[DRAWS];
    int count = 0;

    for (int k = 0; k < draws(); k++) {
        Rng rng = rng_make(1, RNG_TEST, (uint64_t)calls, (uint32_t)k);
        const PowerKind kind = k == 0 ? POWER_LEAST : k == 1 ? POWER_MOST : POWER_ANY;
        temp_dir_make(out);
        const uint64_t hash = power_cut(kind, &rng, out);
        if (!known(hash, hashes, count)) {
            hashes[count++] = hash;
            check_state(calls);
        }
        temp_dir_remove(out);
    }
    return count;
}

static void what_was_saved_outlives_a_power_cut(void **state)
{
    (void)state;
    int states = 0;

    power_start(root);
    record_run();
    record_collection();
    power_stop();
    const int calls = power_calls();
    power_rewind();
    for (int done = 0; done < calls; done++) {
        states += cut_power(done);
        power_step();
    }
    states += cut_power(calls);
    print_message("%d states of the disk between %d calls\n", states, calls);
    assert_true(states >= (draws() == DRAWS ? STATES : STATES / AGAIN));
    power_release();
}

static int make_dir(void **state)
{
    (void)state;
    log_set_level(LOG_QUIET);
    tables_register();
    config_default(&config);
    temp_dir_make(root);
    return 0;
}

static int remove_dir(void **state)
{
    (void)state;
    for (int i = 0; i < ack_count; i++) {
        mem_free(&acks[i].bytes);
    }
    temp_dir_remove(root);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_was_saved_outlives_a_power_cut, make_dir, remove_dir),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
