/* Inside comm/ only: what the files of the watch share. */
#ifndef COMM_WATCH_STATE_H
#define COMM_WATCH_STATE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/account.h"

/* Seconds between two rounds in the folder, and after which another host is judged, in units of the patience. */
#define WATCH_ROUND 0.1
#define WATCH_FAR   1.25

enum { WATCH_WORD = 64, WATCH_PATH = 4096 + 64 };

/* Of one rank, in the memory of its host; the rank alone writes. */
typedef struct {
    _Alignas(64) atomic_int rank, pid; /* pid 0: not there yet, or gone */
    atomic_uint beat;                  /* by its watch, at every look */
    AccountBoard account;              /* by its main thread, as the next */
    atomic_int exchange;
} WatchSlot;

typedef struct {
    _Alignas(64) atomic_int told; /* somebody of this host has told the verdict */
    WatchSlot slots[];
} WatchPage;

/* What a rank does. */
typedef struct {
    int rank, pid;
    unsigned beat, changes;
    bool waits;
    char phase[WATCH_WORD], exchange[WATCH_WORD];
} WatchSight;

/* What is known here of a rank. Times are those of timer_now here: no clocks are compared. */
typedef struct {
    WatchSight now;
    char host[WATCH_WORD];
    int leader; /* first rank of its host */
    bool heard;
    double beat_at;  /* when its beat last changed */
    double still_at; /* since when it is in one and the same exchange */
    double same_at;  /* since when it is in that, or in one piece of work */
} WatchKnown;

/* The folder run_dir/beat: a thread of its own, since a disk may block it. */
typedef struct {
    pthread_t thread;
    bool on;
    bool done;       /* it has cleaned up */
    double round_at; /* last time that all was written and read */
    double period;   /* seconds between rounds */
    char dir[WATCH_PATH], log[WATCH_PATH];
    char second[WATCH_PATH]; /* "": none */
    bool leave_second;
    char job[WATCH_WORD]; /* tells this job's files from those of one before */
    char *text;           /* (room) of one file */
    size_t room;
} WatchFolder;

typedef struct {
    pthread_mutex_t lock; /* for all below */
    pthread_cond_t change;
    pthread_t thread;
    bool on, stop, leave; /* the thread is there; it shall end; the folder shall go */
    int patience;
    WatchPage *page;
    size_t page_bytes;
    int ranks, near;   /* of the job, of this host */
    int rank, leader;  /* this rank, the first of its host */
    WatchKnown *known; /* (ranks) */
    double began, looked;
    double found_at; /* a verdict was found, and it is another's turn to tell it; 0: none */
    double late;     /* seconds of waiting for one rank that were told of last; 0: none */
    WatchFolder folder;
} Watch;

extern Watch watch;

/* A sign of life of this rank. */
void watch_beat(void);
WatchSight watch_sight(const WatchSlot *slot);
/* News of a rank. */
void watch_learn(WatchKnown *known, const WatchSight *sight, double now);
/* Wait for so long, or until `change`; the lock is held. No change of the date stretches it. */
void watch_wait(pthread_cond_t *change, pthread_mutex_t *lock, double seconds);
void watch_open_change(pthread_cond_t *change);
/* The same for what the watch itself waits for. */
void watch_sleep(double seconds);
/* Start a thread that no signal handler runs in. */
bool watch_thread(pthread_t *thread, void *(*run)(void *));

typedef enum { WATCH_FINE, WATCH_STOPPED, WATCH_STUCK, WATCH_ADRIFT } WatchVerdict;
WatchVerdict watch_judge(double now);
/* Whether a rank before this one is alive and sees the same. */
bool watch_others_turn(WatchVerdict verdict, double now);
/* Tell of ranks that the others wait for, and that do not wait themselves: long work, or a disk that hangs. At
 * `patience`, twice that, and so on. */
void watch_tell_late(double now);
/* To a file that may block: for a second at most. */
void watch_put(int fd, const char *text);
/* Some seconds from now, whatever happens to this process: ranks of this host that are left are killed, and an mpirun
 * that does not end then. */
void watch_kill_near_soon(void);
/* Tell it, unless one of this host has; then end the ranks of this host. */
_Noreturn void watch_end(WatchVerdict verdict, double now);

#endif
