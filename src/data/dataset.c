#include "data/dataset.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/slab.h"
#include "data/bounds.h"
#include "data/source.h"

enum { DEFAULT_HORIZON = 1000, BLOCK_BYTES = 512 << 10 };

struct DatasetReader {
    Source src;
    DatasetOptions opt; /* with `next` and `horizon` settled */
    int64_t skip;       /* rows that would be kept if there were no max_rows */
};

/* ---- the first half: shapes and flags ---- */

static Status check_width(const Source *src, Field field, int want)
{
    const int got = source_width(src, field);

    if (want != 0 && got != want) {
        return status_fail(ERR_CONFIG,
                           "%s: '%s' has %d columns, the task has %d; choose the task, or its "
                           "env.* settings, that the dataset was recorded with",
                           src->path, source_name(field), got, want);
    }
    return OK;
}

static Status settle_options(DatasetReader *reader)
{
    DatasetOptions *opt = &reader->opt;
    const Source *src = &reader->src;

    if (opt->next == NEXT_STORED && !src->has_next) {
        return status_fail(
            ERR_CONFIG,
            "%s: there are no 'next_observations', which data.next: stored asks for; "
            "use auto, joined or d4rl",
            src->path);
    }
    if (opt->next == NEXT_AUTO) {
        opt->next = src->has_next ? NEXT_STORED : NEXT_JOINED;
    }
    if (opt->horizon == 0) {
        opt->horizon = DEFAULT_HORIZON;
    }
    return OK;
}

/* Without 'timeouts' an episode is cut after `horizon` steps. d4rl counts one step too many after
 * a terminal row (its counter is set to 0 and then advanced); NEXT_D4RL follows. */
static void cut_episodes(DatasetReader *reader)
{
    Source *src = &reader->src;
    const int after_terminal = reader->opt.next == NEXT_D4RL ? 1 : 0;
    int step = 0;

    for (int64_t i = 0; i < src->rows; i++) {
        src->timeout[i] = step == reader->opt.horizon - 1;
        step = src->timeout[i] != 0 ? 0 : src->terminal[i] != 0 ? after_terminal : step + 1;
    }
}

static bool is_kept(const DatasetReader *reader, int64_t i)
{
    const Source *src = &reader->src;

    if (reader->opt.next == NEXT_STORED) {
        return true;
    }
    const bool joins = src->timeout[i] == 0 && i + 1 < src->rows;
    return joins && (reader->opt.next == NEXT_D4RL || src->terminal[i] == 0);
}

static Status count(DatasetReader *reader, Dataset *set)
{
    const Source *src = &reader->src;
    const int64_t most = reader->opt.max_rows;
    int64_t kept = 0;

    set->file_rows = src->rows;
    for (int64_t i = 0; i < src->rows; i++) {
        set->terminals += src->terminal[i];
        set->timeouts += src->timeout[i];
        kept += is_kept(reader, i);
    }
    if (kept == 0) {
        return status_fail(ERR_FORMAT, "%s: none of the %lld rows has a known next state",
                           src->path, (long long)src->rows);
    }
    set->rows = most > 0 && kept > most ? most : kept;
    reader->skip = kept - set->rows;
    return OK;
}

static void describe(const DatasetReader *reader, Dataset *set)
{
    static const char *const rules[] = {
        [NEXT_AUTO] = "",
        [NEXT_STORED] = "s' from next_observations",
        [NEXT_JOINED] = "s' is the next row; terminal, timed-out and last rows dropped",
        [NEXT_D4RL] =
            "as d4rl: s' is the next row, also after terminal ones; timed-out rows dropped",
    };
    char cut[80] = "";
    char mapped[80];

    if (!reader->src.has_timeouts) {
        (void)snprintf(cut, sizeof cut, "; no timeouts in the file: episodes cut after %d steps",
                       reader->opt.horizon);
    }
    bounds_describe(&set->bounds, mapped, sizeof mapped);
    (void)snprintf(set->rule, sizeof set->rule, "%s%s%s", rules[reader->opt.next], cut, mapped);
}

