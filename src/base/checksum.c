#include "base/checksum.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"

enum { PIECE = 1 << 20, DIGEST_BYTES = 32 };

/* libcrypto refuses only where memory, or a policy of the site, does. */
static Status refused(const char *path)
{
    return status_fail(ERR_NOMEM, "%s: libcrypto cannot compute its SHA-256", path);
}

static Status hash_all(EVP_MD_CTX *context, int fd, const char *path, unsigned char *piece)
{
    for (;;) {
        const ssize_t got = file_refused() ? -1 : read(fd, piece, PIECE);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return file_error(path, "read");
        }
        if (got == 0) {
            return OK;
        }
        if (EVP_DigestUpdate(context, piece, (size_t)got) != 1) {
            return refused(path);
        }
    }
}

Status checksum_sha256(const char *path, char hex[CHECKSUM_SHA256_HEX])
{
    Status st = OK;
    unsigned char *piece = NULL;
    unsigned char digest[EVP_MAX_MD_SIZE];
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    const int fd = file_refused() ? -1 : open(path, O_RDONLY | O_CLOEXEC);

    hex[0] = '\0';
    if (fd < 0) {
        st = file_error(path, "open");
        goto done;
    }
    if (context == NULL || EVP_DigestInit_ex(context, EVP_sha256(), NULL) != 1) {
        st = refused(path);
        goto done;
    }
    TRY(mem_alloc(&piece, PIECE, 1, path));
    TRY(hash_all(context, fd, path, piece));
    if (EVP_DigestFinal_ex(context, digest, NULL) != 1) {
        st = refused(path);
        goto done;
    }
    for (size_t i = 0; i < DIGEST_BYTES; i++) {
        (void)snprintf(hex + 2 * i, 3, "%02x", digest[i]);
    }
done:
    EVP_MD_CTX_free(context);
    mem_free(&piece);
    if (fd >= 0) {
        (void)close(fd);
    }
    return st;
}
