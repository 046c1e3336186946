/* forecast, plan_report: seconds of phases from made-up unit costs, worked out by hand; what is printed of them. */
#include "support/check.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "run/plan_report.h"

/* 7 members, 1,000 training rows in batches of 100: 10 steps a pass. */
static Workload work(void)
{
    return (Workload){.rows = 1200,
                      .needs_model = true,
                      .uses_model = true,
                      .members = 7,
                      .elites = 5,
                      .model_batch = 100,
                      .model_shards = 2,
                      .train_rows = 1000,
                      .hold_rows = 200,
                      .passes = 3,
                      .predict_rows = 300,
                      .truth_rows = 100,
                      .epochs = 4,
                      .updates = 100,
                      .shards = 4,
                      .units = 8,
                      .lag = 1,
                      .rollout_rows = 800,
                      .episodes = 10,
                      .episode_steps = 50,
                      .eval_every = 1,
                      .checkpoint_every = 1};
}

static UnitCost cost(void)
{
    return (UnitCost){.update = 1,
                      .update_fixed = 0.2,
                      .rollout = 0.05,
                      .eval = 0.02,
                      .fit_open = 2,
                      .fit_member = 0.5,
                      .fit_step = 3,
                      .fit_step_fixed = 1,
                      .holdout = 0.01,
                      .predict = 0.1,
                      .truth = 0.2,
                      .load = 0.01,
                      .save = 5};
}

static void one_rank_takes_the_sum_of_its_parts(void **state)
{
    (void)state;
    const Workload w = work();
    const UnitCost c = cost();
    const Forecast f = forecast_run(&w, &c, 1, 0);
    const double rollout = 800 * 0.05;
    const double eval = 10 * 50 * 0.02;

    assert_int_equal(f.learners, 1);
    CHECK_NEAR(f.load, 1200 * 0.01, 1e-12, 0);
    CHECK_NEAR(forecast_pass(&w, &c, 1), 7 * (10 * 3 + 200 * 0.01), 1e-12, 0);
    CHECK_NEAR(f.fit, 2 + 7 * 0.5 + 3 * 7 * 32.0, 1e-12, 0);
    CHECK_NEAR(f.reports, 2 + 300 * 0.1 + 100 * 0.2, 1e-12, 0);
    CHECK_NEAR(f.prepare, rollout, 1e-12, 0); /* the rows of epoch 1 */
    CHECK_NEAR(f.epoch, 100 + 5 + rollout + eval, 1e-12, 0);
    CHECK_NEAR(f.epochs, 4 * (100 + 5 + rollout) + 4 * eval, 1e-12, 0);
    CHECK_NEAR(f.total, f.load + f.fit + f.reports + f.prepare + f.epochs, 1e-12, 0);
    CHECK_NEAR(f.speedup, 1, 0, 0);
}

static void a_worker_rolls_out_while_the_learner_learns(void **state)
{
    (void)state;
    Workload w = work();
    const UnitCost c = cost();

    CHECK_NEAR(forecast_epoch(&w, &c, 2, 1, true), 105, 1e-12, 0); /* rollouts and episodes: 50 */
    w.lag = 0;                                                     /* the rows first */
    CHECK_NEAR(forecast_epoch(&w, &c, 2, 1, true), 105 + 40, 1e-12, 0);
    w.lag = 1;
    w.updates = 10;
    CHECK_NEAR(forecast_epoch(&w, &c, 2, 1, true), 50, 1e-12, 0);
    CHECK_NEAR(forecast_epoch(&w, &c, 2, 1, false), 40, 1e-12, 0);
}

