/* Steps and rewards against the task's simulator, and what may be behind those that differ. */
#include <math.h>

#include "base/mem.h"
#include "run/data_check_columns.h"
#include "run/data_check_internal.h"

/* On our own random recordings all states fit, and 99.8 % of the rewards of Ant, which is the worst
 * (2000 rows each). The rest is room for hard landings and for recordings of other simulators. */
static const double share_right = 0.97;

bool is_most(int64_t some, int64_t all)
{
    return (double)some >= share_right * (double)all;
}

Status check_dynamics(Check *c)
{
    Status st = OK;
    RowList rows = {0};
    char why[256] = "";
    const double fits = share(c->replay.state_fits, c->replay.compared);

    if (!c->has_task || is_most(c->replay.state_fits, c->replay.compared)) {
        return OK;
    }
    for (int64_t k = 0; k < c->replay.count; k++) {
        if (c->replay.rows[k].compared && !c->replay.rows[k].state_fits) {
            rowlist_add(&rows, c->replay.rows[k].row);
        }
    }
    if (!c->trusted) {
        TRY(explain_columns(c, why, sizeof why));
    }
    rowlist_give(&rows, found(c, SEVERITY_ERROR,
                              "of %lld rows tried, the simulator of %s leads to the recorded s' in "
                              "%.1f %% only%s%s",
                              (long long)c->replay.compared, c->task.name, 100 * fits,
                              why[0] != '\0' ? ": " : "", why));
done:
    return st;
}

/* How many rewards fit when they are taken from the row `by` further on, as a share. */
static double share_moved(const Check *c, int by)
{
    int64_t tried = 0;
    int64_t fits = 0;

    for (int64_t k = 0; k < c->replay.count; k++) {
        const ReplayRow *r = &c->replay.rows[k];
        if (r->row + by >= 0 && r->row + by < c->rec->rows) {
            tried++;
            fits += fabs(c->rec->rewards[r->row + by] - r->reward) <= r->slack;
        }
    }
    return share(fits, tried);
}

/* reward of the file = slope * the task's + offset: medians over pairs of rows (Theil and Sen), which
 * a few other rows do not move. Share of the rows that it explains. */
static Status fit_line(const Check *c, double *slope, double *offset, double *explained)
{
    Status st = OK;
    double *values = NULL;
    const ReplayRow *r = c->replay.rows;
    const int64_t n = c->replay.count;
    int64_t count = 0;
    int64_t fits = 0;

    TRY(mem_alloc(&values, (size_t)n + 1, sizeof *values, "slopes"));
    for (int64_t k = 0; k < n; k++) {
        const int64_t m = (k + n / 2) % n;
        const double run = r[k].reward - r[m].reward;
        if (fabs(run) > 10 * r[k].slack) {
            values[count++] = (c->rec->rewards[r[k].row] - c->rec->rewards[r[m].row]) / run;
        }
    }
    *slope = count > 0 ? median_of(values, count) : 1;
    for (int64_t k = 0; k < n; k++) {
        values[k] = c->rec->rewards[r[k].row] - *slope * r[k].reward;
    }
    *offset = median_of(values, n);
    for (int64_t k = 0; k < n; k++) {
        const double want = *slope * r[k].reward + *offset;
        fits += fabs(c->rec->rewards[r[k].row] - want) <= 2 * fmax(1, fabs(*slope)) * r[k].slack;
    }
    *explained = share(fits, n);
done:
    mem_free(&values);
    return st;
}

static Status explain_rewards(const Check *c, char *why, size_t size)
{
    Status st = OK;
    Text text = text_over(why, size);
    double slope = 1;
    double offset = 0;
    double explained = 0;

    for (int by = -1; by <= 1; by += 2) {
        if (share_moved(c, by) > 0.9) {
            text_add(&text, ": they stand one row too %s; move them in the file",
                     by < 0 ? "early" : "late");
            return OK;
        }
    }
    TRY(fit_line(c, &slope, &offset, &explained));
    const bool other = fabs(slope - 1) > 1e-3 || fabs(offset) > c->replay.rows[0].slack;
    if (explained > 0.9 && fabs(slope) > 1e-6 && other) {
        text_add(&text,
                 ": they are %.4g times the task's%s%.4g; harmless if wanted, but returns and "
                 "scores are no longer the task's, and lambda counts in their unit",
                 slope, offset < 0 ? " - " : " + ", fabs(offset));
    } else {
        text_add(&text, ": another reward, or rows that are wrong; `mopo data relabel` computes "
                        "the task's");
    }
done:
    return st;
}

Status check_rewards(Check *c)
{
    Status st = OK;
    RowList rows = {0};
    char why[256] = "";
    const double fits = share(c->replay.reward_fits, c->replay.count);

    if (!c->has_task || !c->trusted || is_most(c->replay.reward_fits, c->replay.count)) {
        return OK;
    }
    for (int64_t k = 0; k < c->replay.count; k++) {
        if (!c->replay.rows[k].reward_fits) {
            rowlist_add(&rows, c->replay.rows[k].row);
        }
    }
    TRY(explain_rewards(c, why, sizeof why));
    rowlist_give(&rows, found(c, SEVERITY_ERROR,
                              "of %lld rows tried, %.1f %% have the reward of task %s%s",
                              (long long)c->replay.count, 100 * fits, c->task.name, why));
done:
    return st;
}
