#include "data/registry.h"

#include <fnmatch.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/checksum.h"
#include "base/file.h"
#include "base/text.h"
#include "data/registry_table.h"

#define V0_ROW(name, stem, bytes, rows, sha) \
    {name "-v0", false, "gym_mujoco", stem ".hdf5", bytes, rows, sha},
#define V1_ROW(name, stem, bytes, rows, sha) \
    {name "-v1", false, "gym_mujoco_v1", stem "-v1.hdf5", bytes, rows, sha},
#define V2_ROW(name, stem, bytes, rows, sha) \
    {name "-v2", false, "gym_mujoco_v2", stem "-v2.hdf5", bytes, rows, sha},
#define MINARI_ROW(id, steps) {id, true, id "/data", "main_data.hdf5", 0, steps, ""},

static const RegistryRow table[] = {REGISTRY_D4RL_V0(V0_ROW) REGISTRY_D4RL_V1(V1_ROW)
                                        REGISTRY_D4RL_V2(V2_ROW) REGISTRY_MINARI(MINARI_ROW)};

enum { ROWS = sizeof table / sizeof *table, PATH_ROOM = 4096 };

#define DEFECT_ROW(names, sentence, source) {names, sentence},
static const struct {
    const char *names, *sentence;
} defects[] = {REGISTRY_DEFECTS(DEFECT_ROW)};

/* The paper calls medium-replay mixed. */
static void canonical(const char *word, char name[TEXT_WORD_MAX])
{
    static const char mixed[] = "-mixed";
    const char *at = strstr(word, mixed);
    const char *rest = at != NULL ? at + strlen(mixed) : "";
    const bool whole = at != NULL && (*rest == '-' || *rest == '\0');

    (void)snprintf(name, TEXT_WORD_MAX, "%.*s%s%s", whole ? (int)(at - word) : TEXT_WORD_MAX, word,
                   whole ? "-medium-replay" : "", whole ? rest : "");
}

/* All versions of a name that was given without one, "a, b"; none: false. */
static bool list_versions(const char *name, Text *text)
{
    const size_t len = strlen(name);
    for (int i = 0; i < ROWS; i++) {
        if (strncmp(table[i].name, name, len) == 0 && strncmp(table[i].name + len, "-v", 2) == 0) {
            text_add(text, "%s%s", text->used > 0 ? ", " : "", table[i].name);
        }
    }
    return text->used > 0;
}

static Status no_such_name(const char *word, const char *name)
{
    char versions[256];
    const char *names[ROWS];
    Text text = text_over(versions, sizeof versions);

    if (list_versions(name, &text)) {
        return status_fail(ERR_CONFIG, "%s: a name needs its version; there are %s", word,
                           versions);
    }
    for (int i = 0; i < ROWS; i++) {
        names[i] = table[i].name;
    }
    const char *near = text_nearest(name, names, ROWS);
    if (word[0] == '\0') {
        return status_fail(ERR_CONFIG, "an empty word stands where a file or a name belongs");
    }
    return status_fail(ERR_CONFIG,
                       "%s is neither a file nor a known name (names are like hopper-medium-v2 and "
                       "mujoco/hopper/medium-v0, see docs/datasets.md)%s%s%s",
                       word, near != NULL ? "; did you mean " : "", near != NULL ? near : "",
                       near != NULL ? "?" : "");
}

Status registry_find(const char *word, const RegistryRow **row)
{
    char name[TEXT_WORD_MAX];

    *row = NULL;
    canonical(word, name);
    for (int i = 0; i < ROWS; i++) {
        if (strcmp(table[i].name, name) == 0) {
            *row = &table[i];
            return OK;
        }
    }
    return no_such_name(word, name);
}

static bool is_file(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && !S_ISDIR(info.st_mode);
}

static bool is_path(const char *word)
{
    static const char minari[] = "mujoco/";
    return is_file(word) || strchr(word, '.') != NULL ||
           (strchr(word, '/') != NULL && strncmp(word, minari, strlen(minari)) != 0);
}

/* $variable, else the folder below the home directory. */
static void cache_of(const RegistryRow *row, char root[PATH_ROOM])
{
    const char *set = getenv(row->minari ? "MINARI_DATASETS_PATH" : "D4RL_DATASET_DIR");
    const char *home = getenv("HOME");

    if (set != NULL && *set != '\0') {
        (void)snprintf(root, PATH_ROOM, "%s", set);
    } else {
        (void)snprintf(root, PATH_ROOM, "%s/%s", home != NULL ? home : "~",
                       row->minari ? ".minari/datasets" : ".d4rl/datasets");
    }
}

/* Where a file may lie: root/below. */
static bool there(char path[PATH_ROOM], const char *root, const char *below)
{
    const int len = snprintf(path, PATH_ROOM, "%s/%s", root, below);
    return len > 0 && len < PATH_ROOM && is_file(path);
}