static void learners_share_what_is_not_fixed(void **state)
{
    (void)state;
    Workload w = work();
    UnitCost c = cost();

    w.gradient_bytes = 10;
    c.latency = 0.01;
    c.byte = 0.002; /* a sum with one partner: 0.03 */
    CHECK_NEAR(forecast_epoch(&w, &c, 4, 2, false), 100 * (0.2 + 0.4 + 0.03) + 5, 1e-12, 0.06);
    CHECK_NEAR(forecast_epoch(&w, &c, 8, 4, false), 100 * (0.2 + 0.2 + 0.06) + 5, 1e-12, 0.2);
    assert_int_equal(forecast_run(&w, &c, 8, 0).learners, 4);
    w.learners_wanted = 2; /* ranks.learners */
    assert_int_equal(forecast_run(&w, &c, 8, 0).learners, 2);
    c.latency = 10; /* then nobody shares */
    w.learners_wanted = 0;
    assert_int_equal(forecast_run(&w, &c, 8, 0).learners, 1);
}

static void a_pass_takes_as_long_as_its_busiest_rank(void **state)
{
    (void)state;
    const Workload w = work();
    const UnitCost c = cost();
    const double alone = 10 * 3 + 2;
    const double shared = 10 * (1 + 2 / 2.0) + 2; /* a team of two, two shards */

    CHECK_NEAR(forecast_pass(&w, &c, 2), 3 * alone + shared, 1e-12, 0); /* the seventh is shared */
    CHECK_NEAR(forecast_pass(&w, &c, 3), 2 * alone + shared, 1e-12, 0);
    CHECK_NEAR(forecast_pass(&w, &c, 4), 2 * alone, 1e-12, 0);
    CHECK_NEAR(forecast_pass(&w, &c, 7), alone, 1e-12, 0);
    CHECK_NEAR(forecast_pass(&w, &c, 13), alone, 1e-12, 0);
    CHECK_NEAR(forecast_pass(&w, &c, 14), shared, 1e-12, 0);
    CHECK_NEAR(forecast_pass(&w, &c, 64), shared, 1e-12, 0); /* no more shards */
}

static void what_a_run_has_not_costs_nothing(void **state)
{
    (void)state;
    Workload w = work();
    const UnitCost c = {.update = 1, .update_fixed = 0.2, .eval = 0.02};

    w.needs_model = w.uses_model = false;
    w.rollout_rows = 0;
    w.lag = 0;
    w.eval_every = 3; /* after epochs 3 and 4 */
    const Forecast f = forecast_run(&w, &c, 1, 0);
    CHECK_NEAR(f.total, 4 * 100 + 2 * 10, 1e-12, 0);
    CHECK_NEAR(f.fit + f.reports + f.prepare + f.load, 0, 0, 0);
    w.prepare_updates = 50;
    assert_true(forecast_run(&w, &(UnitCost){.prepare = 2}, 1, 0).total == 100);
    w.collect_rows = 10; /* played by all ranks, written by one */
    const UnitCost collected = {.collect = 8, .store = 1};
    CHECK_NEAR(forecast_run(&w, &collected, 4, 1).load, 30, 1e-12, 0);
}

static void the_last_efficient_number_is_chosen(void **state)
{
    (void)state;
    const Forecast f[] = {{.ranks = 1, .efficiency = 1},
                          {.ranks = 2, .efficiency = 0.9},
                          {.ranks = 4, .efficiency = 0.45},
                          {.ranks = 8, .efficiency = 0.55},
                          {.ranks = 16, .efficiency = 0.3}};
    assert_int_equal(forecast_choose(f, 5, 0.5), 3);
    assert_int_equal(forecast_choose(f, 5, 0.99), 0);
}

