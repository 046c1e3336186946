/* What the text files of a job tell about it: log.txt, the marker lines in OUT/logs, metrics.jsonl, used.yaml, lock.
 * All are read while others write, cut back, replace and delete them: only whole lines count, what is not there tells
 * nothing, and nothing is an error. Of files that grow only the end is read. Local, no MPI, never writes.
 */
#ifndef SWEEP_TAIL_H
#define SWEEP_TAIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TAIL_ROOM = 1 << 14, TAIL_WORD = 64, TAIL_REASON = 512 };

typedef struct {
    bool there;
    double changed; /* when it was written last, seconds since 1970 by the clock of its disk */
    size_t size;    /* bytes of text */
    char text[TAIL_ROOM]; /* whole lines, the last ones; ends in '\0' */
} Tail;

/* The end of a file. */
void tail_read(const char *path, Tail *tail);
/* The beginning of a file, all of it where it is short; half a line at the end counts. */
void tail_read_head(const char *path, Tail *tail);

/* What a run is counted in. */
typedef enum { UNIT_NONE, UNIT_PASS, UNIT_UPDATE, UNIT_EPOCH, UNIT_STEP, UNIT_COUNT } ProgressUnit;
/* "", "pass", "update", "epoch", "step" */
const char *progress_unit_name(ProgressUnit unit);

typedef enum { LOG_GOES_ON, LOG_STOPPED, LOG_ERROR } LogEnd;

typedef struct {
    ProgressUnit unit; /* of the last start; UNIT_NONE: it has not come so far */
    int64_t at, of;    /* of = 0: it does not say */
    double rate;       /* seconds for one, of the last ten of this start; 0: not known */
    double age;        /* seconds from that line to the last line of the log */
    bool waits;        /* for the model that another process fits */
    LogEnd end;
    char reason[TAIL_REASON]; /* of an end */
} LogNews;

/* The end of a log.txt; text is changed. */
void log_news(char *text, LogNews *news);

typedef enum { MARK_NONE, MARK_START, MARK_DONE, MARK_AGAIN, MARK_FAILED } Mark;

typedef struct {
    Mark last;
    int code;                 /* of an end */
    double at;                /* seconds since 1970; 0: not known */
    char host[TAIL_WORD];     /* of the last start; "" where that is not told any more */
    bool slurm;               /* it was a job of SLURM's */
    char reason[TAIL_REASON]; /* of an end; "" */
} MarkNews;

/* The last marker line ("# start ...", "# end ...") at the end of OUT/logs/NAME.txt; text is changed. */
void mark_news(char *text, MarkNews *news);

typedef struct {
    int64_t epoch;      /* of the last line; 0: none */
    double mean, score; /* of the last line that has them; NaN */
} MetricNews;

/* The end of a metrics.jsonl; text is changed. */
void metric_news(char *text, MetricNews *news);

/* A whole number of a used.yaml ("train", "epochs"), as config_write puts it there; `missing` where there is none.
 * Reading all settings of a thousand runs would take seconds. */
int used_number(const char *text, const char *section, const char *key, int missing);

/* "2024-05-01T12:00:00Z" in seconds since 1970; 0 where it is none. */
double utc_seconds(const char *text);

#endif
