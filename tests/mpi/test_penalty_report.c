/* The survey of penalties and the report of the models over ranks: against the ensemble asked row by row. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "comm/comm.h"
#include "model/ensemble_fit.h"
#include "nn/gemm.h"
#include "run/collect_job.h"
#include "run/model_report.h"
#include "run/penalty_report.h"
#include "run/penalty_survey.h"
#include "run/tables.h"
#include "support/mpi_check.h"
#include "support/temp_dir.h"

enum { ROWS = 1234 }; /* no multiple of a piece */

static char folder[TEMP_PATH_MAX];
static Session s;

/* An ensemble with its first weights on a dataset of random actions. */
static void open_session_of(const char *penalty, int elites)
{
    Config c;

    config_default(&c);
    (void)snprintf(c.top.task, sizeof c.top.task, "pointmass");
    (void)snprintf(c.top.dataset, sizeof c.top.dataset, "%s/data.hdf5", folder);
    (void)snprintf(c.penalty.type, sizeof c.penalty.type, "%s", penalty);
    c.model.members = 3;
    c.model.elites = elites;
    c.model.hidden = 16;
    c.model.layers = 2;
    c.sac.hidden = 16;
    MPI_CHECK_OK(session_open(&s, &c));
    ensemble_choose_elites(&s.ens);
    ensemble_freeze(&s.ens);
}

static void open_session(const char *penalty)
{
    open_session_of(penalty, 2);
}

/* u of dataset row k, from a prediction of one row: the products of other shapes differ by rounding. */
static double u_of(const Penalty *penalty, int64_t k)
{
    enum { OUTS = 3 * 5 };
    float mean[OUTS];
    float std[OUTS];
    float u = 0;
    const float *row = s.data.records + (size_t)k * s.data.rec.stride;

    ensemble_predict(&s.ens, row, 1, &s.tmp, mean, std);
    const PenaltyIn in = {.mean = mean, .std = std, .rows = 1, .members = 3, .outs = 5};
    penalty->eval(&in, &u);
    return (double)u;
}

static void the_threshold_is_the_largest_of_the_data(void)
{
    double most = 0;

    open_session("halt");
    for (int64_t k = 0; k < s.data.rows; k++) {
        most = fmax(most, u_of(penalty_find("pairwise"), k));
    }
    MPI_CHECK(s.roll.halt.threshold > 1e30F); /* nothing halts before it is known */
    MPI_CHECK_OK(survey_threshold(&s));
    MPI_CHECK_NEAR(s.roll.halt.threshold, most / 3, 1e-5, 0);
    const float found = s.roll.halt.threshold;
    MPI_CHECK_OK(survey_threshold(&s)); /* as a resumed run does */
    MPI_CHECK(s.roll.halt.threshold == found);
    s.cfg.penalty.halt_threshold = 0.25;
    s.roll.halt.threshold = 0.25F;
    MPI_CHECK_OK(survey_threshold(&s));
    MPI_CHECK(s.roll.halt.threshold == 0.25F);
    session_close(&s);
}

static void without_a_finite_u_there_is_no_threshold(void)
{
    open_session("halt");
    for (int i = 0; i < 3; i++) {
        float *bias = ensemble_member(&s.ens, i) + mlp_matrix(&s.ens.net, s.ens.cfg.layers, 0).bias;
        bias[1] = (float)NAN;
    }
    ensemble_freeze(&s.ens);
    MPI_CHECK(survey_threshold(&s) == ERR_NUMERIC);
    MPI_CHECK(strstr(status_reason(), "no threshold") != NULL);
    session_close(&s);
}

static int number_of(const char *penalty)
{
    int i = 0;
    while (penalty_row(i) != penalty_find(penalty)) {
        i++;
    }
    return i;
}

static void the_survey_sees_every_row_once(void)
{
    Survey survey;
    double sum = 0;
    double reward = 0;

    open_session("max_std");
    const int64_t before = mem_count();
    MPI_CHECK_OK(survey_make(&survey, &s));
    const Sorted *u = survey_u(&survey, SURVEY_DATA, number_of("max_std"));
    for (int64_t k = 0; k < s.data.rows; k++) {
        sum += u_of(penalty_find("max_std"), k);
        reward += (double)s.data.records[(size_t)k * s.data.rec.stride + s.data.rec.r];
    }
    MPI_CHECK(survey.rows == s.data.rows && u->n == s.data.rows);
    MPI_CHECK_NEAR(u->mean, sum / (double)u->n, 1e-5, 0);
    MPI_CHECK_NEAR(survey.reward.mean, reward / (double)survey.rows, 1e-12, 1e-12);
    for (int64_t k = 1; k < u->n; k++) {
        MPI_CHECK(u->x[k - 1] <= u->x[k]);
    }
    MPI_CHECK(u->max == u->x[u->n - 1]);
    const Sorted *random = survey_u(&survey, SURVEY_RANDOM, number_of("max_std"));
    MPI_CHECK(random->n == u->n && random->mean != u->mean);
    MPI_CHECK(survey_u(&survey, SURVEY_DATA, number_of("none"))->n == 0);
    MPI_CHECK(survey_u(&survey, SURVEY_DATA, number_of("oracle"))->n == u->n);
    survey_release(&survey);
    MPI_CHECK(mem_count() == before);
    session_close(&s);
}

