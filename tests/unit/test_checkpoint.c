/* checkpoint: exact round trips, faults at every file operation, damaged bytes, what is kept. */
#include "support/check.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "data/h5.h"
#include "run/checkpoint.h"
#include "support/temp_dir.h"

static char dir[TEMP_PATH_MAX];

static int make_dir(void **state)
{
    return temp_dir_setup(state, dir);
}

static int remove_dir(void **state)
{
    return temp_dir_teardown(state, dir);
}

enum { FLOATS = 50, WORLD_SLABS = 4 };

/* A state as a run may have it. */
typedef struct {
    float params[FLOATS];
    double sums[3];
    int64_t updates;
} World;

static World world_at(int64_t step)
{
    World w = {.updates = (INT64_C(1) << 60) + step, .sums = {1.0 / 3, -0.0, 1e300}};
    for (int i = 0; i < FLOATS; i++) {
        w.params[i] = (float)step + 1.0F / (float)(i + 1);
    }
    return w;
}

static void world_slabs(World *w, Slab slabs[WORLD_SLABS])
{
    slabs[0] = slab_f32("agent.params", w->params, FLOATS);
    slabs[1] = slab_f64("sums", w->sums, 3);
    slabs[2] = slab_i64("updates", &w->updates, 1);
    slabs[3] = slab_f32("nothing", w->params, 0);
}

static Status save(Phase phase, int64_t step, int keep)
{
    World w = world_at(step);
    Slab slabs[WORLD_SLABS];
    const CheckpointNote notes[] = {{.key = "metrics", .number = 1000 + step},
                                    {.key = "dataset", .text = "d\xc3\xa9j\xc3\xa0 \"vu\""}};
    world_slabs(&w, slabs);
    return checkpoint_save(dir, phase, step, slabs, WORLD_SLABS, notes, 2, keep);
}

/* Step of the newest sound checkpoint, after comparing all of it with what was saved; -1: none. */
static int64_t load_newest(Phase *phase)
{
    Checkpoint ckpt;
    bool found = false;
    World got = {0};
    Slab slabs[WORLD_SLABS];
    int64_t number = 0;
    char text[32];

    CHECK_OK(checkpoint_find(dir, &ckpt, &found));
    if (!found) {
        return -1;
    }
    const int64_t step = ckpt.step;
    const World want = world_at(step);
    world_slabs(&got, slabs);
    CHECK_OK(checkpoint_load(&ckpt, slabs, WORLD_SLABS));
    assert_memory_equal(got.params, want.params, sizeof got.params);
    assert_memory_equal(got.sums, want.sums, sizeof got.sums);
    assert_true(got.updates == want.updates);
    CHECK_OK(checkpoint_note_int(&ckpt, "metrics", &number));
    assert_true(number == 1000 + step);
    CHECK_OK(checkpoint_note_text(&ckpt, "dataset", text, sizeof text));
    assert_string_equal(text, "d\xc3\xa9j\xc3\xa0 \"vu\"");
    if (phase != NULL) {
        *phase = ckpt.phase;
    }
    checkpoint_release(&ckpt);
    return step;
}

static bool there(const char *name)
{
    return file_exists(temp_path(dir, "ckpt/%s", name));
}

static void what_was_saved_comes_back(void **state)
{
    (void)state;
    Phase phase = PHASE_COUNT;
    const int64_t blocks = mem_count();
    assert_int_equal(load_newest(NULL), -1); /* a new run */
    CHECK_OK(save(PHASE_MODEL, 999, 2));
    assert_int_equal(load_newest(&phase), 999);
    assert_int_equal(phase, PHASE_MODEL);
    CHECK_OK(save(PHASE_POLICY, 0, 2)); /* policy comes after model, whatever the step */
    assert_int_equal(load_newest(&phase), 0);
    assert_int_equal(phase, PHASE_POLICY);
    CHECK_OK(save(PHASE_POLICY, 1234567, 2));
    assert_int_equal(load_newest(NULL), 1234567);
    assert_string_equal(temp_read(temp_path(dir, "ckpt/LATEST")), "policy-1234567\n");
    assert_int_equal(mem_count(), blocks);
}

