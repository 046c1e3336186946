#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/panic.h"
#include "data/h5_guard.h"
#include "data/h5_internal.h"

/* *bytes gets the size. A pipe must not be opened: it waits for a writer. */
static Status check_file(const char *path, int64_t *bytes)
{
    struct stat info;

    if (stat(path, &info) != 0) {
        return file_error(path, "open");
    }
    if (!S_ISREG(info.st_mode)) {
        return status_fail(ERR_IO, "%s: not a regular file", path);
    }
    FILE *file = fopen(path, "rbe");
    if (file == NULL) {
        return file_error(path, "open");
    }
    (void)fclose(file);
    if (info.st_size == 0) {
        return status_fail(ERR_FORMAT, "%s: the file is empty; an HDF5 file is expected", path);
    }
    *bytes = (int64_t)info.st_size;
    return OK;
}

/* What is no damage: the disk or the server behind it refuses. */
static bool disk_refused(int cause)
{
    return cause == EIO || cause == ESTALE || cause == ETIMEDOUT || cause == EACCES;
}

/* errno of a disk that would not say whether something is in the file opened last; 0: none. */
static int refusal;

static bool noted(bool there)
{
    if (!there && disk_refused(errno)) {
        refusal = errno;
    }
    return there;
}

/* Remember what the file is now. */
static void note_begin(H5File *file)
{
    void *handle = NULL;
    if (H5Fget_vfd_handle(file->id, H5P_DEFAULT, &handle) >= 0 && handle != NULL &&
        fstat(*(const int *)handle, &file->begun) == 0) {
        file->fd = *(const int *)handle;
    }
}

/* `place` for HDF5, `name` for messages. Takes over the access list. */
static Status open_with(H5File **out, const char *place, const char *name, hid_t access,
                        int64_t bytes)
{
    Status st = OK;
    H5File *file = NULL;

    TRY(mem_alloc(&file, 1, sizeof *file, "an HDF5 file"));
    (void)snprintf(file->name, sizeof file->name, "%s", name);
    file->bytes = bytes;
    file->fd = -1;
    refusal = 0;
    h5_guard_begin(name, bytes);
    errno = 0;
    file->id = H5Fopen(place, H5F_ACC_RDONLY, access);
    if (file->id < 0) {
        st = disk_refused(errno)
                 ? file_error(name, "read")
                 : status_fail(ERR_FORMAT,
                               "%s: not an HDF5 file, or damaged or cut short (HDF5 says: %s)",
                               name, h5_says());
        h5_guard_end();
        goto done;
    }
    *out = file;
    file = NULL;
done:
    mem_free(&file);
    (void)H5Pclose(access);
    return st;
}

Status h5_open(H5File **file, const char *path)
{
    Status st = OK;
    int64_t bytes = 0;

    *file = NULL;
    TRY(check_file(path, &bytes));
    h5_start();
    const hid_t access = H5Pcreate(H5P_FILE_ACCESS);
#if H5_VERSION_GE(1, 10, 7)
    (void)H5Pset_file_locking(access, false, true); /* we only read; some network disks refuse */
#endif
    TRY(open_with(file, path, path, access, bytes));
    REQUIRE(*file != NULL);
    note_begin(*file);
done:
    return st;
}

Status h5_open_image(H5File **file, const char *name, const void *bytes, size_t size)
{
    *file = NULL;
    h5_start();
    const hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    (void)H5Pset_fapl_core(access, 65536, 0);
    void *copy = NULL; /* HDF5's interface wants it writable, though it copies too */
    memcpy(&copy, &bytes, sizeof copy);
    (void)H5Pset_file_image(access, copy, size);
    /* HDF5 refuses an image whose name is on disk; nothing can be below a device */
    return open_with(file, "/dev/null/image", name, access, (int64_t)size);
}

void h5_close(H5File *file)
{
    if (file != NULL) {
        (void)H5Fclose(file->id);
        h5_guard_end();
        mem_free(&file);
    }
}

