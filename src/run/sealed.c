#include "run/sealed.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/dir.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/slab.h"

enum { SEAL = 46 };

static void make_seal(const unsigned char *image, size_t size, char seal[SEAL + 1])
{
    char digest[SLAB_DIGEST_MAX];
    bytes_digest(image, size, digest);
    (void)snprintf(seal, SEAL + 1, "\nmopo-xxh128:%s\n", digest);
}

Status sealed_write(const char *path, const H5Item *items, int n, const H5Text *texts, int m)
{
    Status st = OK;
    unsigned char *image = NULL;
    unsigned char *all = NULL;
    size_t size = 0;
    char seal[SEAL + 1];

    TRY(h5_image(items, n, texts, m, &image, &size));
    TRY(mem_alloc(&all, size + SEAL, 1, "the bytes of a file"));
    make_seal(image, size, seal);
    memcpy(all, image, size);
    memcpy(all + size, seal, SEAL);
    TRY(dir_remove_temps(path)); /* first: they may be what fills the disk */
    TRY(file_write(path, all, size + SEAL));
done:
    mem_free(&image);
    mem_free(&all);
    return st;
}

static bool is_seal(const char *end)
{
    return strncmp(end, "\nmopo-xxh128:", 13) == 0;
}

/* Looks at the end only: others' files may be large. */
static bool has_seal(const char *path)
{
    char end[SEAL] = "";
    struct stat info;
    const bool regular = stat(path, &info) == 0 && S_ISREG(info.st_mode);
    FILE *file = regular ? fopen(path, "rbe") : NULL;
    if (file == NULL) {
        return false; /* h5_open says why */
    }
    const bool got = fseek(file, -(long)SEAL, SEEK_END) == 0 && fread(end, 1, SEAL, file) == SEAL;
    (void)fclose(file);
    return got && is_seal(end);
}

Status sealed_open(H5File **file, const char *path, bool required)
{
    Status st = OK;
    unsigned char *bytes = NULL;
    size_t n = 0;
    char seal[SEAL + 1];

    *file = NULL;
    if (required ? !file_exists(path) : !has_seal(path)) {
        return h5_open(file, path);
    }
    TRY(file_read(path, SIZE_MAX - SEAL, &bytes, &n));
    const size_t size = n > SEAL ? n - SEAL : 0; /* it may have been replaced meanwhile */
    if (required && (n < SEAL || !is_seal((const char *)bytes + size))) {
        st = status_fail(
            ERR_FORMAT, "%s: damaged, or not written by mopo: it does not end with a digest", path);
        goto done;
    }
    make_seal(bytes, size, seal);
    if (n < SEAL || memcmp(bytes + size, seal, SEAL) != 0) {
        st = status_fail(ERR_FORMAT,
                         "%s: has another digest than when it was written: damaged or edited; take "
                         "a copy, or delete it to have it made again",
                         path);
        goto done;
    }
    TRY(h5_open_image(file, path, bytes, size));
done:
    mem_free(&bytes);
    return st;
}
