/* What a run keeps in memory, as a table of terms computed from sizes: before a run for `mopo plan`, after it beside
 * what the system says (docs/parallel.md, Memory). Local.
 */
#ifndef RUN_MEMORY_H
#define RUN_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

#include "run/session.h"

/* What is there all the time from the dataset on, and what only one of the phases needs. */
typedef enum {
    MEMORY_PROGRAM, /* before, too */
    MEMORY_COLLECT, /* the dataset, first: nothing else is there yet */
    MEMORY_ALWAYS,
    MEMORY_FIT,
    MEMORY_LEARN,
    MEMORY_WHENS
} MemoryWhen;

typedef struct {
    const char *name; /* "model rows" */
    double bytes;
    MemoryWhen when;
    bool shared; /* by all ranks of a host */
} MemoryTerm;

enum { MEMORY_TERMS_MAX = 24 };

/* Terms of `rank` under `plan`, in a run as s is configured but on `rows` rows; terms of 0 bytes are left out. Only
 * sizes of s are looked at: it may be open under another plan. base: memory_base(), or 0 to leave out what is not ours. Returns
 * their number. */
int memory_terms(const Session *s, const Plan *plan, int rank, int64_t rows, double base,
                 MemoryTerm terms[MEMORY_TERMS_MAX]);
/* Bytes at the peak: what is always there and the largest of the phases. */
double memory_peak(const MemoryTerm *terms, int n);
/* Of it what is shared. */
double memory_shared(const MemoryTerm *terms, int n);

/* A line of /proc/self/status, "VmHWM", in bytes; 0 where the system does not tell. */
double memory_status(const char *name);
/* Program, libraries and MPI: what was resident when memory_note_base was called, at the start of a command. */
void memory_note_base(void);
double memory_base(void);

#endif
