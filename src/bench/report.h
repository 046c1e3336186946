/* What a benchmark found: facts about the machine and rows of times, as a table for people and as JSON for
 * programs; and two such reports compared. Local, no clock in it.
 */
#ifndef BENCH_REPORT_H
#define BENCH_REPORT_H

#include <jansson.h>
#include <stdbool.h>

#include "base/status.h"
#include "base/text.h"

enum {
    REPORT_ROWS_MAX = 64,
    REPORT_WORD_MAX = 48,
    REPORT_FACT_MAX = 256,
    REPORT_LARGE = 768,        /* edge of the large product */
    REPORT_TABLE_MAX = 1 << 15 /* room for any table */
};

typedef struct {
    double seconds, floor; /* for one unit; floor 0: there is none */
    double flops;          /* of one unit, in matrix products; 0: none */
} RowTimes;

typedef struct {
    char name[REPORT_WORD_MAX];
    char unit[REPORT_WORD_MAX];     /* what the times are for: "update", "step", "row" */
    char floor_is[REPORT_WORD_MAX]; /* "products alone", "mj_step"; "": none */
    RowTimes t;
} Row;

/* What times depend on besides the code that is measured: member and key, name for people. */
#define REPORT_FACTS(X)       \
    X(version, "version")     \
    X(commit, "commit")       \
    X(compiler, "compiler")   \
    X(cpu, "CPU")             \
    X(blas, "matrix library") \
    X(mpi, "MPI")

typedef struct {
    /* asked for */
    bool quick;       /* two repetitions of each: does it run at all? */
    const char *only; /* rows whose name has this text; NULL: all. Borrowed */
    /* found */
#define REPORT_MEMBER(name, title) char name[REPORT_FACT_MAX];
    REPORT_FACTS(REPORT_MEMBER)
#undef REPORT_MEMBER
    int ranks;
    double large; /* FLOP/s of a large product */
    int count;
    Row rows[REPORT_ROWS_MAX];
} Report;

/* Fill in the facts of this process. */
void report_begin(Report *report);
/* Whether a row of this name is asked for. */
bool report_wants(const Report *report, const char *name);
void report_add(Report *report, const char *name, const char *unit, const char *floor_is,
                const RowTimes *times);

/* The table; text: REPORT_TABLE_MAX. */
void report_text(const Report *report, Text *text);
/* A new JSON object, docs/formats.md; NULL when jansson has no memory. */
json_t *report_json(const Report *report);
/* Read what report_json made; quick, facts and rows, `only` stays. Errors: those of manifest_read,
 * ERR_FORMAT: no such object. `path` is for the message. */
NODISCARD Status report_read(Report *report, const char *path);

/* A row of two reports: equal name and unit. */
typedef struct {
    const Row *then, *now; /* borrowed; NULL: the other report alone has it */
    double time;           /* seconds now / then; 0 where one is NULL */
    double ratio;          /* (seconds / floor) now / then; 0 where a floor is missing too */
} RowChange;

/* Rows that now->only asks for, in the order of `now`, then those that only `then` has. Returns how many. */
int report_compare(const Report *then, const Report *now, RowChange changes[2 * REPORT_ROWS_MAX]);
/* The comparison as a table; text: REPORT_TABLE_MAX. */
void report_compare_text(const Report *then, const Report *now, Text *text);

/* Seconds with a unit people read, "6.45 ms"; at most 15 characters. */
enum { REPORT_TIME_MAX = 16 };
const char *report_time(double seconds, char text[REPORT_TIME_MAX]);

#endif
