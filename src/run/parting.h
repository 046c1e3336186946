/* Where two runs part that should give the same bytes: in what they are made of, then phase after phase, in the
 * metrics by epoch and number. "Then" and "now" are two run directories; either may be unfinished, and what
 * both have is compared. Local, rank 0.
 */
#ifndef RUN_PARTING_H
#define RUN_PARTING_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/slab.h"
#include "base/status.h"
#include "base/text.h"
#include "run/facts.h"

enum { PARTING_TEXT_MAX = 320, PARTING_REPORT_MAX = 1 << 14 };

typedef struct {
    char then[PARTING_TEXT_MAX], now[PARTING_TEXT_MAX]; /* "": unknown */
} PartingPair;

/* In the order in which a run makes them. */
typedef enum {
    PART_DATASET,
    PART_MODEL,
    PART_MODEL_REPORT,
    PART_PENALTY_REPORT,
    PART_METRICS,
    PART_POLICY,
    PART_COUNT
} Part;

typedef enum { PART_ABSENT, PART_SAME, PART_OTHER } PartState;

typedef struct {
    PartState state; /* absent: not in both */
    char then[SLAB_DIGEST_MAX], now[SLAB_DIGEST_MAX];
    bool changed; /* then's file is no longer what its manifest recorded at the end of the run */
} PartingPart;

typedef struct {
    const char *then, *now; /* directories, borrowed */
    PartingPair facts[FACT_ROWS];
    PartingPair settings; /* how many that count differ, and which, in `now` */
    int settings_differ;
    PartingPart parts[PART_COUNT];
    int64_t epochs_then, epochs_now; /* lines of metrics */
    int64_t epoch;                   /* the first that differs, from 1 on; 0: none of both */
    char metric[48];                 /* its first number that does */
    PartingPair numbers;
    int others;      /* more of that epoch */
    PartingPair fit; /* of two models that differ: passes and holdout error */
} Parting;

/* Compare. Errors: ERR_USAGE (no run directory), ERR_IO, ERR_FORMAT (damaged), ERR_NOMEM. */
NODISCARD Status parting_find(const char *then, const char *now, Parting *out);
/* Whether nothing that both have is other; how many parts and epochs that is, is in the verdict. */
bool parting_none(const Parting *p);
/* Facts of two manifests (NULL: none). */
void parting_facts(const json_t *then, const json_t *now, PartingPair facts[FACT_ROWS]);
/* Whether both are known and differ. */
bool parting_pair_differs(const PartingPair *pair);

/* Tables for people: what differs, and the parts. */
void parting_report(const Parting *p, Text *text);
/* The verdict in a sentence. */
void parting_verdict(const Parting *p, Text *text);
/* All of it as an object; NULL as jansson does. */
json_t *parting_json(const Parting *p);

#endif