static bool is_there(const H5File *file, const char *name)
{
    char part[H5_NAME_MAX];
    const size_t len = strlen(name);

    if (len == 0 || len >= sizeof part) {
        return false;
    }
    for (size_t i = 1; i <= len; i++) { /* H5Lexists wants every group above to exist */
        if (name[i] == '/' || name[i] == '\0') {
            memcpy(part, name, i);
            part[i] = '\0';
            if (H5Lexists(file->id, part, H5P_DEFAULT) <= 0) {
                return false;
            }
        }
    }
    return true;
}

/* A link may lead nowhere, in a circle, or into another file. */
static bool leads_to_object(const H5File *file, const char *name)
{
    return H5Oexists_by_name(file->id, name, H5P_DEFAULT) > 0;
}

/* That it cannot be read is not that it is absent: whoever reads on is told. */
bool h5_has(const H5File *file, const char *name)
{
    errno = 0;
    return noted(is_there(file, name));
}

int64_t h5_children(const H5File *file, const char *group)
{
    H5G_info_t info = {0};
    const bool there = strcmp(group, "/") == 0 || h5_has(file, group);
    return there && H5Gget_info_by_name(file->id, group, &info, H5P_DEFAULT) >= 0
               ? (int64_t)info.nlinks
               : 0;
}

static Status open_object(const H5File *file, const char *name, hid_t *set)
{
    errno = 0;
    const bool there = h5_has(file, name);
    const bool leads =
        there && leads_to_object(file, name); /* before anything is opened through it */
    *set = leads ? H5Dopen2(file->id, name, H5P_DEFAULT) : -1;
    if (*set < 0 && disk_refused(errno)) {
        return file_error(file->name, "read");
    }
    if (!there) {
        return status_fail(ERR_FORMAT, "%s: there is no object '%s'", file->name, name);
    }
    if (!leads) {
        return status_fail(ERR_FORMAT, "%s: '%s' is a link that leads nowhere or into another file",
                           file->name, name);
    }
    if (*set < 0) {
        return status_fail(ERR_FORMAT, "%s: '%s' is not an array (HDF5 says: %s)", file->name, name,
                           h5_says());
    }
    return OK;
}

static Status check_numbers(const H5File *file, const char *name, hid_t set, bool integers_only,
                            bool *wide)
{
    const hid_t type = H5Dget_type(set);
    const H5T_class_t class = H5Tget_class(type);
    *wide = H5Tget_size(type) > sizeof(float);
    (void)H5Tclose(type);
    if (class == H5T_INTEGER || class == H5T_ENUM || (class == H5T_FLOAT && !integers_only)) {
        return OK;
    }
    return status_fail(ERR_FORMAT, "%s: '%s' holds no %s", file->name, name,
                       integers_only ? "integers" : "numbers (float, integer or boolean)");
}

/* Plugins are off: what this library cannot unpack by itself stays packed. */
static Status check_filters(const H5File *file, const char *name, hid_t list)
{
    const int count = H5Pget_nfilters(list);
    for (int i = 0; i < count; i++) {
        unsigned flags = 0;
        size_t none = 0;
        const H5Z_filter_t id =
            H5Pget_filter2(list, (unsigned)i, &flags, &none, NULL, 0, NULL, NULL);
        if (id < 0 || H5Zfilter_avail(id) <= 0) {
            return status_fail(ERR_FORMAT,
                               "%s: '%s' is packed by HDF5's filter %d, which is not here, and "
                               "plugins are not loaded; pack it again: h5repack -f GZIP=4 OLD NEW",
                               file->name, name, (int)id);
        }
    }
    return OK;
}

