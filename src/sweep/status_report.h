/* `mopo status`: the states of all jobs below a folder, as a table for people and as JSON. Local, no MPI; reads only.
 */
#ifndef SWEEP_STATUS_REPORT_H
#define SWEEP_STATUS_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "base/text.h"
#include "sweep/progress.h"

enum { SEED_TEXT_MAX = 16 };

typedef struct {
    char *name, *dir, *log; /* in one block, owned by name */
    ProgressJob job;
    uint64_t kin;             /* of a sweep's cells: sweep/seed_group.h; otherwise 0 */
    char seed[SEED_TEXT_MAX]; /* likewise */
    Progress now;
} StatusRow;

typedef struct {
    char *dir;  /* owned */
    char *grid; /* of a sweep, owned; NULL: a run, or a folder of runs */
    double now; /* of the last look, seconds since 1970 */
    int count, room;
    StatusRow *row; /* (count) in the order of cells.tsv, or of the folders' names; owned */
    int states[JOB_KINDS][JOB_STATE_COUNT];
} StatusReport;

/* Look at dir: the folder of a sweep (cells.tsv), a run directory (used.yaml), or any folder, then at the run
 * directories below it, at most STATUS_DEPTH levels deep. A report that looked at dir before remembers what it saw:
 * that tells a living job from a silent one where clocks differ. Errors: ERR_USAGE (nothing there), those of
 * jobs_read, ERR_NOMEM; the report is then empty. */
enum { STATUS_DEPTH = 3 };
NODISCARD Status status_look(StatusReport *report, const char *dir);
void status_release(StatusReport *report);

/* 0: all cells are done (all models, where there are no cells); 1: a job failed; 75: neither. */
int status_code(const StatusReport *report);
/* Something runs, or waits to be started. */
bool status_goes_on(const StatusReport *report);

/* "models: 2 of 3 fitted, 1 running (pass 12)"; of datasets or models. */
void status_add_kind(const StatusReport *report, JobKind kind, Text *text);
/* "24 cells: 17 done, 2 running, 4 waiting, 1 failed; the last running ends about 14:32" */
void status_add_summary(const StatusReport *report, Text *text);
/* The table, at most `lines` lines (0: all) of `width` columns, and the summary. `wanted`: rows in these states.
 * What does not fit into the width is cut, but for commands. */
void status_add_table(const StatusReport *report, const bool wanted[JOB_STATE_COUNT], int lines,
                      Text *text);
/* With two decimals where it is small; "-": not known, or not finite. */
enum { STATUS_CELL = 40 };
void status_number(double x, bool known, char text[STATUS_CELL]);
/* The command that starts this job again. */
void status_add_retry(const StatusReport *report, const StatusRow *row, Text *text);

struct json_t;
/* docs/formats.md, without `means`; NULL: no memory. */
struct json_t *status_json(const StatusReport *report, const bool wanted[JOB_STATE_COUNT]);

#endif
