#include "data/minari.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"

enum { ITEMS = 7 }; /* of an episode: five arrays and two attributes */

static void part_name(char name[H5_NAME_MAX], int64_t episode, const char *part)
{
    (void)snprintf(name, H5_NAME_MAX, "episode_%lld%s%s", (long long)episode,
                   part[0] != '\0' ? "/" : "", part);
}

/* ---- reading ---- */

typedef struct {
    const H5File *file;
    const char *path;
    int64_t episodes;
} Source;

static Status count_episodes(Source *src)
{
    char name[H5_NAME_MAX];
    const int64_t all = h5_children(src->file, "/");

    for (;; src->episodes++) {
        part_name(name, src->episodes, "");
        if (!h5_has(src->file, name)) {
            break;
        }
    }
    if (src->episodes != all) {
        return status_fail(ERR_FORMAT,
                           "%s: there is no '%s', though the file holds %lld groups; Minari's "
                           "episodes are numbered from 0 without gaps",
                           src->path, name, (long long)all);
    }
    return OK;
}

/* Steps of an episode, after its arrays were compared with each other. */
static Status episode_shape(const Source *src, int64_t k, int *S, int *A, int64_t *steps)
{
    Status st = OK;
    char name[H5_NAME_MAX];
    H5Shape obs = {0};
    H5Shape act = {0};

    part_name(name, k, "observations");
    if (h5_children(src->file, name) > 0) {
        return status_fail(ERR_FORMAT,
                           "%s: '%s' is a group: the observations are a dictionary or a tuple; "
                           "flatten them to one array (gymnasium.wrappers.FlattenObservation) and "
                           "write the dataset again",
                           src->path, name);
    }
    TRY(h5_shape(src->file, name, &obs));
    part_name(name, k, "actions");
    TRY(h5_shape(src->file, name, &act));
    *S = (int)obs.dims[1];
    *A = (int)act.dims[1];
    *steps = act.dims[0];
    if (obs.dims[0] != act.dims[0] + 1 || obs.dims[1] > 10000 || act.dims[1] > 10000 ||
        obs.dims[2] != 1 || act.dims[2] != 1) {
        return status_fail(ERR_FORMAT,
                           "%s: episode %lld has %lld x %lld observations and %lld x %lld actions; "
                           "one more observation than actions is expected",
                           src->path, (long long)k, (long long)obs.dims[0], (long long)obs.dims[1],
                           (long long)act.dims[0], (long long)act.dims[1]);
    }
done:
    return st;
}

static Status allocate(Recording *rec)
{
    Status st = OK;
    const size_t n = (size_t)rec->rows;
    const size_t s = n * (size_t)rec->state_dim;

    TRY(mem_alloc(&rec->observations, s, sizeof(double), "a dataset"));
    TRY(mem_alloc(&rec->next_observations, s, sizeof(double), "a dataset"));
    TRY(mem_alloc(&rec->actions, n * (size_t)rec->act_dim, sizeof(double), "a dataset"));
    TRY(mem_alloc(&rec->rewards, n, sizeof(double), "a dataset"));
    TRY(mem_alloc(&rec->terminals, n, 1, "a dataset"));
    TRY(mem_alloc(&rec->timeouts, n, 1, "a dataset"));
done:
    return st;
}

static Status measure(const Source *src, Recording *rec, int64_t *longest)
{
    Status st = OK;

    for (int64_t k = 0; k < src->episodes; k++) {
        int S = 0;
        int A = 0;
        int64_t steps = 0;
        TRY(episode_shape(src, k, &S, &A, &steps));
        if (k == 0) {
            rec->state_dim = S;
            rec->act_dim = A;
        }
        if (S != rec->state_dim || A != rec->act_dim || S < 1 || A < 1) {
            return status_fail(ERR_FORMAT,
                               "%s: episode %lld has %d state and %d action columns, the first one "
                               "%d and %d",
                               src->path, (long long)k, S, A, rec->state_dim, rec->act_dim);
        }
        rec->rows += steps;
        *longest = steps > *longest ? steps : *longest;
    }
    if (rec->rows < 1) {
        st = status_fail(ERR_FORMAT, "%s: there is no step in any of its %lld episodes", src->path,
                         (long long)src->episodes);
    } else if (rec->rows > UINT32_MAX) {
        st = status_fail(ERR_FORMAT, "%s: %lld steps; at most 2^32 - 1 are allowed", src->path,
                         (long long)rec->rows);
    }
done:
    return st;
}

static void store_flags(Recording *rec, uint8_t *flags, const double *x, int64_t n)
{
    for (int64_t t = 0; t < n; t++) {
        flags[t] = x[t] != 0;
        rec->odd_flags += x[t] != 0 && x[t] != 1 ? 1 : 0;
    }
}

