#include "run/model_file.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "data/h5.h"
#include "run/sealed.h"

/* Every field of EnsembleConfig: kind, name, range. */
#define FIELD_LIST(X)                      \
    X(INT, members, 1, ENSEMBLE_MAX)       \
    X(INT, elites, 1, ENSEMBLE_MAX)        \
    X(INT, state_dim, 1, ENSEMBLE_DIM_MAX) \
    X(INT, act_dim, 1, ENSEMBLE_DIM_MAX)   \
    X(INT, hidden, 1, 8192)                \
    X(INT, layers, 1, MLP_LAYERS_MAX - 1)  \
    X(BOOL, spectral_norm, 0, 1)           \
    X(BOOL, spectral_is_bound, 0, 1)       \
    X(REAL, spectral_c, 0, 1e6)            \
    X(BOOL, zscore_targets, 0, 1)          \
    X(REAL, logvar_max, -100, 100)         \
    X(REAL, logvar_min, -100, 100)         \
    X(REAL, logvar_reg, 0, 1e6)            \
    X(REAL, decay_first, 0, 1e6)           \
    X(REAL, decay_second, 0, 1e6)          \
    X(REAL, decay_hidden, 0, 1e6)          \
    X(REAL, decay_head, 0, 1e6)

typedef enum { FIELD_INT, FIELD_BOOL, FIELD_REAL } FieldKind;

typedef struct {
    FieldKind kind;
    const char *name;
    size_t offset;
    double min, max;
} Field;

