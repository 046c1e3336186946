#include "run/replay.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "run/oracle.h"

/* A state in single precision is off by 6e-8 of itself. One step makes up to 4e-5 of it (HalfCheetah,
 * 2000 random rows), and 4e-4 in a tenth of the rows that MuJoCo 1.50 made. With the other inertia
 * it is 5e-3 and more. */
static const double state_slack = 1e-3;
static const double reward_slack = 1e-3;
/* Ant's reward from a state that was set is off by up to 5e-2: the torso's position before the step
 * was read a quarter of a substep early, and the state does not show that. */
static const double late_slack = 0.06;
static const float velocity_limit = 10;

struct Replayer {
    const Recording *rec;
    Oracle oracle;
    const int64_t *starts;
    const ReplayEdit *edit; /* of this call, as `next` */
    ReplayNext next;
    float *s, *s2, *got; /* (S) scratch of one row, as the rest */
    float *a;            /* (A) */
    double *wide;        /* (A) */
};

bool replay_possible(const Recording *rec, const EnvKind *task)
{
    return task != NULL && oracle_possible(task) && rec->state_dim == task->state_dim &&
           rec->act_dim == task->act_dim;
}

int replay_columns(const EnvKind *task)
{
    const int shown = task->nq + task->nv;
    return task->state_dim <= shown ? task->state_dim : shown - 2; /* Ant hides x and y */
}

bool replay_usable(const Recording *rec, int64_t row)
{
    bool yes = isfinite(rec->rewards[row]);
    const double *s = rec->observations + row * rec->state_dim;
    const double *a = rec->actions + row * rec->act_dim;
    const double *s2 =
        rec->next_observations != NULL ? rec->next_observations + row * rec->state_dim : s;

    for (int j = 0; j < rec->state_dim; j++) {
        yes = yes && isfinite(s[j]) && isfinite(s2[j]) && fabsf((float)s[j]) != velocity_limit;
    }
    for (int j = 0; j < rec->act_dim; j++) {
        yes = yes && isfinite(a[j]);
    }
    return yes;
}

int64_t replay_pick(const Recording *rec, int64_t most, int64_t *rows)
{
    const int64_t n = rec->rows < most ? rec->rows : most;
    int64_t count = 0;

    for (int64_t k = 0; k < n; k++) {
        const int64_t row = (int64_t)(((double)k + 0.5) * (double)rec->rows / (double)n);
        if (replay_usable(rec, row)) {
            rows[count++] = row;
        }
    }
    return count;
}

/* ---- one row ---- */

static void edit_state(const ReplayEdit *edit, float *s, int n)
{
    for (int j = 0; j < n && j < 64; j++) {
        if ((edit->scaled >> j & 1U) != 0) {
            s[j] = (float)((double)s[j] * edit->factor);
        }
    }
    const float kept = s[edit->state_a];
    s[edit->state_a] = s[edit->state_b];
    s[edit->state_b] = kept;
}

static void edit_action(const ReplayEdit *edit, float *a, int n)
{
    for (int j = 0; j < n && j < 64; j++) {
        a[j] = (edit->negated >> j & 1U) != 0 ? -a[j] : a[j];
    }
    const float kept = a[edit->action_a];
    a[edit->action_a] = a[edit->action_b];
    a[edit->action_b] = kept;
}

static void narrow(float *to, const double *from, int n)
{
    for (int j = 0; j < n; j++) {
        to[j] = (float)from[j];
    }
}

/* s' of a row into b->s2; false where it is not known. */
static bool take_next(const Replayer *b, int64_t row)
{
    const Recording *rec = b->rec;
    const int S = rec->state_dim;
    const bool ends =
        rec->terminals[row] != 0 || (rec->timeouts != NULL && rec->timeouts[row] != 0);

    if (b->next == REPLAY_NEXT && rec->next_observations != NULL) {
        narrow(b->s2, rec->next_observations + row * S, S);
        return true;
    }
    if (row + 1 == rec->rows || (ends && b->next != REPLAY_FORCED)) {
        return false;
    }
    narrow(b->s2, rec->observations + (row + 1) * S, S);
    return true;
}

static double difference(const Replayer *b)
{
    double most = 0;
    const int n = replay_columns(&b->oracle.task);

    for (int j = 0; j < n; j++) {
        const double want = (double)b->s2[j];
        const double off = fabs((double)b->got[j] - want) / (1 + fabs(want));
        most = off <= most ? most : off; /* NaN stays */
    }
    return most;
}

/* Whether the task reads its torso's position late: Ant, which moves in x and y. */
static bool reads_late(const EnvKind *task)
{
    return task->motion != NULL && replay_columns(task) == task->nq + task->nv - 2;
}

/* The simulator's reward, with what the recording knows better: where the episode started and, if it
 * has them, the torso's positions as gym read them. */
