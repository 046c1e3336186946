/* Ranks, agreement and collectives. comm/ alone includes mpi.h; without mpirun it is one rank.
 *
 * Every wait yields: after a short spin it sleeps in steps of up to half a millisecond, so that 16
 * ranks on 2 cores stay usable whatever mpirun was told.
 * "Collective" means: every rank must call it, in the same order. A collective function never fails
 * on some ranks only: MPI failures end all ranks through comm_abort.
 */
#ifndef COMM_COMM_H
#define COMM_COMM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/reduce.h"
#include "base/status.h"

/* Once per process, at start and end. Collective. */
NODISCARD Status comm_open(int *argc, char ***argv);
void comm_close(void);
int comm_rank(void);
int comm_size(void);
/* Ranks on this host and this rank's number among them; the host's name. */
int comm_local_size(void);
int comm_local_rank(void);
const char *comm_host(void);
/* Online cores of this host; a job may have been given fewer. */
int comm_cores(void);
/* Without MPI, before comm_open or instead of it: how many ranks a launcher says that it started, and which this
 * one is; 1 and 0 where none says so. */
int comm_launched(int *rank);
/* "Open MPI 4.1.4 ..." */
const char *comm_library(void);

/* Print the text once for this rank and end all ranks with the exit code. */
_Noreturn void comm_abort(int exit_code, const char *text);

/* Collective: every rank gives its own outcome; all get that of the lowest rank that failed, with its
 * status_reason(), or OK. Where not all failed the reason begins with the rank and its host, but for what
 * rank 0 alone looks at: files and settings. */
NODISCARD Status comm_agree(Status mine);
void comm_barrier(void);

/* Collective: bytes from `root` to all. */
void coll_bcast(void *data, size_t bytes, int root);
/* Collective: x (n) becomes the sum over ranks; exact where all but one rank give 0. */
void coll_sum(double *x, int n);
/* Collective: rank r's `bytes` follow rank r-1's in `all` on rank 0; `sizes` (ranks) is filled on
 * rank 0; `all` must have room (rank 0 learns sizes first by coll_sizes). */
void coll_sizes(size_t bytes, size_t *sizes);
void coll_gather(const void *mine, size_t bytes, void *all, const size_t *sizes);

/* Node-shared memory: one block per host, seen by all its ranks. Collective. The first rank of a
 * host writes, then comm_share_spread copies rank 0's content to every host. */
typedef struct CommShare CommShare;
NODISCARD Status comm_share_open(CommShare **share, size_t bytes, void **data);
void comm_share_spread(CommShare *share, size_t bytes);
void comm_share_close(CommShare **share);

/* The sum over shards (base/reduce.h) among a group of ranks: `size` of them from `first` on, a power of
 * two, at most `shards`; rank i of the group owns shards i V/size .. (i+1) V/size - 1. Collective over all
 * ranks, each naming its own group, or size 0 for none. The sum itself is collective over the group. */
NODISCARD Status comm_reduce_open_group(Reduce *reduce, int shards, int first, int size);
/* The group of the first `learners` ranks. */
NODISCARD Status comm_reduce_open(Reduce *reduce, int shards, int learners);
/* Memory for this rank's rows of one reduction: (count, stride) floats, zero; NULL without a group. Those of
 * the group's ranks on one host lie in memory that they share, and a sum over them copies nothing; other
 * rows are summed by messages. Once for each reduction, freed with it. Collective over all ranks. */
NODISCARD Status comm_reduce_rows(Reduce *reduce, size_t stride, float **rows);
/* Collective over the group. Rows are gone. */
void comm_reduce_close(Reduce *reduce);
/* comm_agree among the ranks of a group. Collective over the group. */
NODISCARD Status comm_reduce_agree(const Reduce *reduce, Status mine);
/* Collective over the group of `reduce`: bytes from its first rank. */
void comm_reduce_bcast(const Reduce *reduce, void *data, size_t bytes);

/* Messages between roles: a fixed buffer with one transfer under way at a time. */
typedef enum { TAG_POLICY, TAG_UNITS, TAG_DONE, TAG_RECORDS /* + unit: keep last */ } MessageTag;

typedef struct Mail Mail;
NODISCARD Status mail_open(Mail **mail, size_t bytes);
void mail_close(Mail **mail);
void *mail_data(const Mail *mail);
/* Start to send the first `bytes` of the buffer, or to receive at most its size. A transfer under
 * way is waited for first. */
void mail_send(Mail *mail, int to, int tag, size_t bytes);
void mail_receive(Mail *mail, int from, int tag);
/* True once the transfer is complete (or none is under way). Also lets MPI make progress. */
bool mail_ready(Mail *mail);
/* Wait for it; returns the bytes received (0 for a send). */
size_t mail_wait(Mail *mail);

#endif