/* Numbers in a chunk; 0 where there are none. */
static int64_t chunk_numbers(hid_t list)
{
    hsize_t chunk[H5S_MAX_RANK] = {0};
    int64_t count = 1;

    const int rank =
        H5Pget_layout(list) == H5D_CHUNKED ? H5Pget_chunk(list, H5S_MAX_RANK, chunk) : 0;
    for (int i = 0; i < rank; i++) {
        if (chunk[i] > UINT32_MAX || __builtin_mul_overflow(count, (int64_t)chunk[i], &count)) {
            return INT64_MAX;
        }
    }
    return rank > 0 ? count : 0;
}

/* A few damaged bytes can announce terabytes. Real data is never packed to so little. */
static Status check_size(const H5File *file, const char *name, const char *what, int64_t count)
{
    enum { ALWAYS = 1 << 22, PER_BYTE = 16 };

    if ((count - ALWAYS) / PER_BYTE > file->bytes) {
        return status_fail(ERR_FORMAT,
                           "%s: '%s' announces %s%lld numbers, more than is believed of a file of "
                           "%lld bytes; if it is right, unpack it: h5repack -f NONE OLD NEW",
                           file->name, name, what, (long long)count, (long long)file->bytes);
    }
    return OK;
}

/* gzip, the strongest of HDF5's usual filters, packs at most 1032 : 1. */
static Status check_stored(const H5File *file, const char *name, hid_t set, int64_t count)
{
    errno = 0;
    const hsize_t stored = H5Dget_storage_size(set);
    if (stored == 0 && disk_refused(errno)) {
        return file_error(file->name, "read");
    }
    if (count > 0 && (hsize_t)count / 1100 > stored) {
        return status_fail(ERR_FORMAT, "%s: '%s' announces %lld numbers but stores %llu bytes",
                           file->name, name, (long long)count, (unsigned long long)stored);
    }
    return check_size(file, name, "", count);
}

static Status check_storage(const H5File *file, const char *name, hid_t set, int64_t count)
{
    Status st = OK;
    const hid_t list = H5Dget_create_plist(set);

    if (H5Pget_layout(list) == H5D_VIRTUAL || H5Pget_external_count(list) > 0) {
        st = status_fail(ERR_FORMAT, "%s: the numbers of '%s' are in another file; copy them in",
                         file->name, name);
        goto done;
    }
    TRY(check_filters(file, name, list));
    TRY(check_stored(file, name, set, count));
    TRY(check_size(file, name, "chunks of ", chunk_numbers(list)));
done:
    (void)H5Pclose(list);
    return st;
}

static Status get_shape(const H5File *file, const char *name, hid_t set, H5Shape *shape)
{
    Status st = OK;
    hsize_t dims[H5_RANK_MAX] = {1, 1, 1};
    int64_t count = 1;

    const hid_t space = H5Dget_space(set);
    const int rank = H5Sget_simple_extent_ndims(space);
    if (rank < 0 || rank > H5_RANK_MAX || H5Sget_simple_extent_type(space) == H5S_NULL ||
        H5Sget_simple_extent_dims(space, dims, NULL) != rank) {
        st = status_fail(ERR_FORMAT, "%s: '%s' has %d dimensions; 0 to %d are allowed", file->name,
                         name, rank, (int)H5_RANK_MAX);
        goto done;
    }
    *shape = (H5Shape){.rank = rank};
    for (int i = 0; i < H5_RANK_MAX; i++) {
        if (dims[i] > INT64_MAX / 8 || __builtin_mul_overflow(count, (int64_t)dims[i], &count) ||
            count > INT64_MAX / 8) {
            st = status_fail(ERR_FORMAT, "%s: '%s' is too large", file->name, name);
            goto done;
        }
        shape->dims[i] = (int64_t)dims[i];
    }
    shape->count = count;
done:
    (void)H5Sclose(space);
    return st;
}

Status h5_open_checked(const H5File *file, const char *name, bool integers_only, hid_t *set,
                       H5Shape *shape)
{
    Status st = OK;
    bool wide = false;

    TRY(open_object(file, name, set));
    TRY(check_numbers(file, name, *set, integers_only, &wide));
    TRY(get_shape(file, name, *set, shape));
    shape->wide = wide;
    TRY(check_storage(file, name, *set, shape->count));
done:
    if (st == ERR_FORMAT && h5_sound(file) != OK) { /* that is why */
        st = ERR_IO;
    }
    return st;
}