static void bytes_depend_on_content_only(void **state)
{
    (void)state;
    char first[2][SLAB_DIGEST_MAX];
    for (int round = 0; round < 2; round++) {
        CHECK_OK(save(PHASE_POLICY, 5, 2));
        for (int i = 0; i < 2; i++) {
            unsigned char *bytes = NULL;
            size_t n = 0;
            char digest[SLAB_DIGEST_MAX];
            CHECK_OK(file_read(
                temp_path(dir, "ckpt/policy-000005/%s", i == 0 ? "state.h5" : "manifest.json"),
                1 << 20, &bytes, &n));
            bytes_digest(bytes, n, digest);
            mem_free(&bytes);
            if (round == 0) {
                memcpy(first[i], digest, sizeof digest);
            }
            assert_string_equal(digest, first[i]);
        }
    }
}

/* Only exact agreement is loaded, and nothing is written otherwise. */
static void other_slabs_are_refused(void **state)
{
    (void)state;
    Checkpoint ckpt;
    bool found = false;
    World w = {0};
    Slab slabs[WORLD_SLABS];
    float zero[FLOATS] = {0};
    int64_t number;
    char text[8];

    CHECK_OK(save(PHASE_POLICY, 1, 2));
    CHECK_OK(checkpoint_find(dir, &ckpt, &found));
    assert_true(found);
    assert_int_equal(checkpoint_slab_length(&ckpt, "agent.params"), FLOATS);
    assert_int_equal(checkpoint_slab_length(&ckpt, "nobody"), -1);

    world_slabs(&w, slabs);
    slabs[1].n = 2;
    assert_int_equal(checkpoint_load(&ckpt, slabs, WORLD_SLABS), ERR_FORMAT);
    assert_non_null(strstr(status_reason(), "'sums' is float64 of length 3, expected float64 of "
                                            "length 2"));
    world_slabs(&w, slabs);
    slabs[2].type = SLAB_F64;
    assert_int_equal(checkpoint_load(&ckpt, slabs, WORLD_SLABS), ERR_FORMAT);
    assert_non_null(strstr(status_reason(), "'updates' is int64"));
    world_slabs(&w, slabs);
    assert_int_equal(checkpoint_load(&ckpt, slabs, WORLD_SLABS - 1), ERR_FORMAT);
    assert_non_null(strstr(status_reason(), "holds 4 arrays, expected 3"));
    slabs[3] = slab_f32("adam", w.params, 0);
    assert_int_equal(checkpoint_load(&ckpt, slabs, WORLD_SLABS), ERR_FORMAT);
    assert_non_null(strstr(status_reason(), "has no 'adam'"));
    assert_memory_equal(w.params, zero, sizeof zero);

    assert_int_equal(checkpoint_note_int(&ckpt, "dataset", &number), ERR_FORMAT);
    assert_int_equal(checkpoint_note_int(&ckpt, "nothing", &number), ERR_FORMAT);
    assert_int_equal(checkpoint_note_text(&ckpt, "metrics", text, sizeof text), ERR_FORMAT);
    assert_int_equal(checkpoint_note_text(&ckpt, "dataset", text, sizeof text), ERR_FORMAT);
    checkpoint_release(&ckpt);
}

static void newest_and_every_tenth_are_kept(void **state)
{
    (void)state;
    for (int64_t step = 1; step <= 5; step++) {
        CHECK_OK(save(PHASE_MODEL, 10 * step, 2));
    }
    assert_true(there("model-000050") && there("model-000040") && !there("model-000030"));
    for (int64_t step = 1; step <= 23; step++) {
        CHECK_OK(save(PHASE_POLICY, step, 2));
        assert_int_equal(load_newest(NULL), step);
    }
    assert_true(there("policy-000023") && there("policy-000022"));
    assert_true(there("policy-000020") && there("policy-000010"));
    assert_true(!there("policy-000021") && !there("policy-000019") && !there("model-000050"));
    CHECK_OK(save(PHASE_POLICY, 24, 1));
    assert_true(there("policy-000024") && !there("policy-000023") && there("policy-000020"));
}

/* Going back: what is newer than the step now saved was not usable, so it must not shadow it. */
static void later_steps_are_superseded(void **state)
{
    (void)state;
    CHECK_OK(save(PHASE_POLICY, 9, 3));
    CHECK_OK(save(PHASE_POLICY, 10, 3));
    CHECK_OK(save(PHASE_POLICY, 11, 3));
    CHECK_OK(save(PHASE_POLICY, 10, 1));
    assert_true(!there("policy-000011") && !there("policy-000010.old") && !there("policy-000009"));
    assert_int_equal(load_newest(NULL), 10);
}

