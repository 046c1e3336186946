/* parting: two run directories agree, or the place is named where they part, and what may be the cause. */
#include "support/check.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/rng.h"
#include "run/manifest.h"
#include "run/model_file.h"
#include "run/parting.h"
#include "run/policy_file.h"
#include "run/rundir.h"
#include "run/tables.h"
#include "support/temp_dir.h"

static char dir[TEMP_PATH_MAX];
static char then[TEMP_PATH_MAX], now[TEMP_PATH_MAX];
static Parting p;
static char report[PARTING_REPORT_MAX], verdict[1024];

static const char metrics[] = "epoch,return_mean,critic_loss,score\n1,10.5,0.25,1\n2,11.5,0.5,2\n"
                              "3,12.5,0.75,3\n";

static RunFacts some_facts(void)
{
    return (RunFacts){.mpi = "MPI 3",
                      .blas = "BLAS, core Zen",
                      .cpu = "CPU 1",
                      .hosts = "n1",
                      .ranks = 4,
                      .learners = 2,
                      .dataset = "data/a.hdf5",
                      .dataset_digest = "0123"};
}

static void put_policy(const char *run, int64_t epoch, float weight)
{
    static float params[400];
    const Mlp actor = mlp_make(3, 5, 1, 4, 1, ACT_RELU);
    const Squash squash = {.A = 2, .low = -5, .high = 1};
    const PolicyInfo info = {.algorithm = "mopo", .task = "pointmass", .epoch = epoch};

    assert_true(actor.count <= sizeof params / sizeof *params);
    params[0] = weight;
    CHECK_OK(policy_save(temp_path(run, "policy.h5"), &info, &actor, &squash, params, NULL));
}

static void put_model(const char *run, int passes)
{
    const EnsembleConfig config = {
        .members = 2, .elites = 1, .state_dim = 3, .act_dim = 2, .hidden = 4, .layers = 1};
    const ModelInfo info = {.task = "pointmass", .dataset_digest = "0123", .passes = passes};
    Ensemble ens;

    CHECK_OK(ensemble_init(&ens, &config, 5));
    ens.holdout[0] = 0.5;
    ens.holdout[1] = 0.25;
    ensemble_choose_elites(&ens);
    ensemble_freeze(&ens);
    CHECK_OK(model_save(temp_path(run, "model.h5"), &info, &ens));
    ensemble_release(&ens);
}

/* A finished run of three epochs. */
static void put_run(const char *run, const RunFacts *facts, double gamma)
{
    RunDir d;
    Config config;

    config_default(&config);
    config.sac.gamma = gamma;
    CHECK_OK(rundir_open(&d, run, &config, NULL));
    CHECK_OK(rundir_write_manifest(&d, facts));
    temp_write(temp_path(run, "metrics.csv"), metrics);
    temp_write(temp_path(run, "penalty.txt"), "u\n");
    put_policy(run, 3, 1);
    put_model(run, 7);
    CHECK_OK(rundir_note_results(&d));
    rundir_close(&d);
}

static int make_dir(void **state)
{
    const int code = temp_dir_setup(state, dir);
    const RunFacts facts = some_facts();

    (void)snprintf(then, sizeof then, "%s/then", dir);
    (void)snprintf(now, sizeof now, "%s/now", dir);
    put_run(then, &facts, 0.99);
    put_run(now, &facts, 0.99);
    return code;
}

static int remove_dir(void **state)
{
    return temp_dir_teardown(state, dir);
}

/* Compare, and check that the verdict has the text. */
static void expect(bool same, const char *text)
{
    CHECK_OK(parting_find(then, now, &p));
    Text all = text_over(report, sizeof report);
    parting_report(&p, &all);
    assert_false(all.cut);
    Text sentence = text_over(verdict, sizeof verdict);
    parting_verdict(&p, &sentence);
    json_t *json = parting_json(&p);
    assert_string_equal(json_string_value(json_object_get(json, "verdict")), verdict);
    assert_int_equal(json_is_true(json_object_get(json, "same")), same);
    json_decref(json);
    if (parting_none(&p) != same || strstr(verdict, text) == NULL) {
        print_error("no '%s' in: %s\n%s\n", text, verdict, report);
        fail();
    }
}

static void expect_report(const char *text)
{
    if (strstr(report, text) == NULL) {
        print_error("no '%s' in:\n%s\n", text, report);
        fail();
    }
}

static void equal_runs_agree(void **state)
{
    (void)state;
    const int64_t blocks = mem_count();
    expect(true, "3 epochs of metrics");
    assert_non_null(strstr(verdict, "same bits: dataset, model "));
    expect_report("Made of the same");
    assert_int_equal(mem_count(), blocks);
}

static void the_first_number_that_differs_is_named(void **state)
{
    (void)state;
    temp_write(temp_path(now, "metrics.csv"), "epoch,return_mean,critic_loss,score\n1,10.5,0.25,1\n"
                                              "2,11.75,0.501,2.5\n3,0,0,0\n");
    put_policy(now, 3, 2);
    expect(false, "parted: in epoch 2, first in critic_loss: 0.5 then, 0.501 now (and in 2 more "
                  "numbers); same: dataset, model ");
    assert_non_null(strstr(verdict, "nothing known differs"));
    temp_write(temp_path(now, "metrics.csv"), "epoch,return_mean,critic_loss,score\n1,10.5,0.25,1\n"
                                              "2,11.5,0.5,2\n3,12.5,0.75,\n");
    expect(false, "in epoch 3, first in score: 3 then, nothing now; ");
}

