#include "config/preset.h"

#include <stddef.h>
#include <string.h>

/* "Lip" of Yu et al. 2020, Table 3: spectral normalization, which the released code never applied. As the
 * paper has it, W / sigma, no network with raw targets can follow HalfCheetah. This form only shrinks
 * matrices whose norm is above 3; targets stay raw, so that the penalty keeps its units and size, and
 * Table 4's lambda its meaning. Measured in docs/algorithm.md, "Spectral normalization". */
#define LIPSCHITZ "model.spectral_norm=true", "model.spectral_form=bound", "model.spectral_bound=3"

/* Values that are the defaults of config_table.h are not said again. */
static const Preset presets[] = {
    {"mopo", "Yu et al. 2020 and its released code", {NULL}},
    {"mopo-lip",
     "Yu et al. 2020, Table 3: MOPO, with Lipschitz-regularized models",
     {LIPSCHITZ, NULL}},
    {"mopo-ens", "Yu et al. 2020, Table 3: no Lip, ens. penalty", {"penalty.type=mean_gap", NULL}},
    {"mopo-ens-lip",
     "Yu et al. 2020, Table 3: ens. penalty",
     {"penalty.type=mean_gap", LIPSCHITZ, NULL}},
    {"mopo-no-penalty",
     "Yu et al. 2020, Table 3: no penalty",
     {"penalty.type=none", LIPSCHITZ, NULL}},
    {"mopo-oracle",
     "Yu et al. 2020, Table 3: no Lip, oracle uncertainty",
     {"penalty.type=oracle", NULL}},
    {"mopo-oracle-lip",
     "Yu et al. 2020, Table 3: oracle uncertainty",
     {"penalty.type=oracle", LIPSCHITZ, NULL}},
    {"mbpo",
     "Janner et al. 2019, model fitted once: Yu et al. 2020, Table 1",
     {"penalty.type=none", NULL}},
    {"mbpo-no-ensemble",
     "Yu et al. 2020, Table 3: MBPO, no ens.",
     {"penalty.type=none", "model.members=1", "model.elites=1", NULL}},
    {"sac",
     "Haarnoja et al. 2018 on the dataset alone: Yu et al. 2020, Table 1",
     {"train.real_ratio=1", NULL}},
    {"bear",
     "Kumar et al. 2019, as in rail-berkeley/d4rl_evaluations",
     {"train.agent=bear", "train.real_ratio=1", "eval.candidates=100", NULL}},
    {"brac-p",
     "Wu et al. 2019, penalty on the policy, as in rail-berkeley/d4rl_evaluations",
     {"train.agent=brac", "train.real_ratio=1", "brac.value_penalty=false", NULL}},
    {"brac-v",
     "Wu et al. 2019, penalty on the value, as in rail-berkeley/d4rl_evaluations",
     {"train.agent=brac", "train.real_ratio=1", "brac.value_penalty=true", NULL}},
    {"morel",
     "Kidambi et al. 2020, pessimistic MDP with this program's SAC; values of "
     "EmptyJackson/unifloral",
     {"penalty.type=halt", "train.real_ratio=0.01", NULL}},
    {"bc",
     "behavior cloning, maximum likelihood of the dataset's actions",
     {"train.agent=bc", "train.real_ratio=1", NULL}},
};

const Preset *preset_row(int i)
{
    return i >= 0 && (size_t)i < sizeof presets / sizeof *presets ? &presets[i] : NULL;
}

const Preset *preset_find(const char *name)
{
    for (int i = 0; preset_row(i) != NULL; i++) {
        if (strcmp(presets[i].name, name) == 0) {
            return &presets[i];
        }
    }
    return NULL;
}
