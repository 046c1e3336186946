#include "run/penalty_report.h"

#include <math.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "base/panic.h"
#include "base/text.h"
#include "run/penalty_survey.h"

enum { REPORT_MAX = 1 << 14, QUANTILES = 6 };

static const char *const words[] = {[SURVEY_DATA] = "data", [SURVEY_RANDOM] = "uniform"};

static bool is_halt(const Session *s, const Penalty *penalty)
{
    return penalty == s->roll.penalty && penalty->halts;
}

/* The lambda at which the median of lambda u is `share` of the rewards' deviation. */
static double lambda_of(const Survey *survey, int i, double share)
{
    const double median = sorted_quantile(survey_u(survey, SURVEY_DATA, i), 0.5);
    return median > 0 && survey->reward.std > 0 ? share * survey->reward.std / median : (double)NAN;
}

/* ---- the file ---- */

static void add_head(Text *text, const Session *s, const Survey *survey)
{
    text_add(
        text,
        "# u(s, a) of the fitted model on %lld of the %lld dataset rows, evenly spaced.\n"
        "# actions: data = as recorded, uniform = drawn from [-1, 1] in the same states.\n"
        "# lambda10, lambda100: penalty.lambda at which the median of lambda u is 10 %%, 100 %% "
        "of the rewards' std.\n"
        "# above: share of u beyond the threshold of this run's penalty, if it halts.\n",
        (long long)survey->rows, (long long)s->data.rows);
    for (int i = 0; i < survey->penalties; i++) {
        if (survey_measured(s, penalty_row(i))) {
            text_add(text, "# unit of %s: %s\n", penalty_row(i)->name, penalty_row(i)->unit);
        }
    }
    if (s->roll.penalty->halts) {
        text_add(text, "# threshold of %s: %.9g\n", s->roll.penalty->name,
                 (double)s->roll.halt.threshold);
    }
    text_add(text, "%-12s %-7s %6s %12s %12s %12s %12s %12s %12s %12s %12s %12s %12s %12s %12s\n",
             "name", "actions", "finite", "mean", "std", "q5", "q25", "q50", "q75", "q95", "q99",
             "max", "lambda10", "lambda100", "above");
}

static void add_line(Text *text, const char *name, const char *actions, const Sorted *x,
                     double lambda10, double lambda100, double above)
{
    static const double q[QUANTILES] = {0.05, 0.25, 0.5, 0.75, 0.95, 0.99};

    text_add(text, "%-12s %-7s %6lld %12.6g %12.6g", name, actions, (long long)x->n, x->mean,
             x->std);
    for (int i = 0; i < QUANTILES; i++) {
        text_add(text, " %12.6g", sorted_quantile(x, q[i]));
    }
    text_add(text, " %12.6g %12.6g %12.6g %12.6g\n", x->max, lambda10, lambda100, above);
}

static Status write_file(const Session *s, const Survey *survey, const RunDir *dir)
{
    char data[REPORT_MAX];
    char path[RUNDIR_PATH_MAX];
    Text text = text_over(data, sizeof data);
    const double none = (double)NAN;

    add_head(&text, s, survey);
    add_line(&text, "reward", words[SURVEY_DATA], &survey->reward, none, none, none);
    for (int i = 0; i < survey->penalties; i++) {
        const Penalty *penalty = penalty_row(i);
        for (SurveyActions a = SURVEY_DATA; survey_measured(s, penalty) && a < SURVEY_ACTIONS;
             a++) {
            const Sorted *u = survey_u(survey, a, i);
            const bool known = a == SURVEY_DATA && !penalty->halts;
            add_line(&text, penalty->name, words[a], u, known ? lambda_of(survey, i, 0.1) : none,
                     known ? lambda_of(survey, i, 1) : none,
                     is_halt(s, penalty) ? sorted_above(u, (double)s->roll.halt.threshold) : none);
        }
    }
    REQUIRE(!text.cut);
    return file_write(rundir_file(dir, "penalty.txt", path), text.data, text.used);
}

/* ---- the log ---- */

static int row_number(const Penalty *penalty)
{
    int i = 0;
    while (penalty_row(i) != penalty) {
        i++;
    }
    return i;
}

static void log_quantiles(const Survey *survey, int i)
{
    const Sorted *data = survey_u(survey, SURVEY_DATA, i);
    const Sorted *random = survey_u(survey, SURVEY_RANDOM, i);

    log_info("penalty %s on %lld rows of the data: median u %.3g, 99 %% %.3g, largest %.3g; with "
             "uniform "
             "actions %.3g, %.3g, %.3g",
             penalty_row(i)->name, (long long)survey->rows, sorted_quantile(data, 0.5),
             sorted_quantile(data, 0.99), data->max, sorted_quantile(random, 0.5),
             sorted_quantile(random, 0.99), random->max);
}

static void log_lambda(const Session *s, const Survey *survey, int i)
{
    const Sorted *u = survey_u(survey, SURVEY_DATA, i);
    const double lambda = s->cfg.penalty.lambda;
    const double std = survey->reward.std;
    const double median = lambda * sorted_quantile(u, 0.5);
    const double high = lambda * sorted_quantile(u, 0.99);

    if (!(std > 0)) {
        log_info("lambda %g takes %.3g a step of the data (median) to %.3g (99 %%); the rewards of "
                 "the dataset are all the same (penalty.txt)",
                 lambda, median, high);
        return;
    }
    log_info(
        "lambda %g takes %.3g a step of the data (median; %.3g %% of the rewards' deviation %.3g) "
        "to %.3g (99 %%); the median is 10 %% of that deviation at lambda %.3g, all of it at %.3g "
        "(penalty.txt)",
        lambda, median, 100 * median / std, std, high, lambda_of(survey, i, 0.1),
        lambda_of(survey, i, 1));
}

static void write_log(const Session *s, const Survey *survey)
{
    const Penalty *penalty = s->roll.penalty;
    const int i = row_number(penalty);

    if (!survey_measured(s, penalty)) {
        log_info(
            "penalty %s: the model's rewards are taken as they are; what others would take stands "
            "in penalty.txt",
            penalty->name);
        return;
    }
    log_quantiles(survey, i);
    if (penalty->halts) {
        const double threshold = (double)s->roll.halt.threshold;
        log_info(
            "above the threshold %.4g: %.3g %% of the data's rows, %.3g %% with uniform actions "
            "(penalty.txt)",
            threshold, 100 * sorted_above(survey_u(survey, SURVEY_DATA, i), threshold),
            100 * sorted_above(survey_u(survey, SURVEY_RANDOM, i), threshold));
    } else {
        log_lambda(s, survey, i);
    }
}

Status penalty_report(Session *s, const RunDir *dir)
{
    Status st = OK;
    Survey survey = {0};
    char path[RUNDIR_PATH_MAX];
    int there = comm_rank() == 0 && file_exists(rundir_file(dir, "penalty.txt", path)) ? 1 : 0;

    coll_bcast(&there, sizeof there, 0);
    if (there != 0) {
        return OK;
    }
    TRY(survey_make(&survey, s));
    if (comm_rank() == 0) {
        write_log(s, &survey);
        st = write_file(s, &survey, dir);
    }
    st = comm_agree(st);
done:
    survey_release(&survey);
    return st;
}
