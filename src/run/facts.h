/* What the bytes of a run depend on besides its settings: dataset, program, libraries, machine. One table,
 * from which come manifest.json, the warnings of a run that goes on, and the table of `mopo rerun`. Local.
 */
#ifndef RUN_FACTS_H
#define RUN_FACTS_H

#include <jansson.h>
#include <stdbool.h>

/* Texts are borrowed, NULL where unknown. */
typedef struct {
    const char *mpi;  /* library and version */
    const char *blas; /* library, version, core: other cores may give other last bits */
    const char *libc, *hdf5, *mujoco;
    const char *cpu;   /* model of rank 0's */
    const char *hosts; /* "node1 node2" */
    int ranks, learners;
    const char *dataset, *dataset_digest;
} RunFacts;

typedef struct {
    const char *group, *key; /* in manifest.json */
    const char *name;        /* for people */
    bool decides;            /* another one may change last bits */
} FactRow;

enum { FACT_ROWS = 12 };
/* Likely causes of other results first. */
extern const FactRow fact_rows[FACT_ROWS];

/* Libraries and CPU of this process; the rest is NULL. The texts are static. */
RunFacts facts_here(void);
/* The object of manifest.json, with what the program was built from and the time. NULL: a text is not
 * UTF-8, or no memory. */
json_t *facts_json(const RunFacts *facts);
/* What a manifest says of a row; NULL: nothing. */
const char *facts_text(const json_t *manifest, const FactRow *row);

#endif
