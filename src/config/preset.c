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
     "Kidambi et al. 2020, pessimistic MDP with this program's SAC; HALT and values as in "
     "EmptyJackson/unifloral",
     {"penalty.type=halt", "penalty.halt_pessimism=1", "train.real_ratio=0.01", NULL}},
    /* Values of projects/morel/configs/d4rl_hopper_medium.txt; those of npg.* are defaults. There 50 starts
     * go through each of 4 deterministic models, here 200 starts draw one of 4 probabilistic ones; clone
     * and models are fitted to raw states, not scaled ones; rewards are predicted. HALT pays nothing more
     * (truncate_reward 0) and ends the trajectory for good, which there a bug prevents. The paper's HALT,
     * which pays -kappa for ever: penalty.halt_form=absorbing penalty.halt_cost=KAPPA. */
    {"morel-npg",
     "Kidambi et al. 2020 with its own optimizer, natural policy gradient; values of "
     "aravindr93/mjrl",
     {"train.agent=npg",
      "penalty.type=halt",
      "penalty.halt_form=cut",
      "penalty.halt_cost=0",
      "model.members=4",
      "model.elites=4",
      "model.hidden=512",
      "model.layers=2",
      "rollout.starts=initial",
      "rollout.member=trajectory",
      "rollout.batch=200",
      "rollout.horizon=700",
      "rollout.units=8",
      "rollout.lag=0",
      "rollout.retain=1",
      "train.real_ratio=0",
      "train.updates_per_epoch=1",
      "train.epochs=500",
      "sac.gamma=0.999",
      "env.clip_actions=true",
      NULL}},
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