/* Fail each file operation of a save in turn: the state before or the new one is there, whole. */
static void a_failed_save_loses_nothing(void **state)
{
    (void)state;
    log_set_level(LOG_QUIET);
    for (int again = 0; again < 2; again++) { /* step 2 after step 1; step 1 once more, keep 1 */
        int k = 1;
        for (;; k++) {
            temp_dir_remove(dir);
            CHECK_OK(save(PHASE_POLICY, 1, 1));
            file_fail_at(k, EIO);
            const Status st = save(PHASE_POLICY, again == 1 ? 1 : 2, 1);
            const bool hit = !file_refused(); /* asks whether the fault is still to come */
            file_fail_at(0, 0);
            assert_true(st == OK || st == ERR_IO);
            const int64_t step = load_newest(NULL);
            assert_true(step == 1 || (again == 0 && step == 2));
            assert_true(st != OK || again == 1 || step == 2);
            CHECK_OK(save(PHASE_POLICY, 3, 1)); /* the next one works and cleans up */
            assert_int_equal(load_newest(NULL), 3);
            assert_true(!there("policy-000002.tmp") && !there("policy-000001.tmp"));
            if (k > 200 || !hit) {
                break;
            }
        }
        assert_in_range(k, 15, 200);
    }
    log_set_level(LOG_INFO);
}

/* Whatever a disk refuses on the way, what is left is whole or goes at the next try. */
static void all_are_deleted_when_they_are_no_longer_needed(void **state)
{
    (void)state;
    Phase phase;
    int64_t k = 0;
    Status st = OK;

    CHECK_OK(checkpoint_delete_all(dir)); /* there are none */
    do {
        k++;
        CHECK_OK(save(PHASE_MODEL, 1, 2));
        CHECK_OK(save(PHASE_MODEL, 2, 2));
        file_fail_at(k, EIO);
        st = checkpoint_delete_all(dir);
        file_fail_at(0, 0);
        (void)load_newest(&phase);
        CHECK_OK(checkpoint_delete_all(dir));
        assert_false(file_exists(temp_path(dir, "ckpt")));
    } while (st != OK);
    assert_in_range(k, 8, 40);
}

/* What cannot be read may be whole: no reason to call it damaged, or to advise to delete it. */
static void one_that_cannot_be_read_is_not_damaged(void **state)
{
    (void)state;
    Checkpoint ckpt;
    bool found = false;
    int told = 0;

    log_set_level(LOG_QUIET);
    CHECK_OK(save(PHASE_POLICY, 1, 1));
    for (int k = 1; !found && k < 40; k++) { /* each call fails, first those that list them */
        file_fail_at(k, EIO);
        const Status st = checkpoint_find(dir, &ckpt, &found);
        file_fail_at(0, 0);
        assert_int_equal(st, found ? OK : ERR_IO);
        assert_null(found ? NULL : strstr(status_reason(), "delete"));
        told += !found && strstr(status_reason(), "no checkpoint of 1 could be used") != NULL;
        checkpoint_release(&ckpt);
    }
    assert_true(found);
    assert_in_range(told, 2, 20); /* its two files */
    log_set_level(LOG_INFO);
}

static void a_save_without_memory_loses_nothing(void **state)
{
    (void)state;
    log_set_level(LOG_QUIET);
    const int64_t blocks = mem_count();
    for (int k = 1; k <= 12; k++) {
        CHECK_OK(save(PHASE_POLICY, 1, 2));
        mem_fail_at(k);
        const Status st = save(PHASE_POLICY, 2, 2);
        mem_fail_at(0);
        assert_true(st == OK || st == ERR_NOMEM);
        assert_int_equal(load_newest(NULL), st == OK ? 2 : 1);
        assert_int_equal(mem_count(), blocks);
    }
    log_set_level(LOG_INFO);
}

static void flip(const char *path, size_t at)
{
    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    assert_int_equal(fseek(file, (long)at, SEEK_SET), 0);
    const int byte = fgetc(file);
    assert_int_equal(fseek(file, (long)at, SEEK_SET), 0);
    assert_int_equal(fputc(byte ^ 0x10, file), byte ^ 0x10);
    assert_int_equal(fclose(file), 0);
}

