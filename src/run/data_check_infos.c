/* infos/qpos and infos/qvel: not used by training, but by tools that set a simulator from them. */
#include <math.h>

#include "base/mem.h"
#include "run/data_check_internal.h"

enum { INFO_ROWS = 200 };
/* Most numbers must agree: torso heights are older than the state by a substep, quaternions are
 * recorded before they are normalized. */
static const double most_columns = 0.7;
static const double info_slack = 1e-3;

static bool constant_rows(const double *x, int64_t rows, int cols)
{
    bool constant = true;
    for (int64_t i = cols; i < rows * cols && constant; i++) {
        constant = x[i] == x[i % cols];
    }
    return constant;
}

/* Whether a state is the observation of a row. */
static bool shows(const Check *c, const float *s, int64_t row)
{
    const double *want = row_of(c->rec->observations, row, c->rec->state_dim);
    const int n = replay_columns(&c->task);
    int agree = 0;

    for (int j = 0; j < n; j++) {
        agree += fabs((double)s[j] - want[j]) <= info_slack * (1 + fabs(want[j]));
    }
    return agree >= most_columns * n;
}

/* Of rows spread over the file, how many hold in infos what row - 1, row and row + 1 observed. */
static Status count_shown(const Check *c, int64_t shown[3], int64_t *tried)
{
    Status st = OK;
    Env *env = NULL;
    float *s = NULL;
    const Recording *rec = c->rec;
    const int64_t rows = c->samples < INFO_ROWS ? c->samples : INFO_ROWS;

    *tried = 0;
    TRY(mem_alloc(&s, (size_t)c->task.state_dim, sizeof *s, "a row"));
    TRY(c->task.open(&env, &c->task));
    for (int64_t k = 0; k < rows; k++) {
        const int64_t row = c->sample[k * c->samples / rows];
        if (row == 0 || row + 1 == rec->rows) {
            continue;
        }
        *tried += 1;
        if (c->task.set_state(env, row_of(rec->qpos, row, rec->nq),
                              row_of(rec->qvel, row, rec->nv)) == OK) {
            c->task.observe(env, s);
            for (int by = -1; by <= 1; by++) {
                shown[by + 1] += shows(c, s, row + by);
            }
        }
    }
done:
    if (env != NULL) {
        c->task.close(env);
    }
    mem_free(&s);
    return st;
}

Status check_infos(Check *c)
{
    Status st = OK;
    const Recording *rec = c->rec;
    int64_t shown[3] = {0};
    int64_t tried = 0;

    if (rec->qpos == NULL || rec->qvel == NULL || rec->rows < 3) {
        return OK;
    }
    if (constant_rows(rec->qpos, rec->rows, rec->nq) ||
        constant_rows(rec->qvel, rec->rows, rec->nv)) {
        (void)found(c, SEVERITY_WARNING,
                    "infos/qpos or infos/qvel is the same in all rows (as in D4RL's v1 sets): "
                    "training does not read them, but no simulator can be set from them");
        return OK;
    }
    if (!c->has_task || rec->nq != c->task.nq || rec->nv != c->task.nv) {
        return OK;
    }
    TRY(count_shown(c, shown, &tried));
    const int best = shown[0] > shown[2] ? -1 : 1;
    const int64_t moved = best < 0 ? shown[0] : shown[2];
    if ((double)shown[1] >= 0.9 * (double)tried) {
        goto done;
    }
    if ((double)moved >= 0.8 * (double)tried) {
        (void)found(c, SEVERITY_WARNING,
                    "infos/qpos and infos/qvel of row i are the state of row i%+d (D4RL's v2 sets "
                    "before July 2021): training does not read them; shift them before use",
                    best);
    } else {
        (void)found(c, SEVERITY_WARNING,
                    "infos/qpos and infos/qvel show as the observation of their row in %.0f %% of "
                    "%lld rows: training does not read them; do not set a simulator from them",
                    100 * (double)shown[1] / (double)tried, (long long)tried);
    }
done:
    return st;
}