Status dataset_open(DatasetReader **out, const char *path, const DatasetOptions *options,
                    Dataset *set)
{
    Status st = OK;
    DatasetReader *reader = NULL;

    *out = NULL;
    *set = (Dataset){0};
    TRY(mem_alloc(&reader, 1, sizeof *reader, "a dataset's reader"));
    reader->opt = *options;
    Source *src = &reader->src;
    TRY(source_open(src, path));
    TRY(check_width(src, FIELD_STATE, options->state_dim));
    TRY(check_width(src, FIELD_ACTION, options->act_dim));
    TRY(settle_options(reader));
    if (!src->has_timeouts) {
        cut_episodes(reader);
    }
    TRY(count(reader, set));
    if (options->bounds != NULL) {
        set->bounds = *options->bounds;
        TRY(bounds_resolve(&set->bounds, src));
    }
    describe(reader, set);
    set->rec = record_make(src->state_dim, src->act_dim);
    *out = reader;
    reader = NULL;
done:
    dataset_close(&reader);
    if (st != OK) {
        *set = (Dataset){0};
    }
    return st;
}

void dataset_close(DatasetReader **reader)
{
    if (*reader != NULL) {
        source_close(&(*reader)->src);
        mem_free(reader);
    }
}

/* ---- the second half: records and statistics ---- */

typedef struct {
    DatasetReader *reader;
    Dataset *set;
    float *records;
    float *x[FIELDS]; /* a block of each field that is read */
    int64_t kept;     /* rows so far, those that max_rows leaves out included */
    float *waiting;   /* record whose s' is the state of the next row; or NULL */
    double sum;       /* rewards of this episode */
    SlabDigest *digest;
    int64_t digested; /* records */
} Fill;

static Status read_block(Fill *fill, int64_t first, int64_t n)
{
    Status st = OK;
    Source *src = &fill->reader->src;

    for (int f = 0; f < FIELDS; f++) {
        if (f != FIELD_NEXT || fill->reader->opt.next == NEXT_STORED) {
            TRY(source_read(src, (Field)f, first, n, fill->x[f]));
            TRY(source_check_finite(src, (Field)f, first, n, fill->x[f]));
        }
    }
    TRY(bounds_apply(&fill->set->bounds, src, first, n, fill->x[FIELD_ACTION]));
done:
    return st;
}

static void add_episode(Dataset *set, double sum)
{
    const double n = (double)set->episodes;
    set->return_min = set->episodes == 0 ? sum : fmin(set->return_min, sum);
    set->return_max = set->episodes == 0 ? sum : fmax(set->return_max, sum);
    set->return_mean += (sum - set->return_mean) / (n + 1);
    set->episodes++;
}

static void measure(Fill *fill, int64_t first, int64_t n)
{
    const Source *src = &fill->reader->src;
    Dataset *set = fill->set;

    for (int64_t i = 0; i < n; i++) {
        const double r = (double)fill->x[FIELD_REWARD][i];
        set->reward_min = r < set->reward_min || first + i == 0 ? r : set->reward_min;
        set->reward_max = r > set->reward_max || first + i == 0 ? r : set->reward_max;
        fill->sum += r;
        if (src->terminal[first + i] != 0 || src->timeout[first + i] != 0) {
            add_episode(set, fill->sum);
            fill->sum = 0;
        }
    }
}

/* memcpy of a few floats, without the call: eight at a time, the last eight perhaps once more. */
static inline void copy(float *to, const float *from, size_t n)
{
    enum { LANES = 8 };

    for (size_t i = 0; n < LANES && i < n; i++) {
        to[i] = from[i];
    }
    for (size_t i = 0; i + LANES <= n; i += LANES) {
        memcpy(to + i, from + i, LANES * sizeof *to);
    }
    if (n >= LANES) {
        memcpy(to + n - LANES, from + n - LANES, LANES * sizeof *to);
    }
}

