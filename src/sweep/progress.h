/* The state of one job, from the disk alone: what `mopo status` shows and what `mopo sweep` goes by. It reads what
 * the job writes for others anyway (docs/formats.md), may be called while the job runs, dies, comes back or is
 * deleted, and fails in no case: what cannot be read is not known. Local, no MPI, never writes, never locks.
 *
 *   running   a process is there (sweep/life.h), or the launcher has started one within the last minute
 *   done      all epochs are made and the results are noted in manifest.json; a model or a dataset: the file is there
 *   failed    the launcher's last line says so; without one, log.txt ends in an error
 *   stale     a lock is signed and there is no sign of life: killed, lost or stopped
 *   waiting   otherwise: not begun, or saved and free to go on
 *
 * The first that holds counts; `failed` and `again` of a launcher are forgotten once log.txt is newer, for then
 * somebody has started the job by hand. A dataset has no lock: who collects it is taken for alive until its
 * output and its parts have stood still for three minutes.
 */
#ifndef SWEEP_PROGRESS_H
#define SWEEP_PROGRESS_H

#include "sweep/cells.h"
#include "sweep/life.h"
#include "sweep/tail.h"

/* name of the constant, word */
#define JOB_STATES(X)     \
    X(DONE, "done")       \
    X(RUNNING, "running") \
    X(WAITING, "waiting") \
    X(STALE, "stale")     \
    X(FAILED, "failed")

typedef enum {
#define JOB_STATE_ENUM(name, word) JOB_##name,
    JOB_STATES(JOB_STATE_ENUM)
#undef JOB_STATE_ENUM
        JOB_STATE_COUNT
} JobState;

extern const char *const job_state_names[JOB_STATE_COUNT];

typedef struct {
    JobKind kind;
    const char *dir; /* run directory, directory of a shared model, file of a dataset; borrowed */
    const char *log; /* OUT/logs/NAME.txt, borrowed; NULL: no launcher */
    int epochs;      /* that are wanted; 0: as used.yaml says */
} ProgressJob;

typedef struct {
    JobState state;
    Life life;
    ProgressUnit unit; /* what it does now or did last */
    int64_t at, of;    /* of it; of = 0: nobody knows */
    double rate;       /* seconds for one, without pauses between starts; 0: not known yet */
    double ends;       /* seconds since 1970; 0: not known */
    double last_return, score; /* of the last evaluation; NaN */
    int ranks;                 /* of the last start; 0: not known */
    char saved[TAIL_WORD];     /* the newest checkpoint, "policy-000012"; "" */
    int64_t saved_at;          /* its step */
    char reason[TAIL_REASON];  /* why it failed, was stopped or starts again; "" */
    int code;                  /* exit code that a launcher noted; -1: none */
    bool slurm;                /* a launcher started it as a job of SLURM's */
    bool waits_for_model;      /* it runs, while another process fits the model that both share */
    bool begun;                /* there is something of it */
} Progress;

/* The job of a list as one to look at; `log` gets the path of its output below `out` (PROGRESS_PATH_MAX). */
enum { PROGRESS_PATH_MAX = 4096 + 256 };
ProgressJob progress_job(const Job *job, const char *out, char log[PROGRESS_PATH_MAX]);

/* *progress: zero, or what the look before gave. now: seconds since 1970. */
void progress_look(const ProgressJob *job, double now, Progress *progress);

#endif