static bool found(const RegistryRow *row, const char *word, const char *own, const char *cache,
                  char path[PATH_ROOM])
{
    char published[256];
    char by_name[256];
    char by_word[256];

    (void)snprintf(published, sizeof published, "%s/%s", row->folder, row->file);
    (void)snprintf(by_name, sizeof by_name, "%s.hdf5", row->name);
    (void)snprintf(by_word, sizeof by_word, "%s.hdf5", word);
    if (own != NULL &&
        (there(path, own, by_name) || there(path, own, by_word) || there(path, own, published) ||
         (!row->minari && there(path, own, row->file)))) {
        return true;
    }
    return there(path, cache, row->minari ? published : row->file);
}

static Status nowhere(const RegistryRow *row, const char *own, const char *cache)
{
    own = own != NULL ? own : "not set";
    if (row->minari) {
        return status_fail(ERR_CONFIG,
                           "%s is not on this machine; `minari download %s` brings it (pip install "
                           "minari; no checksum is known). Looked in $MOPO_DATA (%s) and %s",
                           row->name, row->name, own, cache);
    }
    return status_fail(
        ERR_CONFIG,
        "%s is not on this machine. Next: curl -fLO %s/%s/%s (%lld bytes, SHA-256 %s; compare with "
        "sha256sum), then set MOPO_DATA to its folder or say FOLDER/%s instead of the name. Looked "
        "in $MOPO_DATA (%s) and %s",
        row->name, REGISTRY_D4RL_URL, row->folder, row->file, (long long)row->bytes,
        row->sha256[0] != '\0' ? row->sha256 : "not known", row->file, own, cache);
}

Status registry_locate(const char *word, char *path, size_t size, const RegistryRow **row)
{
    Status st = OK;
    char file[PATH_ROOM];
    char cache[PATH_ROOM];
    const char *own = getenv("MOPO_DATA");

    *row = NULL;
    own = own != NULL && *own != '\0' ? own : NULL;
    if (!is_file(word) && there(file, word, "data/main_data.hdf5")) {
        /* the folder of a set in Minari's layout, as `mopo data convert` makes it */
    } else if (is_path(word)) {
        (void)snprintf(file, sizeof file, "%s", word);
    } else {
        TRY(registry_find(word, row));
        cache_of(*row, cache);
        if (!found(*row, word, own, cache, file)) {
            return nowhere(*row, own, cache);
        }
    }
    if (strlen(file) >= size) {
        return status_fail(ERR_CONFIG, "%s: its path has more than %zu characters", file, size - 1);
    }
    memcpy(path, file, strlen(file) + 1);
done:
    return st;
}

static void describe(Recognition *rec, bool sure)
{
    Text note = text_over(rec->note, sizeof rec->note);
    const char *before = "; known defects: ";

    text_add(&note, "it is D4RL's %s%s", rec->row->name,
             sure ? "" : ", by its size (no checksum is known)");
    if (rec->row->rows > 0) {
        text_add(&note, ", %lld rows", (long long)rec->row->rows);
    }
    for (size_t i = 0; i < sizeof defects / sizeof *defects; i++) {
        if (fnmatch(defects[i].names, rec->row->name, FNM_PATHNAME) == 0) {
            text_add(&note, "%s%s", before, defects[i].sentence);
            before = " ";
        }
    }
}

PRINTF_LIKE(2, 3) static void suspect(Recognition *rec, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)vsnprintf(rec->note, sizeof rec->note, format, args);
    va_end(args);
    rec->suspect = true;
}

static const RegistryRow *of_size(const RegistryRow *rows, int count, int64_t bytes)
{
    for (int i = 0; i < count; i++) {
        if (rows[i].bytes > 0 && rows[i].bytes == bytes) {
            return &rows[i];
        }
    }
    return NULL;
}

Status registry_recognize_in(Recognition *rec, const char *path, const RegistryRow *expected,
                             const RegistryRow *rows, int count)
{
    Status st = OK;
    struct stat info;
    char hex[CHECKSUM_SHA256_HEX] = "";

    *rec = (Recognition){0};
    if (file_refused() || stat(path, &info) != 0) {
        return file_error(path, "open");
    }
    const RegistryRow *row = of_size(rows, count, info.st_size);
    if (row != NULL && row->sha256[0] != '\0') {
        TRY(checksum_sha256(path, hex));
    }
    if (row != NULL && strcmp(hex, row->sha256) != 0) {
        suspect(rec,
                "it has the size of D4RL's %s but another SHA-256 (%s, not %s): an altered or "
                "damaged download?",
                row->name, hex, row->sha256);
    } else if (expected != NULL && expected->bytes > 0 && row != expected) {
        suspect(rec, "it lies where D4RL's %s is looked for, but has %lld bytes, not %lld: %s%s",
                expected->name, (long long)info.st_size, (long long)expected->bytes,
                row != NULL ? "the size of " : "a cut or altered download?",
                row != NULL ? row->name : "");
    } else if (row != NULL) {
        rec->row = row;
        describe(rec, hex[0] != '\0');
    }
done:
    return st;
}

Status registry_recognize(Recognition *rec, const char *path, const RegistryRow *expected)
{
    return registry_recognize_in(rec, path, expected, table, ROWS);
}
