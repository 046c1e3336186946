/* Recorded rows against the task's simulator, one step each: the state that a row shows is set, its
 * action applied, and what comes out compared with the row's next state and reward. Local.
 *
 * What cannot be compared is left out: rows with a number that is not finite, rows with a velocity of
 * exactly 10 (Hopper and Walker2d clip there, so the state behind is not known), and the contact
 * forces of Ant, which are no part of the state.
 */
#ifndef RUN_REPLAY_H
#define RUN_REPLAY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "data/recording.h"
#include "env/env.h"

/* What is undone in every row before the step. All zero: nothing. */
typedef struct {
    uint64_t scaled; /* bit j: column j of the states is multiplied by `factor` */
    double factor;
    int state_a, state_b;   /* two columns of the states to swap, unless they are equal */
    int action_a, action_b; /* the same of actions */
    uint64_t negated;       /* bit j: column j of the actions */
} ReplayEdit;

typedef enum {
    REPLAY_NEXT, /* s' is next_observations; without them the next row's state inside an episode */
    REPLAY_JOINED, /* the next row's state, inside an episode */
    REPLAY_FORCED  /* the next row's state, whatever the flags say */
} ReplayNext;

typedef struct {
    int64_t row;
    bool compared;    /* s' is known */
    double off;       /* largest difference of a number x of s' from the simulator's, in 1 + |x| */
    bool state_fits;  /* s' is what the simulator says, within what single precision allows */
    bool reward_fits; /* the reward of the row is the simulator's */
    bool terminal;    /* the simulator's */
    double reward;    /* the simulator's */
    double slack;     /* how far the two rewards may be apart */
} ReplayRow;

typedef struct {
    ReplayRow *rows; /* (count) owned, ascending */
    int64_t count;
    int64_t compared, state_fits, reward_fits;
} Replay;

/* Whether rows of `rec` can be set in the task's simulator at all. */
bool replay_possible(const Recording *rec, const EnvKind *task);
/* How many of the first numbers of a state are compared. */
int replay_columns(const EnvKind *task);

/* Whether the state behind a row is known; what is left out, see above. */
bool replay_usable(const Recording *rec, int64_t row);
/* Up to `most` rows spread evenly over the recording, without those left out: rows has room for
 * `most`; returns how many. */
int64_t replay_pick(const Recording *rec, int64_t most, int64_t *rows);

/* An open simulator for rows of one recording. starts: recording_episodes, borrowed as the rest. */
typedef struct Replayer Replayer;
NODISCARD Status replay_open(Replayer **replayer, const Recording *rec, const EnvKind *task,
                             const int64_t *starts);
void replay_close(Replayer **replayer);

/* Replay rows[0 .. count), ascending. edit NULL: none. A row that the simulator refuses fits in
 * nothing. Error: ERR_NOMEM; *out is then zero. */
NODISCARD Status replay_rows(Replay *out, Replayer *replayer, const int64_t *rows, int64_t count,
                             ReplayNext next, const ReplayEdit *edit);
void replay_release(Replay *replay);

#endif