Status h5_shape(const H5File *file, const char *name, H5Shape *shape)
{
    hid_t set = -1;
    const Status st = h5_open_checked(file, name, false, &set, shape);
    (void)H5Dclose(set);
    return st;
}

Status h5_read_failed(const H5File *file, const char *name)
{
    return status_fail(ERR_FORMAT, "%s: '%s' cannot be read, the file is damaged (HDF5 says: %s)",
                       file->name, name, h5_says());
}

Status h5_sound(const H5File *file)
{
    struct stat now;

    if (file->fd < 0) {
        return OK;
    }
    if (refusal != 0 || fstat(file->fd, &now) != 0) {
        errno = refusal != 0 ? refusal : errno;
        return file_error(file->name, "read");
    }
    return now.st_size == file->begun.st_size && now.st_mtim.tv_sec == file->begun.st_mtim.tv_sec &&
                   now.st_mtim.tv_nsec == file->begun.st_mtim.tv_nsec
               ? OK
               : status_fail(ERR_IO,
                             "%s: changed while it was read (%lld bytes before, now %lld); start "
                             "again once nobody writes to it",
                             file->name, (long long)file->begun.st_size, (long long)now.st_size);
}

Status h5_read_part(const H5File *file, const char *name, hid_t set, hid_t type, hid_t mem,
                    hid_t from, void *out)
{
    Status st = OK;

    errno = 0;
    const bool done = H5Dread(set, type, mem, from, H5P_DEFAULT, out) >= 0;
    const int cause = errno;
    TRY(h5_sound(file));
    if (!done && disk_refused(cause)) {
        errno = cause;
        return file_error(file->name, "read");
    }
    st = done ? OK : h5_read_failed(file, name);
done:
    return st;
}

Status h5_read(const H5File *file, const char *name, SlabType type, void *out, size_t n)
{
    Status st = OK;
    hid_t set = -1;
    H5Shape shape = {0};

    TRY(h5_open_checked(file, name, type == SLAB_I64, &set, &shape));
    if ((uint64_t)shape.count != n) {
        st = status_fail(ERR_FORMAT, "%s: '%s' holds %lld numbers, expected %zu", file->name, name,
                         (long long)shape.count, n);
        goto done;
    }
    if (n > 0) {
        TRY(h5_read_part(file, name, set, h5_memory_type(type), H5S_ALL, H5S_ALL, out));
    }
done:
    (void)H5Dclose(set);
    return st;
}

Status h5_check_rows(const H5File *file, const char *name, int64_t rows, int cols)
{
    Status st = OK;
    H5Shape shape = {0};

    TRY(h5_shape(file, name, &shape));
    if (shape.rank < 1 || shape.dims[0] != rows || shape.dims[1] != cols || shape.dims[2] != 1) {
        return status_fail(ERR_FORMAT, "%s: '%s' has shape (%lld, %lld, %lld), expected (%lld, %d)",
                           file->name, name, (long long)shape.dims[0], (long long)shape.dims[1],
                           (long long)shape.dims[2], (long long)rows, cols);
    }
done:
    return st;
}

Status h5_read_rows(const H5File *file, const char *name, int64_t rows, int cols, float *out)
{
    Status st = OK;

    TRY(h5_check_rows(file, name, rows, cols));
    TRY(h5_read(file, name, SLAB_F32, out, (size_t)rows * (size_t)cols));
done:
    return st;
}

Status h5_read_slab(const H5File *file, const char *group, const Slab *slab)
{
    const H5Item item = h5_item(group, slab);
    return h5_read(file, item.name, slab->type, slab->data, slab->n);
}

