/* As much of MPI as src/comm/group.c, share.c and shared.c use, for ranks that are threads of one process (ranks.c). */
#ifndef THREADS_MPI_H
#define THREADS_MPI_H

#include <stdbool.h>
#include <stddef.h>

typedef struct Comm *MPI_Comm;
typedef struct Window *MPI_Win;
typedef struct {
    MPI_Comm comm;
    bool receives;
    int from, to; /* in comm */
    void *data;
    size_t bytes;
} MPI_Request;
typedef struct {
    int unused;
} MPI_Status;
typedef ptrdiff_t MPI_Aint;
typedef int MPI_Datatype; /* its size */
typedef int MPI_Info;

#define MPI_COMM_NULL     ((MPI_Comm)0)
#define MPI_STATUS_IGNORE ((MPI_Status *)0)
enum { MPI_SUCCESS, MPI_UNDEFINED = -1, MPI_INFO_NULL = 0, MPI_MODE_NOCHECK = 0 };
enum { MPI_INT = sizeof(int), MPI_FLOAT = sizeof(float) };

int MPI_Comm_rank(MPI_Comm comm, int *rank);
int MPI_Comm_size(MPI_Comm comm, int *size);
int MPI_Comm_split(MPI_Comm comm, int color, int key, MPI_Comm *part);
int MPI_Comm_free(MPI_Comm *comm);
int MPI_Allgather(const void *mine, int count, MPI_Datatype type, void *all, int each,
                  MPI_Datatype of, MPI_Comm comm);
int MPI_Isend(const void *data, int count, MPI_Datatype type, int to, int tag, MPI_Comm comm,
              MPI_Request *request);
int MPI_Irecv(void *data, int count, MPI_Datatype type, int from, int tag, MPI_Comm comm,
              MPI_Request *request);
int MPI_Win_allocate_shared(MPI_Aint bytes, int unit, MPI_Info info, MPI_Comm comm, void *base,
                            MPI_Win *window);
int MPI_Win_shared_query(MPI_Win window, int rank, MPI_Aint *bytes, int *unit, void *base);
int MPI_Win_lock_all(int mode, MPI_Win window);
int MPI_Win_unlock_all(MPI_Win window);
int MPI_Win_sync(MPI_Win window);
int MPI_Win_free(MPI_Win *window);

#endif
