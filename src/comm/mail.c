#include <limits.h>
#include <mpi.h>

#include "base/mem.h"
#include "base/panic.h"
#include "comm/comm.h"
#include "comm/exchange.h"
#include "comm/wait.h"

struct Mail {
    unsigned char *data;
    size_t bytes;
    MPI_Request request;
    bool active, receiving;
    size_t received;
};

Status mail_open(Mail **mail, size_t bytes)
{
    Mail *m = NULL;
    Status st = mem_alloc(&m, 1, sizeof *m, "a message");

    *mail = NULL;
    if (st == OK && bytes > INT_MAX) {
        st = status_fail(ERR_CONFIG, "a message of %zu bytes is too large; raise rollout.units",
                         bytes);
    }
    if (st == OK) {
        st = mem_alloc(&m->data, bytes, 1, "a message");
    }
    if (st != OK) {
        mem_free(&m);
        return st;
    }
    m->bytes = bytes;
    *mail = m;
    return OK;
}

void mail_close(Mail **mail)
{
    Mail *m = *mail;
    if (m != NULL) {
        if (m->active) { /* a send that has begun cannot be taken back: then this waits */
            (void)MPI_Cancel(&m->request);
            (void)mail_wait(m);
        }
        mem_free(&m->data);
        mem_free(mail);
    }
}

void *mail_data(const Mail *mail)
{
    return mail->data;
}

void mail_send(Mail *mail, int to, int tag, size_t bytes)
{
    const MPI_Comm *world = comm_world();

    (void)mail_wait(mail);
    REQUIRE(bytes <= mail->bytes);
    MPI_CHECK(MPI_Isend(mail->data, (int)bytes, MPI_BYTE, to, tag, *world, &mail->request));
    mail->active = true;
    mail->receiving = false;
}

void mail_receive(Mail *mail, int from, int tag)
{
    const MPI_Comm *world = comm_world();

    (void)mail_wait(mail);
    MPI_CHECK(MPI_Irecv(mail->data, (int)mail->bytes, MPI_BYTE, from, tag, *world, &mail->request));
    mail->active = true;
    mail->receiving = true;
}

static void finish(Mail *mail, MPI_Status *status)
{
    int count = 0;

    mail->active = false;
    mail->received = 0;
    if (mail->receiving) {
        MPI_CHECK(MPI_Get_count(status, MPI_BYTE, &count));
        mail->received = (size_t)count;
    }
}

bool mail_ready(Mail *mail)
{
    if (mail->active) {
        MPI_Status status;
        int done = 0;
        MPI_CHECK(MPI_Test(&mail->request, &done, &status));
        if (done != 0) {
            finish(mail, &status);
        }
    }
    return !mail->active;
}

size_t mail_wait(Mail *mail)
{
    if (mail->active) {
        MPI_Status status;
        exchange_note(mail->receiving ? EXCHANGE_RECEIVE : EXCHANGE_SEND);
        wait_request(&mail->request, &status);
        finish(mail, &status);
    }
    return mail->received;
}
