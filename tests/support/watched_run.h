/* A run directory whose state is looked at, and the files in it, put there one by one. */
#ifndef SUPPORT_WATCHED_RUN_H
#define SUPPORT_WATCHED_RUN_H

#include "support/temp_dir.h"
#include "sweep/progress.h"

typedef struct {
    char dir[TEMP_PATH_MAX];
    char run[TEMP_PATH_MAX + 8];       /* the run directory, or a dataset; not there at first */
    char launcher[TEMP_PATH_MAX + 16]; /* what a launcher has noted */
    double now;                        /* the clock of the look */
    ProgressJob job;
    Progress p; /* what the last look gave */
} WatchedRun;

extern WatchedRun watched;

/* cmocka fixtures: nothing is there, and the job is a cell without a launcher. */
int run_setup(void **state);
int run_teardown(void **state);

/* A path in the run directory, as temp_path. */
const char *run_file(const char *name);
JobState run_look(void);
/* A file was written last so many seconds ago. */
void run_age(const char *path, double seconds);
/* "2024-05-01T12:00:00Z", so many seconds ago; one of two buffers. */
const char *run_ago(double seconds);

/* A run that has saved epoch `saved` of 4. */
void run_begin(const char *saved);
/* One that has made them all. */
void run_finish(void);
/* A lock, signed so many seconds ago: this one, or that of the run. */
void run_sign_at(const char *path, const char *host, long pid, double seconds);
void run_sign(const char *host, long pid, double seconds);
/* A sign of life, so many seconds old. */
void run_beat(double age);
/* From now on it has a launcher, which has noted this. */
void run_mark(const char *text);

#endif
