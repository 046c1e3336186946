/* Where this rank's time goes: exclusive timers, one running at any time. Each second belongs to a kind of
 * work and to a way of spending it, so the seconds of all kinds and ways add up to the time since
 * account_start. A switch is one clock read: per update, unit or message, never per product.
 *
 * The ways are told apart so:
 *   compute   everything outside of the next two;
 *   exchange  moving numbers between ranks: starting a transfer, the poll that completes it, letting messages
 *             through between updates, and adding up other learners' gradients;
 *   wait      from the first poll that finds a transfer unfinished to the one that completes it. What MPI copies
 *             in between (messages that need more than one poll) counts as waiting.
 *
 * No result may depend on it.
 */
#ifndef BASE_ACCOUNT_H
#define BASE_ACCOUNT_H

#include <stdatomic.h>

/* NAME, the word in tables and in timing.jsonl, what belongs to it */
#define ACCOUNT_LIST(X)                                                                       \
    X(LOAD, "load", "the dataset, collected or read; the model read; networks and buffers")   \
    X(FIT, "fit", "the ensemble, and the classifier of terminal rows")                        \
    X(REPORT, "reports", "model report, penalty survey")                                      \
    X(UPDATE, "updates", "batches, gradients, their sums, Adam; also before the first epoch") \
    X(ROLLOUT, "rollouts", "in the model")                                                    \
    X(EVAL, "evaluation", "episodes")                                                         \
    X(SAVE, "checkpoints", "checkpoints, model and policy")                                   \
    X(HANDOVER, "messages",                                                                   \
      "policies, records and results that go from rank to rank; the buffers")                 \
    X(OTHER, "other", "the rest")

typedef enum {
#define ACCOUNT_ENUM(name, word, text) ACCOUNT_##name,
    ACCOUNT_LIST(ACCOUNT_ENUM)
#undef ACCOUNT_ENUM
        ACCOUNT_KINDS
} AccountKind;

typedef enum { ACCOUNT_COMPUTE, ACCOUNT_EXCHANGE, ACCOUNT_WAIT, ACCOUNT_WAYS } AccountWay;

/* Seconds. */
typedef struct {
    double of[ACCOUNT_KINDS][ACCOUNT_WAYS];
} AccountSheet;

/* All seconds 0; the clock runs for computing of this kind. */
void account_start(AccountKind kind);
/* From now on time goes to this kind (this way); returns the one before, to go back to. */
AccountKind account_kind(AccountKind kind);
AccountWay account_way(AccountWay way);
/* The same from `when`, a time of timer_now between the last switch and now. */
AccountWay account_way_from(AccountWay way, double when);
/* What is running. */
AccountKind account_current_kind(void);
AccountWay account_current_way(void);

/* Where others, threads or processes, see what is running, and how often that has changed: an account whose count
 * stands still is in one wait, or in one piece of work. */
typedef struct {
    atomic_int kind, way;
    atomic_uint changes;
} AccountBoard;
/* From now on on this board; NULL: on one of the account's own. */
void account_show(AccountBoard *to);

/* The seconds so far. */
AccountSheet account_sheet(void);
/* Seconds so far of exchange and wait over all kinds. */
double account_outside(void);

const char *account_kind_name(AccountKind kind);
const char *account_way_name(AccountWay way);

#endif