static size_t size_of(const char *path)
{
    struct stat info;
    assert_int_equal(stat(path, &info), 0);
    return (size_t)info.st_size;
}

/* One bit anywhere in the newest: the one before it is used. */
static void damage_leads_to_the_one_before(void **state)
{
    (void)state;
    static const char *const files[] = {"state.h5", "manifest.json"};
    log_set_level(LOG_QUIET);
    CHECK_OK(save(PHASE_POLICY, 1, 2));
    CHECK_OK(save(PHASE_POLICY, 2, 2));
    for (int f = 0; f < 2; f++) {
        char path[2 * TEMP_PATH_MAX];
        (void)snprintf(path, sizeof path, "%s/ckpt/policy-000002/%s", dir, files[f]);
        const size_t size = size_of(path);
        for (size_t at = 0; at < size; at += f == 0 ? 37 : 1) {
            flip(path, at);
            assert_int_equal(load_newest(NULL), 1);
            flip(path, at);
        }
        assert_int_equal(load_newest(NULL), 2);
        assert_int_equal(truncate(path, (off_t)size / 2), 0);
        assert_int_equal(load_newest(NULL), 1);
        assert_int_equal(unlink(path), 0);
        assert_int_equal(load_newest(NULL), 1);
        CHECK_OK(save(PHASE_POLICY, 2, 2)); /* the run comes by again */
        assert_int_equal(load_newest(NULL), 2);
    }
    log_set_level(LOG_INFO);
}

static void never_a_silent_fresh_start(void **state)
{
    (void)state;
    Checkpoint ckpt;
    bool found = true;
    CHECK_OK(save(PHASE_POLICY, 1, 2));
    CHECK_OK(save(PHASE_POLICY, 2, 2));
    flip(temp_path(dir, "ckpt/policy-000001/state.h5"), 1000);
    flip(temp_path(dir, "ckpt/policy-000002/state.h5"), 1000);
    assert_int_equal(checkpoint_find(dir, &ckpt, &found), ERR_FORMAT);
    assert_false(found);
    assert_non_null(strstr(status_reason(), "no checkpoint of 2 is intact"));
    assert_non_null(strstr(status_reason(), "to start from the beginning"));

    temp_dir_remove(temp_path(dir, "ckpt/policy-000001"));
    temp_dir_remove(temp_path(dir, "ckpt/policy-000002"));
    assert_int_equal(checkpoint_find(dir, &ckpt, &found), ERR_FORMAT);
    assert_non_null(strstr(status_reason(), "LATEST"));
    temp_dir_remove(temp_path(dir, "ckpt"));
    CHECK_OK(checkpoint_find(dir, &ckpt, &found));
    assert_false(found);
}

/* A checkpoint renamed by hand is not what its name says. */
static void foreign_names_are_not_believed(void **state)
{
    (void)state;
    log_set_level(LOG_QUIET);
    CHECK_OK(save(PHASE_POLICY, 1, 2));
    CHECK_OK(save(PHASE_POLICY, 2, 2));
    assert_int_equal(
        rename(temp_path(dir, "ckpt/policy-000002"), temp_path(dir, "ckpt/policy-000007")), 0);
    assert_int_equal(mkdir(temp_path(dir, "ckpt/policy-8"), 0777), 0);
    assert_int_equal(mkdir(temp_path(dir, "ckpt/my-notes"), 0777), 0);
    assert_int_equal(load_newest(NULL), 1);
    CHECK_OK(save(PHASE_POLICY, 3, 1)); /* leaves what is not ours */
    assert_true(there("policy-8") && there("my-notes") && !there("policy-000007"));
    log_set_level(LOG_INFO);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_dir, remove_dir)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_was_saved_comes_back),
        TEST(bytes_depend_on_content_only),
        TEST(other_slabs_are_refused),
        TEST(newest_and_every_tenth_are_kept),
        TEST(later_steps_are_superseded),
        TEST(a_failed_save_loses_nothing),
        TEST(one_that_cannot_be_read_is_not_damaged),
        TEST(a_save_without_memory_loses_nothing),
        TEST(all_are_deleted_when_they_are_no_longer_needed),
        TEST(damage_leads_to_the_one_before),
        TEST(never_a_silent_fresh_start),
        TEST(foreign_names_are_not_believed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