/* Episode k to rows `at` and on; space: (longest + 1, S) doubles. Returns the rows in *steps. */
static Status read_episode(const Source *src, int64_t k, int64_t at, double *space, Recording *rec,
                           int64_t *steps)
{
    Status st = OK;
    char name[H5_NAME_MAX];
    int S = 0;
    int A = 0;

    TRY(episode_shape(src, k, &S, &A, steps));
    const size_t T = (size_t)*steps;
    const size_t s = (size_t)S;
    if (T == 0) {
        return OK;
    }
    part_name(name, k, "observations");
    TRY(h5_read(src->file, name, SLAB_F64, space, (T + 1) * s));
    memcpy(rec->observations + (size_t)at * s, space, T * s * sizeof *space);
    memcpy(rec->next_observations + (size_t)at * s, space + s, T * s * sizeof *space);
    part_name(name, k, "actions");
    TRY(h5_read(src->file, name, SLAB_F64, rec->actions + at * A, T * (size_t)A));
    part_name(name, k, "rewards");
    TRY(h5_read(src->file, name, SLAB_F64, rec->rewards + at, T));
    part_name(name, k, "terminations");
    TRY(h5_read(src->file, name, SLAB_F64, space, T));
    store_flags(rec, rec->terminals + at, space, *steps);
    part_name(name, k, "truncations");
    TRY(h5_read(src->file, name, SLAB_F64, space, T));
    store_flags(rec, rec->timeouts + at, space, *steps);
done:
    return st;
}

Status minari_read(Recording *rec, H5File *file, const char *path)
{
    Status st = OK;
    Source src = {.file = file, .path = path};
    double *space = NULL;
    int64_t longest = 0;
    int64_t at = 0;

    rec->layout = LAYOUT_MINARI;
    rec->wide = true;
    TRY(count_episodes(&src));
    TRY(measure(&src, rec, &longest));
    TRY(allocate(rec));
    TRY(mem_alloc(&space, (size_t)(longest + 1) * (size_t)rec->state_dim, sizeof *space,
                  "an episode"));
    for (int64_t k = 0; k < src.episodes; k++) {
        int64_t steps = 0;
        TRY(read_episode(&src, k, at, space, rec, &steps));
        at += steps;
        if (steps > 0 && rec->terminals[at - 1] == 0) {
            rec->timeouts[at - 1] = 1; /* an episode of its own ends here, whatever it says */
        }
    }
done:
    mem_free(&space);
    return st;
}

/* ---- the Arrow variant ---- */

static bool says_arrow(const char *metadata)
{
    unsigned char *text = NULL;
    size_t size = 0;

    if (!file_exists(metadata) || file_read(metadata, 1 << 24, &text, &size) != OK) {
        return false;
    }
    const char *key = strstr((const char *)text, "\"data_format\"");
    const char *value = key != NULL ? strchr(key + 13, '"') : NULL;
    const bool arrow = value != NULL && strncmp(value, "\"arrow\"", 7) == 0;
    mem_free(&text);
    return arrow;
}

Status minari_refuse_arrow(const char *path)
{
    static const char *const below[] = {"", "/metadata.json", "/data/metadata.json"};

    for (size_t i = 0; i < sizeof below / sizeof *below; i++) {
        char name[4096];
        const int len = snprintf(name, sizeof name, "%s%s", path, below[i]);
        const bool json = len > 5 && len < (int)sizeof name && strcmp(name + len - 5, ".json") == 0;
        if (json && says_arrow(name)) {
            return status_fail(
                ERR_FORMAT,
                "%s: a Minari dataset in Arrow format, which cannot be read here; convert it with "
                "Minari: load it, and create a copy with data_format=\"hdf5\"; or download the "
                "HDF5 edition",
                path);
        }
    }
    return OK;
}

/* ---- writing ---- */

typedef struct {
    const Recording *rec;
    const int64_t *starts; /* (episodes + 1) */
    int64_t episodes;
    double *obs;        /* (N + episodes, S): each episode's states and the last s' */
    float *act;         /* (N, A) */
    uint8_t *truncated; /* (N) */
    int64_t *numbers;   /* (episodes, 2): id, total_steps */
    H5Item *items;      /* (episodes, ITEMS) */
    int n;
} Output;

static Status check_chain(const Recording *rec, const char *path, int64_t from, int64_t to)
{
    const size_t s = (size_t)rec->state_dim;

    for (int64_t i = from; i + 1 < to; i++) {
        if (memcmp(rec->next_observations + (size_t)i * s, rec->observations + (size_t)(i + 1) * s,
                   s * sizeof(double)) != 0) {
            return status_fail(ERR_CONFIG,
                               "%s: the next observation of row %lld is not the observation of row "
                               "%lld, though no flag stands between them; Minari keeps whole "
                               "episodes only. `mopo data check` says more",
                               path, (long long)i, (long long)i + 1);
        }
    }
    return OK;
}

