/* The run directory: one run, one process at a time, and what was used. Local, rank 0.
 *
 *   lock           held by the running process, its host, pid and start inside; empty after a regular end
 *   used.yaml      every setting with its origin
 *   manifest.json  program, libraries, machine, dataset; at the end the digests of the results
 *   log.txt        the log
 *
 * More files: docs/formats.md.
 */
#ifndef RUN_RUNDIR_H
#define RUN_RUNDIR_H

#include <stdbool.h>

#include "base/status.h"
#include "config/config.h"
#include "run/facts.h"
#include "run/lock.h"

enum { RUNDIR_PATH_MAX = 4096, RUNDIR_DIFF_MAX = 600 };

typedef struct {
    char path[RUNDIR_PATH_MAX];
    Lock lock;    /* closed: the directory is */
    bool resumed; /* the directory already held this run */
    bool shared;  /* it is one of model.share */
} RunDir;

/* Create the directory or come back to it: lock it, compare the settings with those it was begun with,
 * write used.yaml, open log.txt. origins may be NULL. Settings that may change when a run goes on:
 * run_dir, train.epochs, model.share, ranks.*, checkpoint.*; all of them as long as nothing was made with them.
 * Errors: ERR_CONFIG (another process runs here; other settings differ; the directory holds something
 * else), ERR_IO, ERR_NOMEM. After an error *dir is closed. */
NODISCARD Status rundir_open(RunDir *dir, const char *path, const Config *config,
                             const ConfigOrigins *origins);
/* The same for a directory of model.share, which several processes may want: that another has it is an answer here,
 * and dir then closed, but for dir->lock.held. doubt: as lock_take. What is logged goes to the log there, too. */
NODISCARD Status rundir_open_shared(RunDir *dir, const char *path, const Config *config, bool doubt,
                                    LockAnswer *answer);
/* What to do where the directory does not suit, for messages. */
const char *rundir_elsewhere(const RunDir *dir);
/* To begin anew: delete files, and folders ("name/") of files, of a run directory that no process is
 * running in. Absent ones are fine. Errors: ERR_CONFIG (as rundir_open), ERR_IO, ERR_NOMEM. */
NODISCARD Status rundir_delete(const char *path, const char *const names[], int count);
/* Give back lock and log. Harmless when closed. The files stay. */
void rundir_close(RunDir *dir);
/* Delete a file of the run directory, if it is there. Error: ERR_IO. */
NODISCARD Status rundir_remove(const RunDir *dir, const char *name);
/* The settings that a run was begun with, from its used.yaml. Errors: ERR_USAGE (there is none), those of
 * file_read and config_parse. */
NODISCARD Status rundir_settings(const char *run, Config *config);
/* In what the settings that a run was begun with differ from these, as text; "" where in nothing but what may change,
 * or where nothing was made with them. Takes no lock. Errors: those of rundir_settings, ERR_NOMEM. */
NODISCARD Status rundir_diff(const char *run, const Config *config, char diff[RUNDIR_DIFF_MAX]);
/* "<run directory>/<name>" into path[RUNDIR_PATH_MAX]; returns path. */
const char *rundir_file(const RunDir *dir, const char *name, char *path);

/* Write manifest.json: these facts, what the program was built from, time of the start. Where the run
 * goes on: ERR_CONFIG when the dataset is no longer the same, and a warning for each fact that changed
 * and on which results depend. Errors: also ERR_IO, ERR_NOMEM. */
NODISCARD Status rundir_write_manifest(const RunDir *dir, const RunFacts *facts);
/* A run has ended: put the digests of its results (run/results.h) into manifest.json. Errors: ERR_IO,
 * ERR_NOMEM; a manifest that cannot be read is a warning. */
NODISCARD Status rundir_note_results(const RunDir *dir);

#endif
