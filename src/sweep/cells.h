/* The jobs of a sweep, and the file OUT/cells.tsv that lists them (docs/formats.md):
 *
 *   # mopo sweep <path of the grid file>
 *   kind <TAB> name <TAB> dir <TAB> dataset <TAB> model <TAB> word <TAB> word ...
 *
 * First what makes datasets, then what fits shared ensembles, then the training runs: a job needs only what stands
 * before it, which `dataset` and `model` name by their `dir`, "-" for none. `mopo` and the words are its command; paths
 * are relative to the folder where `mopo sweep` is called. Local.
 */
#ifndef SWEEP_CELLS_H
#define SWEEP_CELLS_H

#include <stddef.h>

#include "base/status.h"

typedef enum { JOB_DATA, JOB_MODEL, JOB_CELL, JOB_KINDS } JobKind;

enum {
    JOB_NAME_MAX = 200,       /* of a name, with '\0': it becomes names of files and folders */
    JOB_PATH_MAX = 4096 - 64, /* of `dir`, with '\0': names of files come behind it */
    JOB_WORDS_MAX = 1200,     /* of one job */
    JOBS_MAX = 30000,
    JOBS_BYTES_MAX = 1 << 26 /* of cells.tsv */
};

typedef struct {
    JobKind kind;
    const char *name; /* of one job only; logs/<name>.txt has its output */
    const char *
        dir; /* cell: run directory; model: directory of the shared ensemble; data: the file itself */
    int count;
    char **
        words; /* (count), those behind `mopo`; ends with NULL. Name and dir lie in the same block, owned */
    int data, model; /* numbers of the jobs that it needs, -1: none, or not in this list */
} Job;

typedef struct {
    char *grid; /* path of the grid file, owned */
    int count, room;
    Job *jobs; /* (count) owned */
} JobList;

/* "data", "model", "cell" */
const char *job_kind_name(JobKind kind);

/* An empty list. After an error it is all zero. ERR_NOMEM. */
NODISCARD Status jobs_init(JobList *list, const char *grid);
void jobs_release(JobList *list);
/* Append; everything is copied, data and model are -1. Errors: ERR_CONFIG (a TAB or another control character in a
 * word or a path, which the file could not hold; too many; too long), ERR_NOMEM. */
NODISCARD Status jobs_add(JobList *list, JobKind kind, const char *name, const char *dir, int count,
                          char *const words[]);
/* The job of this name, -1: there is none. */
int jobs_find(const JobList *list, const char *name);

/* Write `count` jobs, those with the numbers in `chosen` (NULL: all, count is then list->count), with the first line.
 * A file that holds these bytes already is left alone. Errors: ERR_IO, ERR_NOMEM. */
NODISCARD Status jobs_write(const JobList *list, const char *path, const int chosen[], int count);
/* Read such a file, cells.tsv or one of submit/. Errors: ERR_IO, ERR_FORMAT with the line, ERR_NOMEM; the list is
 * then all zero. */
NODISCARD Status jobs_read(JobList *list, const char *path);
/* The same from text, as if it stood in `path`. */
NODISCARD Status jobs_parse(JobList *list, const char *path, const char *text, size_t size);

#endif
