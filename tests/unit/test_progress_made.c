/* progress: the state of what runs are made from: models, datasets, replay buffers. */
#include "support/check.h"

#include <stdio.h>
#include <unistd.h>

#include "base/file.h"
#include "support/temp_dir.h"
#include "support/watched_run.h"

static void a_model_fit_is_told_by_its_passes(void **state)
{
    (void)state;
    run_begin("model-000007\n");
    temp_write(run_file("log.txt"), "    0.00  run r\n");
    assert_int_equal(run_look(), JOB_WAITING);
    assert_int_equal(watched.p.unit, UNIT_PASS);
    assert_int_equal(watched.p.at, 7);
    temp_write(run_file("log.txt"), "    0.00  run r\n    5.00  model pass   8  holdout\n");
    run_sign("elsewhere", 5, 300);
    run_beat(1);
    assert_int_equal(run_look(), JOB_RUNNING);
    assert_int_equal(watched.p.at, 8);
    CHECK_NEAR(watched.p.ends, 0, 0, 0); /* early stopping decides */
}

static void a_model_is_done_when_it_is_there(void **state)
{
    (void)state;
    watched.job.kind = JOB_MODEL;
    assert_int_equal(run_look(), JOB_WAITING);
    run_begin("model-000003\n");
    run_sign("elsewhere", 5, 300);
    assert_int_equal(run_look(), JOB_STALE);
    run_beat(1);
    assert_int_equal(run_look(), JOB_RUNNING);
    run_sign("", 0, 300);
    temp_write(run_file("lock"), "");
    temp_write(run_file("model.h5"), "x");
    assert_int_equal(run_look(), JOB_DONE);
}

static void a_dataset_is_done_when_it_is_there_and_moves_while_it_is_made(void **state)
{
    (void)state;
    char parts[sizeof watched.run + 8];
    char lock[sizeof watched.run + 8];
    char here[256] = "";

    (void)snprintf(lock, sizeof lock, "%s.lock", watched.run);
    watched.job.kind = JOB_DATA;
    run_mark("# output of a launcher\n");
    assert_int_equal(run_look(), JOB_WAITING);
    run_mark("# start 2026-11-28T12:00:00Z host n1 job -\n");
    assert_int_equal(run_look(), JOB_RUNNING);
    run_age(watched.launcher, 200);
    assert_int_equal(run_look(), JOB_STALE);
    (void)snprintf(parts, sizeof parts, "%s.parts", watched.run);
    CHECK_OK(file_make_dirs(parts));
    assert_int_equal(run_look(), JOB_RUNNING);
    run_mark("# end 1 failed 2026-11-28T12:00:00Z no such task\n");
    assert_int_equal(run_look(), JOB_FAILED);
    watched.job.log = NULL; /* by hand */
    assert_int_equal(run_look(), JOB_RUNNING);
    run_age(parts, 200);
    assert_int_equal(run_look(), JOB_STALE);
    run_age(parts, 10);
    run_sign_at(lock, "elsewhere", 5, 300);
    assert_int_equal(run_look(), JOB_RUNNING);
    (void)gethostname(here, sizeof here - 1);
    run_sign_at(lock, here, 5, 300); /* who held it is gone */
    assert_int_equal(run_look(), JOB_STALE);
    temp_write(watched.run, "HDF");
    assert_int_equal(run_look(), JOB_DONE);
}

static void a_collected_folder_is_done_with_its_replay_buffer(void **state)
{
    (void)state;
    CHECK_OK(file_make_dirs(run_file("replay.hdf5.parts")));
    temp_write(run_file("used.yaml"), "train:\n  epochs: 4\n");
    temp_write(run_file("log.txt"),
               "    0.00  step 1000 of 3000: return 1\n    2.00  step 2000 of 3000: r\n");
    temp_write(run_file("replay.hdf5"), "x");
    assert_int_equal(run_look(), JOB_WAITING);
    assert_int_equal(watched.p.unit, UNIT_STEP);
    assert_int_equal(watched.p.of, 3000);
    assert_int_equal(rmdir(run_file("replay.hdf5.parts")), 0);
    assert_int_equal(run_look(), JOB_DONE);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, run_setup, run_teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_model_fit_is_told_by_its_passes),
        TEST(a_model_is_done_when_it_is_there),
        TEST(a_dataset_is_done_when_it_is_there_and_moves_while_it_is_made),
        TEST(a_collected_folder_is_done_with_its_replay_buffer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