static const Field fields[] = {
#define FIELD_ROW(kind, name, min, max) \
    {FIELD_##kind, #name, offsetof(EnsembleConfig, name), min, max},
    FIELD_LIST(FIELD_ROW)
#undef FIELD_ROW
};

enum { FIELDS = sizeof fields / sizeof *fields };

static const char kind_text[] = "mopo ensemble 1";

static double field_get(const EnsembleConfig *cfg, const Field *field)
{
    const unsigned char *at = (const unsigned char *)cfg + field->offset;
    int whole = 0;
    bool flag = false;
    float real = 0.0F;

    switch (field->kind) {
    case FIELD_INT:
        memcpy(&whole, at, sizeof whole);
        return whole;
    case FIELD_BOOL:
        memcpy(&flag, at, sizeof flag);
        return flag ? 1.0 : 0.0;
    case FIELD_REAL:
        break;
    }
    memcpy(&real, at, sizeof real);
    return (double)real;
}

/* value is in range: it fits. */
static void field_set(EnsembleConfig *cfg, const Field *field, double value)
{
    unsigned char *at = (unsigned char *)cfg + field->offset;
    const int whole = (int)value;
    const bool flag = value != 0.0;
    const float real = (float)value;

    switch (field->kind) {
    case FIELD_INT:
        memcpy(at, &whole, sizeof whole);
        break;
    case FIELD_BOOL:
        memcpy(at, &flag, sizeof flag);
        break;
    case FIELD_REAL:
        memcpy(at, &real, sizeof real);
        break;
    }
}

/* ---- writing ---- */

Status model_save(const char *path, const ModelInfo *info, const Ensemble *ens)
{
    Status st = OK;
    Slab slabs[ENSEMBLE_SLABS_MAX];
    H5Item items[ENSEMBLE_SLABS_MAX + FIELDS + 1];
    double values[FIELDS];
    int n = 0;

    const int count = ensemble_slabs(ens, slabs);
    for (int i = 0; i < count; i++) {
        items[n++] = h5_item("ensemble", &slabs[i]);
    }
    for (int i = 0; i < FIELDS; i++) {
        values[i] = field_get(&ens->cfg, &fields[i]);
        items[n] = (H5Item){.type = SLAB_F64, .data = &values[i], .rank = 0};
        (void)snprintf(items[n++].name, H5_NAME_MAX, "settings/%s", fields[i].name);
    }
    items[n++] =
        (H5Item){.name = "settings/passes", .type = SLAB_I64, .data = &info->passes, .rank = 0};
    const H5Text texts[] = {{"kind", kind_text, false},
                            {"task", info->task, false},
                            {"dataset_digest", info->dataset_digest, false}};
    TRY(sealed_write(path, items, n, texts, (int)(sizeof texts / sizeof *texts)));
done:
    return status_while(st, "writing the model");
}

/* ---- reading ---- */

static Status read_settings(const H5File *file, const char *path, EnsembleConfig *cfg)
{
    Status st = OK;
    char name[H5_NAME_MAX];
    double value = 0;

    *cfg = (EnsembleConfig){0};
    for (int i = 0; i < FIELDS; i++) {
        const Field *f = &fields[i];
        (void)snprintf(name, sizeof name, "settings/%s", f->name);
        TRY(h5_read(file, name, SLAB_F64, &value, 1));
        const bool whole = f->kind == FIELD_REAL || value == floor(value);
        if (!(value >= f->min && value <= f->max) || !whole) { /* NaN too */
            st = status_fail(ERR_FORMAT, "%s: %s is %.9g; %s number from %.9g to %.9g is allowed",
                             path, name, value, f->kind == FIELD_REAL ? "a" : "a whole", f->min,
                             f->max);
            goto done;
        }
        field_set(cfg, f, value);
    }
done:
    return st;
}

static Status compare(const char *path, const EnsembleConfig *got, const EnsembleConfig *want)
{
    for (int i = 0; i < FIELDS; i++) {
        const double a = field_get(got, &fields[i]);
        const double b = field_get(want, &fields[i]);
        if (a != b) {
            return status_fail(ERR_CONFIG,
                               "%s: was fitted with %s = %.9g, the settings ask for %.9g; use "
                               "that setting, or fit a model in another run_dir",
                               path, fields[i].name, a, b);
        }
    }
    return OK;
}

static Status check_elites(const char *path, const Ensemble *ens)
{
    bool seen[ENSEMBLE_MAX] = {false};
    for (int i = 0; i < ens->cfg.members; i++) {
        const int64_t member = ens->elite[i];
        if (member < 0 || member >= ens->cfg.members || seen[member]) {
            return status_fail(ERR_FORMAT,
                               "%s: ensemble/elites must hold each member from 0 to %d once", path,
                               ens->cfg.members - 1);
        }
        seen[member] = true;
    }
    return OK;
}

static Status check_scales(const char *path, const Ensemble *ens)
{
    const int n = 2 * (2 * ens->cfg.state_dim + ens->cfg.act_dim + 1);
    for (int i = 0; i < n; i++) {
        if (!isfinite(ens->scales[i])) {
            return status_fail(ERR_FORMAT, "%s: ensemble/scales holds numbers that are not finite",
                               path);
        }
    }
    return OK;
}

/* The settings ask for no more memory than the file has weights. */
static Status check_weights(const H5File *file, const char *path, const EnsembleConfig *cfg)
{
    Status st = OK;
    H5Shape shape = {0};
    const int64_t H = cfg->hidden;
    const int64_t least =
        cfg->members * (H * (cfg->state_dim + cfg->act_dim) + (cfg->layers - 1) * H * H);

    TRY(h5_shape(file, "ensemble/members", &shape));
    if (shape.count < least) {
        st = status_fail(ERR_FORMAT,
                         "%s: ensemble/members holds %lld numbers, too few for %d members of %d x "
                         "%d",
                         path, (long long)shape.count, cfg->members, cfg->layers, cfg->hidden);
    }
done:
    return st;
}

static Status read_slabs(const H5File *file, const char *path, Ensemble *ens)
{
    Status st = OK;
    Slab slabs[ENSEMBLE_SLABS_MAX];

    const int count = ensemble_slabs(ens, slabs);
    for (int i = 0; i < count; i++) {
        TRY(h5_read_slab(file, "ensemble", &slabs[i]));
    }
    TRY(check_elites(path, ens));
    TRY(check_scales(path, ens));
done:
    return st;
}

static Status check_kind(const H5File *file, const char *path)
{
    char kind[MODEL_TEXT_MAX];
    if (h5_read_text(file, "kind", kind, sizeof kind) != OK || strcmp(kind, kind_text) != 0) {
        return status_fail(ERR_FORMAT, "%s: is not a model (attribute kind is not '%s')", path,
                           kind_text);
    }
    return OK;
}

Status model_load(const char *path, const EnsembleConfig *want, ModelInfo *info, Ensemble *ens)
{
    Status st = OK;
    H5File *file = NULL;
    EnsembleConfig cfg;

    *ens = (Ensemble){0};
    *info = (ModelInfo){0};
    TRY(sealed_open(&file, path, true));
    TRY(check_kind(file, path));
    TRY(read_settings(file, path, &cfg));
    if (want != NULL) {
        TRY(compare(path, &cfg, want));
    }
    TRY(h5_read_text(file, "task", info->task, sizeof info->task));
    TRY(h5_read_text(file, "dataset_digest", info->dataset_digest, sizeof info->dataset_digest));
    TRY(h5_read(file, "settings/passes", SLAB_I64, &info->passes, 1));
    TRY(check_weights(file, path, &cfg));
    st = ensemble_init(ens, &cfg, 0); /* every number is replaced */
    TRY(st == ERR_ARG ? ERR_FORMAT : st);
    TRY(read_slabs(file, path, ens));
    ensemble_freeze(ens);
done:
    h5_close(file);
    if (st != OK) {
        ensemble_release(ens);
    }
    return status_while(st, "reading the model");
}