static void columns_are_found_by_name(void **state)
{
    (void)state;
    temp_write(temp_path(now, "metrics.csv"), "epoch,new,score,return_mean,critic_loss\n"
                                              "1,9,1,10.5,0.25\n2,9,2,11.5,0.5\n3,9,3,12.5,0.75\n");
    expect(true, "3 epochs of metrics");
    expect_report("same, as far as both go");
}

static void an_earlier_part_comes_first(void **state)
{
    (void)state;
    put_model(now, 8);
    expect(false, "first in the model; same: dataset");
    expect_report("model then: 7 passes, best member 1 with holdout MSE 0.25");
    expect_report("model now:  8 passes");
}

static void what_is_not_as_it_was_may_be_the_cause(void **state)
{
    (void)state;
    RunDir d;
    Config config;
    RunFacts facts = some_facts();

    config_default(&config);
    CHECK_OK(rundir_open(&d, now, &config, NULL));
    facts.blas = "BLAS, core Haswell";
    facts.cpu = "CPU 2";
    CHECK_OK(rundir_write_manifest(&d, &facts));
    rundir_close(&d);
    expect(true, "same bits");
    expect_report("BLAS              BLAS, core Zen  BLAS, core Haswell");
    put_policy(now, 3, 2);
    expect(false, "likely cause: BLAS BLAS, core Zen then, BLAS, core Haswell now, or CPU CPU 1");
}

static void other_settings_are_the_cause(void **state)
{
    (void)state;
    const RunFacts facts = some_facts();

    (void)snprintf(now, sizeof now, "%s/other", dir);
    put_run(now, &facts, 0.5);
    put_policy(now, 3, 2);
    expect(false, "cause: other settings (sac.gamma: 0.99 -> 0.5)");
}

static void another_dataset_is_the_first_part(void **state)
{
    (void)state;
    RunFacts facts = some_facts();

    (void)snprintf(now, sizeof now, "%s/other", dir);
    facts.dataset_digest = "4567";
    put_run(now, &facts, 0.99);
    expect(false, "first in the dataset");
    assert_non_null(strstr(verdict, "likely cause: dataset 0123 then, 4567 now"));
}

static void unfinished_runs_are_compared_as_far_as_they_go(void **state)
{
    (void)state;
    temp_write(temp_path(now, "metrics.csv"),
               "epoch,return_mean,critic_loss,score\n1,10.5,0.25,1\n2,11.5,0.5,2\n3,1");
    assert_int_equal(unlink(temp_path(now, "policy.h5")), 0);
    expect(true, "2 epochs of metrics; the policy was not compared: one of the runs has not ended");
    put_policy(now, 2, 5);
    expect(true, "the policy was not compared: the two are of different epochs");
    assert_int_equal(unlink(temp_path(now, "metrics.csv")), 0);
    expect(true, "same bits: dataset, model");
    assert_int_equal(p.epochs_then, 3);
}

static void recorded_digests_stand_for_files_that_are_gone(void **state)
{
    (void)state;
    assert_int_equal(unlink(temp_path(then, "policy.h5")), 0);
    expect(true, "policy ");
    assert_int_equal(p.parts[PART_POLICY].state, PART_SAME);
    put_policy(now, 3, 2);
    expect(false, "first in the policy");
}

static void a_file_that_was_changed_is_told(void **state)
{
    (void)state;
    temp_write(temp_path(then, "penalty.txt"), "v\n");
    expect(false, "first in the penalty report");
    expect_report("then's file was changed after its run had ended");
}

static void damage_and_strangers_are_refused(void **state)
{
    (void)state;
    temp_write(temp_path(now, "policy.h5"), "no policy");
    assert_int_equal(parting_find(then, now, &p), ERR_FORMAT);
    temp_write(temp_path(now, "manifest.json"), "{");
    assert_int_equal(parting_find(then, now, &p), ERR_FORMAT);
    assert_int_equal(parting_find(then, dir, &p), ERR_USAGE);
    assert_non_null(strstr(status_reason(), "used.yaml"));
}

static void a_comparison_may_fail_anywhere(void **state)
{
    (void)state;
    const int64_t blocks = mem_count();
    Status st = ERR_IO;

    put_model(now, 8);
    put_policy(now, 3, 2);
    const int64_t before = mem_count();
    for (int64_t k = 1; st != OK && k < 1000; k++) {
        file_fail_at(k, EIO);
        st = parting_find(then, now, &p);
        file_fail_at(0, 0);
        assert_true(st == OK || st == ERR_IO);
        assert_int_equal(mem_count(), before);
    }
    assert_int_equal(st, OK);
    st = ERR_NOMEM;
    put_model(now, 7); /* to use a model there must be memory */
    for (int64_t k = 1; st != OK && k < 1000; k++) {
        mem_fail_at(k);
        st = parting_find(then, now, &p);
        mem_fail_at(0);
        assert_true(st == OK || st == ERR_NOMEM);
        assert_int_equal(mem_count(), before);
    }
    assert_int_equal(st, OK);
    assert_int_equal(blocks, before);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_dir, remove_dir)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(equal_runs_agree),
        TEST(the_first_number_that_differs_is_named),
        TEST(columns_are_found_by_name),
        TEST(an_earlier_part_comes_first),
        TEST(what_is_not_as_it_was_may_be_the_cause),
        TEST(other_settings_are_the_cause),
        TEST(another_dataset_is_the_first_part),
        TEST(unfinished_runs_are_compared_as_far_as_they_go),
        TEST(recorded_digests_stand_for_files_that_are_gone),
        TEST(a_file_that_was_changed_is_told),
        TEST(damage_and_strangers_are_refused),
        TEST(a_comparison_may_fail_anywhere),
    };
    tables_register();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