static void fill_episode(Output *out, int64_t k)
{
    const Recording *rec = out->rec;
    const int64_t from = out->starts[k];
    const int64_t to = out->starts[k + 1];
    const size_t s = (size_t)rec->state_dim;
    double *obs = out->obs + ((size_t)from + (size_t)k) * s;

    memcpy(obs, rec->observations + (size_t)from * s, (size_t)(to - from) * s * sizeof *obs);
    memcpy(obs + (size_t)(to - from) * s, rec->next_observations + (size_t)(to - 1) * s,
           s * sizeof *obs);
    for (int64_t i = from * rec->act_dim; i < to * rec->act_dim; i++) {
        out->act[i] = (float)rec->actions[i];
    }
    out->truncated[to - 1] = rec->terminals[to - 1] == 0;
    out->numbers[2 * k] = k;
    out->numbers[2 * k + 1] = to - from;
}

static void add(Output *out, int64_t k, const char *part, const H5Item *like)
{
    H5Item *item = &out->items[out->n++];
    *item = *like;
    part_name(item->name, k, part);
}

static void list_episode(Output *out, int64_t k)
{
    const Recording *rec = out->rec;
    const int64_t from = out->starts[k];
    const int64_t T = out->starts[k + 1] - from;
    const int64_t S = rec->state_dim;
    const int64_t A = rec->act_dim;

    add(out, k, "observations",
        &(H5Item){.type = SLAB_F64,
                  .data = out->obs + (from + k) * S,
                  .rank = 2,
                  .dims = {T + 1, S},
                  .extend = true});
    add(out, k, "actions",
        &(H5Item){.type = SLAB_F32,
                  .data = out->act + from * A,
                  .rank = 2,
                  .dims = {T, A},
                  .extend = true});
    add(out, k, "rewards",
        &(H5Item){
            .type = SLAB_F64, .data = rec->rewards + from, .rank = 1, .dims = {T}, .extend = true});
    add(out, k, "terminations",
        &(H5Item){
            .flags = true, .data = rec->terminals + from, .rank = 1, .dims = {T}, .extend = true});
    add(out, k, "truncations",
        &(H5Item){
            .flags = true, .data = out->truncated + from, .rank = 1, .dims = {T}, .extend = true});
    add(out, k, "id", &(H5Item){.type = SLAB_I64, .data = out->numbers + 2 * k, .attribute = true});
    add(out, k, "total_steps",
        &(H5Item){.type = SLAB_I64, .data = out->numbers + 2 * k + 1, .attribute = true});
}

static Status prepare(Output *out, const char *path)
{
    Status st = OK;
    const Recording *rec = out->rec;
    const size_t n = (size_t)rec->rows;
    const size_t k = (size_t)out->episodes;

    TRY(mem_alloc(&out->obs, (n + k) * (size_t)rec->state_dim, sizeof *out->obs, "episodes"));
    TRY(mem_alloc(&out->act, n * (size_t)rec->act_dim, sizeof *out->act, "episodes"));
    TRY(mem_alloc(&out->truncated, n, 1, "episodes"));
    TRY(mem_alloc(&out->numbers, 2 * k, sizeof *out->numbers, "episodes"));
    TRY(mem_alloc(&out->items, k * ITEMS, sizeof *out->items, "episodes"));
    for (int64_t e = 0; e < out->episodes; e++) {
        TRY(check_chain(rec, path, out->starts[e], out->starts[e + 1]));
        fill_episode(out, e);
        list_episode(out, e);
    }
done:
    return st;
}

Status minari_write(const char *path, const Recording *rec, int horizon, int64_t *episodes)
{
    Status st = OK;
    Output out = {.rec = rec};
    int64_t *starts = NULL;

    *episodes = 0;
    if (rec->next_observations == NULL) {
        return status_fail(ERR_CONFIG,
                           "%s: Minari keeps the state after the last step of an episode, which a "
                           "recording without next_observations does not have",
                           path);
    }
    TRY(mem_alloc(&starts, (size_t)rec->rows + 1, sizeof *starts, "starts of episodes"));
    out.episodes = recording_episodes(rec, horizon, starts);
    out.starts = starts;
    TRY(prepare(&out, path));
    TRY(h5_write(path, out.items, out.n, NULL, 0));
    *episodes = out.episodes;
done:
    mem_free(&starts);
    mem_free(&out.obs);
    mem_free(&out.act);
    mem_free(&out.truncated);
    mem_free(&out.numbers);
    mem_free(&out.items);
    return st;
}