static void reward_of(Replayer *b, int64_t start, double reward, ReplayRow *out)
{
    const Recording *rec = b->rec;
    const EnvKind *task = &b->oracle.task;
    const bool positions = rec->xpos != NULL && rec->next_xpos != NULL;

    out->reward = reward;
    if (task->motion != NULL && task->reward != NULL) {
        Motion m;
        task->motion(b->oracle.env, &m);
        if (positions) {
            memcpy(m.before, rec->xpos + out->row * 3, sizeof m.before);
            memcpy(m.after, rec->next_xpos + out->row * 3, sizeof m.after);
            m.start_z = rec->xpos[start * 3 + 2];
        } else if (task->height != NULL) {
            narrow(b->s, rec->observations + start * rec->state_dim, rec->state_dim);
            m.start_z = task->height(task, b->s);
        }
        out->reward = task->reward(task, &m, b->wide);
    }
    out->slack =
        reward_slack * (1 + fabs(out->reward)) + (reads_late(task) && !positions ? late_slack : 0);
    out->reward_fits = fabs(rec->rewards[out->row] - out->reward) <= out->slack;
}

static void replay_row(Replayer *b, int64_t row, int64_t start, ReplayRow *out)
{
    const Recording *rec = b->rec;
    const EnvKind *task = &b->oracle.task;
    EnvStep step;

    *out = (ReplayRow){.row = row, .compared = take_next(b, row), .off = (double)INFINITY};
    narrow(b->s, rec->observations + row * rec->state_dim, rec->state_dim);
    narrow(b->a, rec->actions + row * rec->act_dim, rec->act_dim);
    edit_state(b->edit, b->s, rec->state_dim);
    edit_action(b->edit, b->a, rec->act_dim);
    if (!oracle_step(&b->oracle, b->s, b->a, &step)) {
        return;
    }
    task->observe(b->oracle.env, b->got);
    out->terminal = step.terminal;
    if (out->compared) {
        edit_state(b->edit, b->s2, rec->state_dim);
        out->off = difference(b);
        out->state_fits = out->off <= state_slack;
    }
    for (int j = 0; j < rec->act_dim; j++) {
        const double a = (double)b->a[j];
        b->wide[j] = task->config.clip_actions ? fmin(1, fmax(-1, a)) : a;
    }
    reward_of(b, start, (double)step.reward, out);
}

/* ---- all rows ---- */

Status replay_open(Replayer **out, const Recording *rec, const EnvKind *task, const int64_t *starts)
{
    Status st = OK;
    Replayer *b = NULL;

    *out = NULL;
    TRY(mem_alloc(&b, 1, sizeof *b, "a simulator for rows"));
    b->rec = rec;
    b->starts = starts;
    TRY(mem_alloc(&b->s, (size_t)task->state_dim, sizeof *b->s, "a row"));
    TRY(mem_alloc(&b->s2, (size_t)task->state_dim, sizeof *b->s2, "a row"));
    TRY(mem_alloc(&b->got, (size_t)task->state_dim, sizeof *b->got, "a row"));
    TRY(mem_alloc(&b->a, (size_t)task->act_dim, sizeof *b->a, "a row"));
    TRY(mem_alloc(&b->wide, (size_t)task->act_dim, sizeof *b->wide, "a row"));
    TRY(oracle_open(&b->oracle, task, "replaying rows"));
    *out = b;
    b = NULL;
done:
    replay_close(&b);
    return st;
}

void replay_close(Replayer **replayer)
{
    Replayer *b = *replayer;

    if (b == NULL) {
        return;
    }
    oracle_close(&b->oracle);
    mem_free(&b->s);
    mem_free(&b->s2);
    mem_free(&b->got);
    mem_free(&b->a);
    mem_free(&b->wide);
    mem_free(replayer);
}

Status replay_rows(Replay *out, Replayer *b, const int64_t *rows, int64_t count, ReplayNext next,
                   const ReplayEdit *edit)
{
    static const ReplayEdit nothing = {0};
    Status st = OK;
    int64_t e = 0;

    b->next = next;
    b->edit = edit != NULL ? edit : &nothing;
    *out = (Replay){.count = count};
    TRY(mem_alloc(&out->rows, (size_t)count + 1, sizeof *out->rows, "replayed rows"));
    for (int64_t k = 0; k < count; k++) {
        while (b->starts[e + 1] <= rows[k]) {
            e++;
        }
        replay_row(b, rows[k], b->starts[e], &out->rows[k]);
        out->compared += out->rows[k].compared;
        out->state_fits += out->rows[k].state_fits;
        out->reward_fits += out->rows[k].reward_fits;
    }
done:
    if (st != OK) {
        *out = (Replay){0};
    }
    return st;
}

void replay_release(Replay *replay)
{
    mem_free(&replay->rows);
    *replay = (Replay){0};
}
