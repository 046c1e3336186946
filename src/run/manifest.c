#include "run/manifest.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/panic.h"

enum { MANIFEST_BYTES_MAX = 1 << 20 };

/* The text, with room for one more byte, in memory of ours. */
static Status dump(const json_t *value, size_t flags, char **text, size_t *n)
{
    Status st = OK;

    *text = NULL;
    *n = json_dumpb(value, NULL, 0, flags);
    if (value == NULL || *n == 0) {
        return status_fail(ERR_ARG,
                           "JSON cannot be made: a text is not UTF-8, or too little memory");
    }
    TRY(mem_alloc(text, *n + 1, 1, "the text of a manifest"));
    *n = json_dumpb(value, *text, *n, flags);
done:
    return st;
}

Status manifest_write(const char *path, const json_t *value)
{
    Status st = OK;
    char *text = NULL;
    size_t n = 0;

    TRY(dump(value, JSON_INDENT(2) | JSON_SORT_KEYS, &text, &n));
    REQUIRE(text != NULL);
    text[n] = '\n';
    TRY(file_write(path, text, n + 1));
done:
    mem_free(&text);
    return status_while(st, "writing %s", path);
}

Status manifest_read(const char *path, json_t **value)
{
    Status st = OK;
    unsigned char *bytes = NULL;
    size_t n = 0;
    json_error_t error;

    *value = NULL;
    TRY(file_read(path, MANIFEST_BYTES_MAX, &bytes, &n));
    json_t *loaded = json_loadb((const char *)bytes, n, JSON_REJECT_DUPLICATES, &error);
    if (!json_is_object(loaded)) {
        st = status_fail(ERR_FORMAT, "%s:%d:%d: not a JSON object: %s", path,
                         loaded == NULL ? error.line : 1, loaded == NULL ? error.column : 1,
                         loaded == NULL ? error.text : "another value");
        json_decref(loaded);
        goto done;
    }
    *value = loaded;
done:
    mem_free(&bytes);
    return st;
}

Status manifest_digest(json_t *value, char digest[SLAB_DIGEST_MAX])
{
    Status st = OK;
    char *text = NULL;
    size_t n = 0;

    json_t *rest = json_copy(value);
    (void)json_object_del(rest, "digest");
    TRY(dump(rest, JSON_COMPACT | JSON_SORT_KEYS, &text, &n));
    bytes_digest(text, n, digest);
done:
    json_decref(rest);
    mem_free(&text);
    return st;
}
