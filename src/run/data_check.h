/* A verdict on a dataset before the first gradient: what is wrong with its numbers, its order, its
 * flags, and with what the task's own simulator says to it. One row of a table per check. Local.
 */
#ifndef RUN_DATA_CHECK_H
#define RUN_DATA_CHECK_H

#include "base/status.h"
#include "data/recording.h"
#include "env/env.h"

typedef enum { SEVERITY_NOTE, SEVERITY_WARNING, SEVERITY_ERROR } Severity;
const char *severity_name(Severity severity);

enum { FINDING_ROWS = 5, FINDING_TEXT = 480, FINDINGS_MAX = 64 };

typedef struct {
    const char *check; /* name of its row in the table */
    Severity severity;
    int64_t rows;                /* how many are concerned; 0: it is about the file as a whole */
    int64_t first[FINDING_ROWS]; /* the first of them */
    char text[FINDING_TEXT];     /* what it means and what to do */
} Finding;

typedef struct {
    Finding list[FINDINGS_MAX];
    int count;
    int64_t number[SEVERITY_ERROR + 1]; /* findings of each severity */
} Findings;

typedef struct {
    /* as configured; NULL or one without a simulator: only what needs none is checked */
    const EnvKind *task;
    bool guessed;     /* nobody named the task: its settings are looked for and noted, not judged */
    bool any_actions; /* limits of actions are set (data.action_low): they need not be in [-1, 1] */
    int64_t samples;  /* rows to replay in the simulator; 0: 2000 */
} CheckOptions;

/* Linear in rows, with some sorting. Errors: ERR_NOMEM, those of opening the simulator. What is
 * wrong with the data is a finding, not an error. */
NODISCARD Status data_check(Findings *out, const Recording *rec, const CheckOptions *options);

/* Row i of the table: its name and what it finds; NULL behind the last one. */
const char *data_check_name(int i);
const char *data_check_finds(int i);

/* The task whose dimensions and simulator fit the rows, with or without exact inertia, for files
 * whose task nobody named. *found is false where there is none or more than one: then *task is
 * untouched. Errors: those of data_check. */
NODISCARD Status data_guess_task(const Recording *rec, EnvKind *task, bool *found);

#endif