/* A text of fixed or free length from an attribute or an object, into text. */
static bool copy_text(hid_t from, bool attribute, hid_t type, char *text, size_t size)
{
    const hid_t space = attribute ? H5Aget_space(from) : H5Dget_space(from);
    const hssize_t points = H5Sget_simple_extent_npoints(space);
    (void)H5Sclose(space);
    if (H5Tget_class(type) != H5T_STRING || points != 1) {
        return false;
    }
    memset(text, 0, size);
    if (H5Tis_variable_str(type) <= 0) {
        return H5Tget_size(type) <= size &&
               (attribute ? H5Aread(from, type, text)
                          : H5Dread(from, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, text)) >= 0 &&
               text[size - 1] == '\0';
    }
    char *given = NULL;
    const herr_t got = attribute ? H5Aread(from, type, &given)
                                 : H5Dread(from, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, &given);
    const bool fits = got >= 0 && given != NULL && strlen(given) < size;
    if (fits) {
        memcpy(text, given, strlen(given));
    }
    (void)H5free_memory(given);
    return fits;
}

/* Takes over `from`. */
static Status take_text(const H5File *file, const char *name, hid_t from, bool attribute,
                        char *text, size_t size)
{
    Status st = OK;
    const hid_t type = attribute ? H5Aget_type(from) : H5Dget_type(from);

    if (!copy_text(from, attribute, type, text, size)) {
        text[0] = '\0';
        st = status_fail(ERR_FORMAT, "%s: '%s' is no text of less than %zu bytes", file->name, name,
                         size);
    }
    (void)H5Tclose(type);
    (void)(attribute ? H5Aclose(from) : H5Dclose(from));
    return st;
}

Status h5_read_text(const H5File *file, const char *name, char *text, size_t size)
{
    Status st = OK;
    hid_t from = -1;

    if (h5_has_attribute(file, "/", name)) {
        return h5_attribute_text(file, "/", name, text, size);
    }
    text[0] = '\0';
    TRY(open_object(file, name, &from));
    TRY(take_text(file, name, from, false, text, size));
done:
    return st;
}

/* ---- attributes ---- */

bool h5_has_attribute(const H5File *file, const char *owner, const char *name)
{
    const bool there = strcmp(owner, "/") == 0 || h5_has(file, owner);
    errno = 0;
    return there && noted(H5Aexists_by_name(file->id, owner, name, H5P_DEFAULT) > 0);
}

static Status open_attribute(const H5File *file, const char *owner, const char *name, hid_t *attr)
{
    *attr = -1;
    if (h5_has_attribute(file, owner, name)) {
        *attr = H5Aopen_by_name(file->id, owner, name, H5P_DEFAULT, H5P_DEFAULT);
    }
    if (*attr < 0) {
        return status_fail(ERR_FORMAT, "%s: '%s' has no attribute '%s'", file->name, owner, name);
    }
    return OK;
}

Status h5_attribute_text(const H5File *file, const char *owner, const char *name, char *text,
                         size_t size)
{
    Status st = OK;
    hid_t attr = -1;

    text[0] = '\0';
    TRY(open_attribute(file, owner, name, &attr));
    TRY(take_text(file, name, attr, true, text, size));
done:
    return st;
}

Status h5_attribute_integer(const H5File *file, const char *owner, const char *name, int64_t *value)
{
    Status st = OK;
    hid_t attr = -1;

    *value = 0;
    TRY(open_attribute(file, owner, name, &attr));
    const hid_t type = H5Aget_type(attr);
    const hid_t space = H5Aget_space(attr);
    if (H5Tget_class(type) != H5T_INTEGER || H5Sget_simple_extent_npoints(space) != 1 ||
        H5Aread(attr, H5T_NATIVE_INT64, value) < 0) {
        st = status_fail(ERR_FORMAT, "%s: attribute '%s' of '%s' is no integer", file->name, name,
                         owner);
    }
    (void)H5Sclose(space);
    (void)H5Tclose(type);
    (void)H5Aclose(attr);
done:
    return st;
}
