/* Models with a right seal. */
#include <math.h>
#include <stdio.h>

#include "base/mem.h"
#include "fuzz/fuzz.h"
#include "run/model_file.h"

enum { E = 2, S = 2, A = 1, H = 3 };

/* Slabs and their lengths are those of the program's own model, so that most of what is made can be read. */
static void list(FuzzArray *arrays, int *n)
{
    static const EnsembleConfig cfg = {.members = E,
                                       .elites = 1,
                                       .state_dim = S,
                                       .act_dim = A,
                                       .hidden = H,
                                       .layers = 2,
                                       .spectral_c = 1,
                                       .logvar_max = 0.5F,
                                       .logvar_min = -10};
    static const struct {
        const char *name;
        double value;
    } settings[] = {{"settings/members", E},       {"settings/elites", 1},
                    {"settings/state_dim", S},     {"settings/act_dim", A},
                    {"settings/hidden", H},        {"settings/layers", 2},
                    {"settings/spectral_norm", 0}, {"settings/spectral_is_bound", 0},
                    {"settings/spectral_c", 1},    {"settings/zscore_targets", 0},
                    {"settings/logvar_max", 0.5},  {"settings/logvar_min", -10},
                    {"settings/logvar_reg", 0.01}, {"settings/decay_first", 0},
                    {"settings/decay_second", 0},  {"settings/decay_hidden", 0},
                    {"settings/decay_head", 0},    {"settings/passes", 3}};
    Ensemble ens;
    Slab slabs[ENSEMBLE_SLABS_MAX];
    static char names[ENSEMBLE_SLABS_MAX][H5_NAME_MAX];

    *n = 0;
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        arrays[(*n)++] = (FuzzArray){.name = settings[i].name, .value = settings[i].value};
    }
    EXPECT(ensemble_init(&ens, &cfg, 0) == OK);
    const int count = ensemble_slabs(&ens, slabs);
    for (int i = 0; i < count; i++) {
        (void)snprintf(names[i], sizeof names[i], "ensemble/%s", slabs[i].name);
        arrays[(*n)++] = (FuzzArray){
            .name = names[i], .rank = 1, .dims = {(int64_t)slabs[i].n}, .value = i == 1 ? 1 : 0};
    }
    ensemble_release(&ens);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum { ARRAYS_MAX = 32 };
    FuzzBytes in = {data, size};
    static FuzzArray arrays[ARRAYS_MAX];
    static int n;
    ModelInfo info;
    Ensemble ens;
    const H5Text texts[] = {
        {"kind", fuzz_byte(&in) == 255 ? "mopo ensemble 2" : "mopo ensemble 1", false},
        {"task", "pointmass", false},
        {"dataset_digest", "12ab", false}};

    if (n == 0) {
        list(arrays, &n);
    }
    const char *path = fuzz_h5("model.h5", true, &in, arrays, n, texts, 3);
    if (path != NULL && model_load(path, NULL, &info, &ens) == OK) {
        EXPECT(ens.cfg.members >= 1 && ens.cfg.elites >= 1 && isfinite(ens.scales[0]));
        ensemble_release(&ens);
    }
    return 0;
}