static void durations_read_well(void **state)
{
    (void)state;
    static const struct {
        double seconds;
        const char *text, *limit;
    } rows[] = {
        {0.04, "0.0 s", "00:05:00"},        {9.94, "9.9 s", "00:05:00"},
        {9.96, "10 s", "00:05:00"},         {59.6, "1 min 00 s", "00:05:00"},
        {240, "4 min 00 s", "00:05:00"},    {241, "4 min 01 s", "00:10:00"},
        {3599.7, "1 h 00 min", "01:15:00"}, {7500, "2 h 05 min", "02:40:00"},
        {90000, "1 d 01 h", "31:15:00"},    {400000, "4 d 15 h", "138:55:00"},
    };
    char text[DURATION_MAX];

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        plan_duration(rows[i].seconds, text);
        assert_string_equal(text, rows[i].text);
        plan_time_limit(rows[i].seconds, text);
        assert_string_equal(text, rows[i].limit);
    }
    assert_int_equal(plan_memory_limit(100 * 1048576.0), 128);
    assert_int_equal(plan_memory_limit(103 * 1048576.0), 192);
}

/* Two runs, of which the first is the better one. */
static PlanReport report(const Config *config)
{
    return (PlanReport){
        .cfg = config,
        .work = work(),
        .cost = cost(),
        .count = 2,
        .run = {{.f = {.ranks = 4, .learners = 2, .total = 3000}, .rank_bytes = 200 * 1048576.0},
                {.f = {.ranks = 16, .learners = 4, .total = 1000}, .rank_bytes = 100 * 1048576.0}},
        .terms = 1,
        .term = {{.name = "dataset", .bytes = 1048576, .shared = true}}};
}

static void sbatch_gets_limits_and_the_words(void **state)
{
    (void)state;
    static Config config;
    PlanReport p = report(&config);
    char *const words[] = {(char[]){"configs/demo.yaml"}, (char[]){"run_dir=runs/x"},
                           (char[]){"dataset=my data.hdf5"}, (char[]){"seed=3"},
                           (char[]){"task=it's"}};
    char data[512];
    Text text = text_over(data, sizeof data);

    plan_report_slurm(&p, 5, words, &text);
    assert_string_equal(data, "sbatch --ntasks=4 --time=01:05:00 --mem-per-cpu=256M "
                              "slurm/train.sbatch configs/demo.yaml 'dataset=my data.hdf5' seed=3 "
                              "'task=it'\\''s' ranks.learners=2\n");
    p.wanted = 16;
    p.work.learners_wanted = 4; /* the words or the file say it */
    text = text_over(data, sizeof data);
    plan_report_slurm(&p, 0, NULL, &text);
    assert_string_equal(data, "sbatch --ntasks=16 --time=00:25:00 --mem-per-cpu=128M "
                              "slurm/train.sbatch\n");
}

static void text_and_json_have_it_all(void **state)
{
    (void)state;
    static Config config;
    static char data[PLAN_TEXT_MAX];
    Text text = text_over(data, sizeof data);

    config_default(&config);
    PlanReport p = report(&config);
    plan_report_text(&p, &text);
    assert_false(text.cut);
    assert_non_null(strstr(data, "an update, all shards on one rank"));
    assert_null(strstr(data, "the termination rule")); /* has no cost here */
    assert_non_null(strstr(data, "Take 4 ranks: 50 min 00 s, 3.3 core hours"));
    assert_null(strstr(data, " \n"));

    json_t *all = plan_report_json(&p);
    assert_non_null(all);
    assert_int_equal(json_integer_value(json_object_get(all, "recommended_ranks")), 4);
    assert_int_equal(json_array_size(json_object_get(all, "runs")), 2);
    CHECK_NEAR(json_real_value(json_object_get(json_object_get(all, "unit_seconds"), "fit_step")),
               3, 0, 0);
    json_decref(all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_rank_takes_the_sum_of_its_parts),
        cmocka_unit_test(a_worker_rolls_out_while_the_learner_learns),
        cmocka_unit_test(learners_share_what_is_not_fixed),
        cmocka_unit_test(a_pass_takes_as_long_as_its_busiest_rank),
        cmocka_unit_test(what_a_run_has_not_costs_nothing),
        cmocka_unit_test(the_last_efficient_number_is_chosen),
        cmocka_unit_test(durations_read_well),
        cmocka_unit_test(sbatch_gets_limits_and_the_words),
        cmocka_unit_test(text_and_json_have_it_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