/* numpy.quantile([1, 2, 4, 8], q) */
static void quantiles_are_those_of_numpy(void)
{
    double x[] = {1, 2, 4, 8};
    const Sorted sorted = {.x = x, .n = 4};
    const Sorted one = {.x = x, .n = 1};
    const Sorted none = {.x = x, .n = 0};

    MPI_CHECK_NEAR(sorted_quantile(&sorted, 0), 1, 0, 0);
    MPI_CHECK_NEAR(sorted_quantile(&sorted, 0.5), 3, 1e-15, 0);
    MPI_CHECK_NEAR(sorted_quantile(&sorted, 0.95), 7.4, 1e-15, 0);
    MPI_CHECK_NEAR(sorted_quantile(&sorted, 1), 8, 0, 0);
    MPI_CHECK_NEAR(sorted_quantile(&one, 0.3), 1, 0, 0);
    MPI_CHECK(isnan(sorted_quantile(&none, 0.5)) && isnan(sorted_above(&none, 0)));
    MPI_CHECK_NEAR(sorted_above(&sorted, 2), 0.5, 0, 0);
}

static double reward_std;
static int checked;

/* The columns that say what lambda means, from the line's own quantiles and u asked row by row. */
static void check_line(const char *line)
{
    double x[13]; /* finite .. max, lambda10, lambda100, above */
    char name[32];
    char actions[32];

    if (sscanf(line, "%31s %31s %lf %lf %lf %lf %lf %lf %lf %lf %lf %lf %lf %lf %lf", name, actions,
               &x[0], &x[1], &x[2], &x[3], &x[4], &x[5], &x[6], &x[7], &x[8], &x[9], &x[10], &x[11],
               &x[12]) != 15) {
        return;
    }
    if (strcmp(name, "reward") == 0) {
        reward_std = x[2];
    } else if (strcmp(name, "max_std") == 0 && strcmp(actions, "data") == 0) {
        MPI_CHECK_NEAR(x[10], 0.1 * reward_std / x[5], 1e-4, 0);
        MPI_CHECK_NEAR(x[11], reward_std / x[5], 1e-4, 0);
        checked++;
    } else if (strcmp(name, "halt") == 0 && strcmp(actions, "data") == 0) {
        double above = 0;
        for (int64_t k = 0; k < s.data.rows; k++) {
            above += u_of(penalty_find("halt"), k) > 0.5 ? 1.0 / (double)s.data.rows : 0;
        }
        MPI_CHECK(isnan(x[10]));
        MPI_CHECK_NEAR(x[12], above, 0, 2.0 / (double)s.data.rows); /* rounding at the threshold */
        checked++;
    }
}