static void build(Fill *fill, int64_t first, int64_t n)
{
    const Source *src = &fill->reader->src;
    const Record rec = fill->set->rec;
    const size_t S = (size_t)rec.S;
    const size_t A = (size_t)rec.A;
    const bool stored = fill->reader->opt.next == NEXT_STORED;

    for (int64_t i = 0; i < n; i++) {
        const float *s = fill->x[FIELD_STATE] + (size_t)i * S;
        if (fill->waiting != NULL) {
            copy(fill->waiting + rec.s2, s, S);
            fill->waiting = NULL;
        }
        if (!is_kept(fill->reader, first + i) || fill->kept++ < fill->reader->skip) {
            continue;
        }
        float *to = fill->records + (size_t)(fill->kept - 1 - fill->reader->skip) * rec.stride;
        copy(to, s, S);
        copy(to + rec.a, fill->x[FIELD_ACTION] + (size_t)i * A, A);
        to[rec.r] = fill->x[FIELD_REWARD][i];
        to[rec.cont] = src->terminal[first + i] != 0 ? 0.0F : 1.0F;
        if (stored) {
            copy(to + rec.s2, fill->x[FIELD_NEXT] + (size_t)i * S, S);
        } else {
            fill->waiting = to;
        }
    }
}

static void start_digest(Fill *fill)
{
    const Dataset *set = fill->set;
    int64_t head[3] = {set->rec.S, set->rec.A, set->rows};
    const Slab shape = slab_i64("shape", head, 3);
    const Slab records = slab_f32("records", NULL, (size_t)set->rows * set->rec.stride);

    fill->digest = slab_digest_open();
    slab_digest_add(fill->digest, &shape);
    slab_digest_add(fill->digest, &records);
}

/* The records that are complete, while they are in the cache. */
static void add_to_digest(Fill *fill)
{
    const size_t stride = fill->set->rec.stride;
    int64_t done = fill->kept > fill->reader->skip ? fill->kept - fill->reader->skip : 0;

    done -= fill->waiting != NULL;
    slab_digest_bytes(fill->digest, fill->records + (size_t)fill->digested * stride,
                      (size_t)(done - fill->digested) * stride * sizeof(float));
    fill->digested = done;
}

Status dataset_fill(DatasetReader *reader, float *records, Dataset *set)
{
    Status st = OK;
    float *block = NULL;
    Fill fill = {.reader = reader, .set = set, .records = records};
    const Record rec = set->rec;
    const int64_t fits = BLOCK_BYTES / (int64_t)(rec.stride * sizeof(float));
    const int64_t most = fits < 64 ? 64 : fits;

    start_digest(&fill);
    TRY(mem_alloc(&block, (size_t)most * rec.stride, sizeof *block, "a block of the dataset"));
    fill.x[FIELD_STATE] = block;
    fill.x[FIELD_ACTION] = block + (size_t)most * rec.a;
    fill.x[FIELD_REWARD] = block + (size_t)most * rec.r;
    fill.x[FIELD_NEXT] = block + (size_t)most * rec.s2;
    for (int64_t first = 0; first < reader->src.rows; first += most) {
        const int64_t left = reader->src.rows - first;
        const int64_t n = left < most ? left : most;
        TRY(read_block(&fill, first, n));
        measure(&fill, first, n);
        build(&fill, first, n);
        add_to_digest(&fill);
    }
    set->records = records;
    set->borrowed = true;
done:
    slab_digest_close(fill.digest, set->digest);
    mem_free(&block);
    if (st != OK) {
        *set = (Dataset){0};
    }
    return st;
}

Status dataset_read(Dataset *set, const char *path, const DatasetOptions *options)
{
    Status st = OK;
    DatasetReader *reader = NULL;
    float *records = NULL;

    TRY(dataset_open(&reader, path, options, set));
    TRY(mem_alloc(&records, (size_t)set->rows, set->rec.stride * sizeof *records, "a dataset"));
    TRY(dataset_fill(reader, records, set));
    set->borrowed = false;
    records = NULL;
done:
    mem_free(&records);
    dataset_close(&reader);
    if (st != OK) {
        *set = (Dataset){0};
    }
    return st;
}

void dataset_release(Dataset *set)
{
    if (!set->borrowed) {
        mem_free(&set->records);
    }
    *set = (Dataset){0};
}
