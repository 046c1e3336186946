/* What a run measures, once per epoch: one table, from which come the enum, metrics.jsonl,
 * metrics.csv and the table in docs/formats.md. Local, rank 0.
 */
#ifndef RUN_METRICS_H
#define RUN_METRICS_H

#include <stdint.h>
#include <stdio.h>

#include "base/status.h"

/* constant, name in files, INT or REAL, unit, meaning */
#define METRIC_LIST(X)                                                                            \
    X(EPOCH, "epoch", INT, "epochs", "epochs done, this one included")                            \
    X(UPDATES, "updates", INT, "updates", "gradient steps done since the start")                  \
    X(RETURN_MEAN, "return_mean", REAL, "reward", "mean return of the evaluation episodes")       \
    X(RETURN_STD, "return_std", REAL, "reward", "their standard deviation (population form)")     \
    X(RETURN_MIN, "return_min", REAL, "reward", "the worst of them")                              \
    X(RETURN_MAX, "return_max", REAL, "reward", "the best of them")                               \
    X(LENGTH_MEAN, "length_mean", REAL, "steps", "mean length of the evaluation episodes")        \
    X(SCORE, "score", REAL, "", "return_mean on D4RL's scale: random policy 0, expert 100")       \
    X(CRITIC_LOSS, "critic_loss", REAL, "reward^2", "(Q - y)^2, SAC: half of it; NPG: baseline")  \
    X(ACTOR_LOSS, "actor_loss", REAL, "reward", "SAC: mean of alpha log pi - min Q")              \
    X(ALPHA_LOSS, "alpha_loss", REAL, "", "SAC: -log alpha (mean log pi + target entropy)")       \
    X(ALPHA, "alpha", REAL, "reward/nat", "temperature; BEAR: multiplier of the divergence")      \
    X(ENTROPY, "entropy", REAL, "nats", "-mean log pi of the batches")                            \
    X(Q_MEAN, "q_mean", REAL, "reward", "mean Q at the batches' actions; NPG: mean V")            \
    X(PENALTY_MEAN, "penalty_mean", REAL, "reward", "mean u(s, a) of the new rows, times lambda") \
    X(PENALTY_MAX, "penalty_max", REAL, "reward", "the largest of them")                          \
    X(MODEL_REWARD, "model_reward", REAL, "reward", "mean predicted reward before the penalty")   \
    X(MODEL_ROWS, "model_rows", INT, "rows", "rows that rollouts added in this epoch")            \
    X(BUFFER_ROWS, "buffer_rows", INT, "rows", "rows in the model buffer after that")             \
    X(TERMINATIONS, "terminations", INT, "rows", "new rows that ended their rollout")             \
    X(DROPPED_ROWS, "dropped_rows", INT, "rows", "rows with infinities or NaN, not stored")       \
    X(UNCERTAINTY_MEAN, "uncertainty_mean", REAL, "u", "mean u(s, a) of the new rows, raw")       \
    X(UNCERTAINTY_MAX, "uncertainty_max", REAL, "u", "the largest of them")                       \
    X(HALTED, "halted", INT, "rows", "new rows that went to HALT")                                \
    X(DIVERGENCE, "divergence", REAL, "", "BEAR: MMD, BRAC: KL or MMD^2, NPG: KL of the step")    \
    X(BEHAVIOR_LOSS, "behavior_loss", REAL, "", "loss of the behavior's model: VAE")              \
    X(LAG, "lag", INT, "epochs", "age of the policy that made the new rows")

typedef enum {
#define METRIC_ENUM(constant, ...) METRIC_##constant,
    METRIC_LIST(METRIC_ENUM)
#undef METRIC_ENUM
        METRIC_COUNT
} Metric;

/* NaN: not measured. What is not finite is null in the JSON file and empty in the CSV file. */
typedef struct {
    double value[METRIC_COUNT];
} Metrics;

/* All NaN. */
void metrics_clear(Metrics *metrics);

enum { METRICS_JSONL, METRICS_CSV, METRICS_FILES };

typedef struct {
    char path[METRICS_FILES][4096];
    int fd[METRICS_FILES];         /* -1: closed */
    int64_t length[METRICS_FILES]; /* bytes */
} MetricsLog;

/* Open run_dir/metrics.jsonl and metrics.csv for appending, cut back to the lengths in `keep` (as
 * metrics_lengths gave them to a checkpoint), so that a run ends with the same bytes however often it
 * was killed. keep NULL: a new run, both files start empty. The CSV gets its header line. A file that
 * is gone starts anew, with a warning. Errors: ERR_IO; ERR_FORMAT (a file is shorter than recorded).
 * After an error *log is closed. */
NODISCARD Status metrics_open(MetricsLog *log, const char *run_dir,
                              const int64_t keep[METRICS_FILES]);
void metrics_close(MetricsLog *log);
/* One line in each file. Error: ERR_IO; the lines are then taken back where the disk allows it. */
NODISCARD Status metrics_append(MetricsLog *log, const Metrics *metrics);
/* Bring both files to disk and tell their lengths, for a checkpoint. Error: ERR_IO. */
NODISCARD Status metrics_lengths(const MetricsLog *log, int64_t length[METRICS_FILES]);

/* The table as Markdown, as it stands in docs/formats.md. */
void metrics_print_table(FILE *out);

#endif