/* A head, the rewards, and two lines for each penalty but `none`; a second call changes nothing. */
static void the_report_is_written_once(void)
{
    RunDir dir = {.lock.fd = -1};
    unsigned char *text = NULL;
    size_t n = 0;
    int lines = 0;
    int penalties = 0;

    open_session("halt");
    const int64_t before = mem_count();
    (void)snprintf(dir.path, sizeof dir.path, "%s", folder);
    s.roll.halt.threshold = 0.5F;
    MPI_CHECK_OK(penalty_report(&s, comm_rank() == 0 ? &dir : NULL));
    if (comm_rank() == 0) {
        const char *path = temp_path(folder, "penalty.txt");
        MPI_CHECK_OK(file_read(path, 1 << 20, &text, &n));
        for (char *line = strtok((char *)text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
            lines += line[0] != '#' ? 1 : 0;
            check_line(line);
        }
        MPI_CHECK(reward_std > 0 && checked == 2);
        while (penalty_row(penalties) != NULL) {
            penalties++;
        }
        MPI_CHECK(lines == 2 + 2 * (penalties - 1));
        mem_free(&text);
        MPI_CHECK_OK(file_write(path, "mine", 4));
    }
    MPI_CHECK_OK(penalty_report(&s, comm_rank() == 0 ? &dir : NULL));
    if (comm_rank() == 0) {
        MPI_CHECK_OK(file_read(temp_path(folder, "penalty.txt"), 1 << 20, &text, &n));
        MPI_CHECK(n == 4);
        mem_free(&text);
    }
    MPI_CHECK(mem_count() == before);
    session_close(&s);
}

/* One output of the report, y, against a plain loop over the held-out rows: root of the mean square of what
 * the first elite misses, and deviation of the target. */
static void check_output(const FitData *data, const ModelReport *report, int y)
{
    double miss = 0;
    double mean = 0;
    double squares = 0;
    const Record *rec = &data->rec;

    for (int64_t i = 0; i < data->n_hold; i++) {
        float m[3 * 5];
        float sd[3 * 5];
        const float *row = data->records + (size_t)data->order[data->n_train + i] * rec->stride;
        ensemble_predict(&s.ens, row, 1, &s.tmp, m, sd);
        const double now = y == 0 ? 0 : (double)row[y - 1];
        const double target = (double)(y == 0 ? row[rec->r] : row[rec->s2 + (size_t)y - 1]) - now;
        const double off = target + now - (double)m[s.ens.elite[0] * 5 + y];
        miss += off * off / (double)data->n_hold;
        mean += target / (double)data->n_hold;
        squares += target * target / (double)data->n_hold;
    }
    MPI_CHECK_NEAR(report->outputs[y].rmse, sqrt(miss), 1e-4, 0);
    MPI_CHECK_NEAR(report->outputs[y].deviation, sqrt(squares - mean * mean), 1e-4, 0);
}

/* With one elite the oracle is the true error itself, for both kinds of actions. */
static void the_model_report_measures_what_it_says(void)
{
    static ModelReport report;
    FitData data = {0};
    const Config *c;

    open_session_of("max_std", 1);
    c = &s.cfg;
    const int64_t before = mem_count();
    MPI_CHECK_OK(model_report_make(&s, &report));
    MPI_CHECK(mem_count() == before);
    MPI_CHECK_OK(fit_data_init(&data, &s.data.rec, s.data.records, s.data.rows,
                               c->model.holdout_ratio, c->model.holdout_max,
                               (uint64_t)c->top.seed));
    for (int y = 0; y < report.outs; y++) {
        check_output(&data, &report, y);
    }
    const PenaltyQuality *oracle = &report.penalty[number_of("oracle")];
    MPI_CHECK(report.simulated && strcmp(oracle->name, "oracle") == 0 && oracle->oracle);
    for (int k = 0; k < REPORT_CASES; k++) {
        MPI_CHECK_NEAR(oracle->spearman[k], 1, 0, 1e-6);
        MPI_CHECK_NEAR(oracle->pearson[k], 1, 0, 1e-6);
    }
    MPI_CHECK(report.error[0] > 0 && report.error[1] != report.error[0]);
    fit_data_release(&data);
    session_close(&s);
}

/* On the last rank alone, or on the one that writes: all ranks tell it, and nothing stays behind. */
static void failures_are_those_of_all_ranks(void)
{
    RunDir dir = {.lock.fd = -1};
    Survey survey;

    open_session("halt");
    const int64_t before = mem_count();
    (void)snprintf(dir.path, sizeof dir.path, "%s/none", folder);
    for (int k = 1; k <= 3; k++) {
        mem_fail_at(comm_rank() == comm_size() - 1 ? k : 0);
        MPI_CHECK(survey_make(&survey, &s) == ERR_NOMEM);
        mem_fail_at(comm_rank() == comm_size() - 1 && k < 3 ? k : 0);
        MPI_CHECK(survey_threshold(&s) == (k < 3 ? ERR_NOMEM : OK));
        mem_fail_at(0);
    }
    MPI_CHECK(penalty_report(&s, comm_rank() == 0 ? &dir : NULL) == ERR_IO); /* no such folder */
    MPI_CHECK(strstr(status_reason(), "penalty.txt") != NULL);
    MPI_CHECK(mem_count() == before);
    session_close(&s);
}

static void collect(void)
{
    char path[TEMP_PATH_MAX];
    const CollectJob job = {.env = env_find("pointmass"), .seed = 3, .rows = ROWS, .path = path};

    (void)snprintf(path, sizeof path, "%s", temp_path(folder, "data.hdf5"));
    MPI_CHECK_OK(collect_job(&job));
}

int main(int argc, char **argv)
{
    if (comm_open(&argc, &argv) != OK) {
        return 1;
    }
    log_start(comm_rank(), comm_size());
    log_set_level(LOG_QUIET);
    gemm_setup();
    tables_register();
    if (comm_rank() == 0) {
        temp_dir_make(folder);
    }
    coll_bcast(folder, sizeof folder, 0);
    collect();
    MPI_CASE(the_threshold_is_the_largest_of_the_data);
    MPI_CASE(without_a_finite_u_there_is_no_threshold);
    MPI_CASE(the_survey_sees_every_row_once);
    MPI_CASE(quantiles_are_those_of_numpy);
    MPI_CASE(the_report_is_written_once);
    MPI_CASE(the_model_report_measures_what_it_says);
    MPI_CASE(failures_are_those_of_all_ranks);
    if (comm_rank() == 0) {
        temp_dir_remove(folder);
    }
    const int code = mpi_check_end();
    comm_close();
    return code;
}
