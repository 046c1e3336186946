/* Every configuration key once. From these lists come the struct, the defaults, the checks,
 * --help, used.yaml and docs/config.md.
 *
 *   KEY(section, type, name, default, min, max, unit, help)    number: INT, REAL, BOOL (min, max 0)
 *   TEXT(section, name, default, help)                         any text, at most CONFIG_TEXT_MAX - 1
 *   ENUM(section, name, default, "a|b|c", help)                one of the words, kept as text;
 *                                                              "": rows of a table (config_allow)
 *
 * Defaults are those of the paper and its released code; each help text names the source where
 * there is one ("T4" = Table 4, "C.2" = appendix C.2 of Yu et al. 2020, "code" = tianheyu927/mopo).
 * Section `top` holds the keys without a prefix.
 */
#ifndef CONFIG_CONFIG_TABLE_H
#define CONFIG_CONFIG_TABLE_H

#define CONFIG_TOP(KEY, TEXT, ENUM, s)                                                   \
    TEXT(s, task, "halfcheetah", "task; `mopo config tables` lists them")                \
    TEXT(s, dataset, "", "HDF5 file with the transitions, or a name (docs/datasets.md)") \
    ENUM(s, algo, "mopo", "", "preset of settings; `mopo config tables` lists them")     \
    KEY(s, INT, seed, 0, 0, 2147483647, "", "seed of every random draw")                 \
    TEXT(s, run_dir, "", "run directory; empty: runs/<config>[-<algo of the command line>]-s<seed>")

#define CONFIG_ENV(KEY, TEXT, ENUM, s)                                                             \
    ENUM(s, gym_version, "v2", "v2|v4|v5",                                                         \
         "what `auto` means below; v2 on MuJoCo 2.0 is what D4RL and the paper used")              \
    ENUM(s, inertia, "auto", "auto|legacy|exact",                                                  \
         "capsule inertia: legacy = MuJoCo <= 2.1.0 (gym v2), exact = later ones (gym v4, v5)")    \
    ENUM(s, walker2d_foot, "auto", "auto|v2|v5",                                                   \
         "friction of walker2d's right foot: v2 = 0.9 (to gym v4), v5 = 1.9")                      \
    ENUM(s, healthy_bonus, "auto", "auto|always|healthy",                                          \
         "bonus of hopper, walker2d, ant: always = on the last step, too (to gym v4)")             \
    ENUM(s, ant_observation, "auto", "auto|27|111-zero|111|105",                                   \
         "ant: without contact forces (v4), with zeros (v2, D4RL), with real ones, as v5")         \
    ENUM(s, reward, "task", "task|behavior",                                                       \
         "behavior: what the paper's jump and angle data were collected with")                     \
    ENUM(s, jump_speed, "min", "min|max", "halfcheetah-jump: min(v, 3), or the paper's max(v, 3)") \
    ENUM(s, jump_observation, "18", "18|17", "halfcheetah-jump: with or without torso height")     \
    ENUM(s, jump_height, "episode", "episode|fixed",                                               \
         "halfcheetah-jump: height counts from the episode's start, or from 0.7")                  \
    KEY(s, BOOL, angle_bonus, true, 0, 0, "", "ant-angle: bonus of 1 a step; code (paper: none)")  \
    KEY(s, BOOL, clip_actions, false, 0, 0, "",                                                    \
        "clip actions to [-1, 1] before cost and engine, as D4RL's wrapper; gym does not")

#define CONFIG_DATA(KEY, TEXT, ENUM, s)                                                           \
    ENUM(s, next, "auto", "auto|stored|joined|d4rl",                                              \
         "where s' comes from: next_observations, the next row of the episode, or as d4rl did")   \
    TEXT(s, action_low, "",                                                                       \
         "lowest action of the file, a number or one for each (-2,0); empty: -1; auto: measured") \
    TEXT(s, action_high, "", "highest action of the file, in the same way; empty: 1")             \
    KEY(s, INT, max_rows, 0, 0, 2147483647, "rows",                                               \
        "keep only the last rows; 0 = all (code: 1000000)")

#define CONFIG_COLLECT(KEY, TEXT, ENUM, s)                                             \
    KEY(s, INT, rows, 0, 0, 100000000, "rows",                                         \
        "if the dataset is not there, collect this many random rows first; 0 = never") \
    KEY(s, INT, steps, 1000000, 1, 100000000, "steps",                                 \
        "online SAC (`mopo collect --online`): steps in the environment")              \
    KEY(s, INT, start_steps, 1000, 0, 100000000, "steps",                              \
        "online SAC: uniform actions and no updates in the first steps")               \
    KEY(s, INT, eval_every, 5000, 1, 100000000, "steps",                               \
        "online SAC: evaluate and save the policy each so many steps, and the last")   \
    KEY(s, INT, save_every, 20000, 1, 100000000, "steps",                              \
        "online SAC: save what a stopped run goes on from each so many steps")         \
    KEY(s, REAL, target_entropy, 0, -1000, 1000, "nats",                               \
        "online SAC: H instead of sac.target_entropy; 0 = -A, as usual there")

#define CONFIG_MODEL(KEY, TEXT, ENUM, s)                                                           \
    KEY(s, INT, members, 7, 1, 32, "", "dynamics models in the ensemble; C.2")                     \
    KEY(s, INT, elites, 5, 1, 32, "", "best members, used by rollouts; C.2")                       \
    KEY(s, INT, hidden, 200, 1, 4096, "units", "width of the hidden layers; C.2")                  \
    KEY(s, INT, layers, 4, 1, 7, "", "hidden layers; C.2")                                         \
    KEY(s, REAL, lr, 1e-3, 1e-8, 1, "", "Adam step size; code")                                    \
    KEY(s, INT, batch, 256, 1, 65536, "rows", "rows per step and member; C.2")                     \
    KEY(s, INT, shards, 2, 1, 8, "",                                                               \
        "fixed pieces of a member's batch (a power of two), which as many ranks can share")        \
    KEY(s, INT, max_epochs, 0, 0, 1000000, "epochs", "passes at most; 0 = until no gain; code")    \
    KEY(s, INT, patience, 5, 0, 1000000, "epochs",                                                 \
        "stop after more than this many passes without a gain; code")                              \
    KEY(s, REAL, min_gain, 0.01, 0, 1, "", "relative gain of the holdout error that counts; code") \
    KEY(s, REAL, holdout_ratio, 0.2, 1e-4, 0.9, "", "share of rows held out, but see holdout_max") \
    KEY(s, INT, holdout_max, 1000, 1, 100000000, "rows", "rows held out at most; C.2")             \
    KEY(s, BOOL, spectral_norm, false, 0, 0, "",                                                   \
        "Lipschitz-regularized mean: divide each weight matrix by its largest singular value")     \
    ENUM(s, spectral_form, "exact", "exact|bound",                                                 \
         "exact: W c/sigma (Miyato 2018); bound: W / max(1, sigma/c)")                             \
    KEY(s, REAL, spectral_bound, 1, 1e-3, 1e6, "", "c above: Lipschitz bound of one layer")        \
    ENUM(s, target_scale, "none", "none|zscore",                                                   \
         "unit of the regression targets: none = raw (code), zscore = per output")                 \
    KEY(s, REAL, decay_first, 2.5e-5, 0, 1, "", "weight decay of layer 1; code")                   \
    KEY(s, REAL, decay_second, 5e-5, 0, 1, "", "weight decay of layer 2; code")                    \
    KEY(s, REAL, decay_hidden, 7.5e-5, 0, 1, "", "weight decay of the other hidden layers; code")  \
    KEY(s, REAL, decay_head, 1e-4, 0, 1, "", "weight decay of both heads; code")                   \
    KEY(s, REAL, logvar_max, 0.5, -80, 80, "", "start of the upper log-variance bound; code")      \
    KEY(s, REAL, logvar_min, -10, -80, 80, "", "start of the lower log-variance bound; code")      \
    KEY(s, REAL, logvar_reg, 0.01, 0, 100, "", "weight of the bounds in the loss; code")           \
    KEY(s, INT, seed, -1, -1, 2147483647, "", "seed of every draw of the model fit; -1 = `seed`")  \
    TEXT(s, share, "", "folder in which runs share fitted ensembles; empty: each run fits its own")

#define CONFIG_ROLLOUT(KEY, TEXT, ENUM, s)                                                        \
    KEY(s, INT, batch, 50000, 1, 100000000, "rows", "start states per epoch; code")               \
    KEY(s, INT, horizon, 5, 1, 1000, "steps", "h, length of a model rollout; T4")                 \
    KEY(s, INT, lag, 1, 0, 1, "epochs",                                                           \
        "0: roll out with the policy at the start of the epoch (paper); 1: one epoch older, so "  \
        "that workers and learner overlap")                                                       \
    KEY(s, INT, retain, 5, 1, 1000, "epochs", "model transitions kept; C.2")                      \
    KEY(s, INT, units, 64, 1, 65536, "",                                                          \
        "fixed pieces of a rollout phase (a multiple of train.shards), spread over workers")      \
    ENUM(s, actions, "policy", "policy|uniform", "actions in rollouts; uniform: ant-angle")       \
    ENUM(s, starts, "any", "any|initial", "start states: any of the dataset, or episodes' first") \
    ENUM(s, member, "step", "step|trajectory",                                                    \
         "an elite is drawn for every step (MOPO), or once for a whole trajectory (MOReL)")       \
    KEY(s, REAL, guard, 100, 0, 1e30, "",                                                         \
        "end a rollout where a predicted |state| reaches this (OfflineRL-Kit); 0 = off (code)")

#define CONFIG_PENALTY(KEY, TEXT, ENUM, s)                                                         \
    ENUM(s, type, "max_std", "", "uncertainty u(s, a); `mopo config tables`")                      \
    KEY(s, REAL, lambda, 1, 0, 1e9, "reward/u", "penalty coefficient, not of type halt; T4")       \
    KEY(s, REAL, halt_threshold, 0, 0, 1e30, "u",                                                  \
        "type halt: u above this ends a rollout in HALT; 0 = from the data, next key")             \
    KEY(s, REAL, halt_pessimism, 3, 1e-6, 1e6, "",                                                 \
        "type halt: the threshold is the largest u in the data divided by this (aravindr93/mjrl)") \
    KEY(s, REAL, halt_cost, 200, 0, 1e9, "reward", "kappa of HALT (EmptyJackson/unifloral)")       \
    ENUM(s, halt_form, "floor", "floor|absorbing|cut",                                             \
         "reward of the step into HALT: floor = lowest of the data - kappa (unifloral), "          \
         "absorbing = "                                                                            \
         "r - gamma kappa / (1 - gamma) (paper), cut = r - kappa (mjrl)")

#define CONFIG_TERMINATION(KEY, TEXT, ENUM, s)                                                 \
    ENUM(s, rule, "task", "task|never|bounds|learned",                                         \
         "what ends a model rollout: the task's rule, nothing, bounds below, or a classifier " \
         "of the data's terminal rows")                                                        \
    TEXT(s, bounds, "",                                                                        \
         "for rule bounds: COLUMN:LOW..HIGH, ... of the state, such as 0:0.7..2, 1:-0.2..0.2") \
    KEY(s, INT, hidden, 64, 1, 4096, "units", "width of the classifier's two hidden layers")   \
    KEY(s, INT, updates, 5000, 1, 10000000, "updates", "Adam steps of its fit, 256 rows each")

#define CONFIG_TRAIN(KEY, TEXT, ENUM, s)                                                          \
    ENUM(s, agent, "sac", "", "what learns the policy; `mopo config tables`")                     \
    KEY(s, INT, epochs, 1000, 1, 10000000, "epochs", "epochs of policy training; code")           \
    KEY(s, INT, updates_per_epoch, 1000, 1, 10000000, "updates", "gradient steps an epoch; code") \
    KEY(s, INT, batch, 256, 1, 65536, "rows", "rows per update; C.2")                             \
    KEY(s, REAL, real_ratio, 0.05, 0, 1, "", "share of dataset rows in a batch; C.2")             \
    KEY(s, INT, shards, 4, 1, 64, "",                                                             \
        "V, fixed pieces of a batch (a power of two); part of the result, unlike ranks")

#define CONFIG_SAC(KEY, TEXT, ENUM, s)                                                           \
    KEY(s, INT, hidden, 256, 1, 4096, "units", "width of actor and critics; code")               \
    KEY(s, INT, layers, 2, 1, 7, "", "hidden layers; code")                                      \
    KEY(s, REAL, actor_lr, 3e-4, 1e-8, 1, "", "Adam step size; code")                            \
    KEY(s, REAL, critic_lr, 3e-4, 1e-8, 1, "", "Adam step size; code")                           \
    KEY(s, REAL, alpha_lr, 3e-4, 0, 1, "", "Adam step size of log alpha; 0 = fixed; code")       \
    KEY(s, REAL, alpha, 1, 1e-8, 1e8, "", "temperature at the start; code")                      \
    KEY(s, REAL, target_entropy, -3, -1000, 1000, "nats", "H; code: -3 for every task")          \
    KEY(s, REAL, gamma, 0.99, 0, 1, "", "discount, of all agents; code")                         \
    KEY(s, REAL, tau, 0.005, 0, 1, "", "step of the target critics, of all agents; code")        \
    KEY(s, REAL, reward_scale, 1, 0, 1e9, "", "factor on rewards, of all agents; code")          \
    KEY(s, REAL, log_std_min, -20, -100, 100, "", "clip of the log deviation; code")             \
    KEY(s, REAL, log_std_max, 2, -100, 100, "", "clip of the log deviation; code")               \
    ENUM(s, update, "simultaneous", "simultaneous|sequential",                                   \
         "simultaneous: all gradients at the weights before the update (code); sequential: the " \
         "actor's against the critics just moved (OfflineRL-Kit)")                               \
    KEY(s, REAL, alpha_max, 0, 0, 1e8, "", "temperature at most; 0 = no limit; OfflineRL-Kit: 1")

#define CONFIG_BEAR(KEY, TEXT, ENUM, s)                                                            \
    KEY(s, INT, hidden, 256, 1, 4096, "units", "width of actor and critics, two layers")           \
    KEY(s, INT, vae_hidden, 750, 1, 4096, "units", "width of encoder and decoder, two layers")     \
    KEY(s, REAL, actor_lr, 1e-4, 1e-8, 1, "", "Adam step size")                                    \
    KEY(s, REAL, critic_lr, 3e-4, 1e-8, 1, "", "Adam step size")                                   \
    KEY(s, REAL, vae_lr, 3e-4, 1e-8, 1, "", "Adam step size")                                      \
    KEY(s, REAL, multiplier_lr, 1e-3, 0, 1, "", "Adam step size of the log multiplier; 0 = fixed") \
    ENUM(s, kernel, "auto", "auto|laplacian|gaussian",                                             \
         "of the MMD; auto: laplacian for hopper and walker2d, gaussian for other tasks")          \
    KEY(s, REAL, sigma, 20, 1e-6, 1e6, "", "width of the kernel: exp(-distance / (2 sigma))")      \
    KEY(s, INT, samples, 4, 1, 64, "", "actions of each side in the MMD")                          \
    KEY(s, INT, target_samples, 10, 1, 256, "",                                                    \
        "next actions, of which the best makes the target")                                        \
    KEY(s, REAL, min_weight, 0.75, 0, 1, "",                                                       \
        "weight of the smaller target critic; the other: rest")                                    \
    KEY(s, REAL, threshold, 0.05, 0, 1e6, "", "epsilon, the MMD that is allowed")                  \
    KEY(s, INT, warm_updates, 40000, 0, 2147483647, "updates",                                     \
        "first updates, without Q in the actor's loss")                                            \
    KEY(s, REAL, log_std_min, -5, -100, 100, "", "clip of the actor's log deviation")              \
    KEY(s, REAL, log_std_max, 2, -100, 100, "", "clip of the actor's log deviation")

#define CONFIG_BRAC(KEY, TEXT, ENUM, s)                                                      \
    KEY(s, INT, actor_hidden, 200, 1, 4096, "units", "width of actor and clone, two layers") \
    KEY(s, INT, critic_hidden, 300, 1, 4096, "units", "width of the critics, two layers")    \
    KEY(s, REAL, actor_lr, 3e-5, 1e-8, 1, "", "Adam step size")                              \
    KEY(s, REAL, critic_lr, 1e-3, 1e-8, 1, "", "Adam step size")                             \
    KEY(s, REAL, clone_lr, 5e-4, 1e-8, 1, "", "Adam step size of the behavior clone")        \
    KEY(s, INT, clone_updates, 1000000, 0, 2147483647, "updates",                            \
        "updates of the clone before the policy's")                                          \
    ENUM(s, divergence, "kl", "kl|mmd",                                                      \
         "distance of policy and clone: KL in its primal form, or MMD^2")                    \
    KEY(s, REAL, alpha, 1, 0, 500, "", "weight of the divergence")                           \
    KEY(s, BOOL, value_penalty, false, 0, 0, "",                                             \
        "also in the critics' targets: BRAC-v; not: BRAC-p")                                 \
    KEY(s, INT, samples, 4, 1, 64, "", "actions of each side in the divergence")             \
    KEY(s, REAL, sigma, 10, 1e-6, 1e6, "",                                                   \
        "width of the MMD's Laplacian kernel: exp(-distance / (2 sigma))")                   \
    KEY(s, INT, warm_updates, 20001, 0, 2147483647, "updates",                               \
        "first updates, without Q in the actor's loss; code: step > 20000")                  \
    KEY(s, REAL, action_margin, 1e-3, 1e-6, 0.5, "",                                         \
        "actions are clipped this far inside [-1, 1] for densities")

#define CONFIG_BC(KEY, TEXT, ENUM, s)                                            \
    KEY(s, INT, hidden, 256, 1, 4096, "units", "width of the actor, two layers") \
    KEY(s, REAL, lr, 3e-4, 1e-8, 1, "", "Adam step size")                        \
    ENUM(s, loss, "nll", "nll|mse",                                              \
         "likelihood of the actions, or squared error of the mean action")       \
    KEY(s, REAL, action_margin, 1e-3, 1e-6, 0.5, "",                             \
        "actions are clipped this far inside [-1, 1] for densities")

#define CONFIG_NPG(KEY, TEXT, ENUM, s)                                                         \
    KEY(s, INT, hidden, 64, 1, 4096, "units", "width of the policy, two tanh layers")          \
    KEY(s, INT, value_hidden, 128, 1, 4096, "units", "width of the baseline, two layers")      \
    KEY(s, REAL, step_size, 0.02, 1e-8, 10, "", "twice the KL of an update, to second order")  \
    KEY(s, REAL, kl_max, 0.02, 0, 1e6, "",                                                     \
        "an update's step is halved, at most 10 times, while its KL is above this; 0 = never " \
        "(mjrl)")                                                                              \
    KEY(s, REAL, damping, 1e-3, 0, 100, "", "added to the diagonal of the Fisher matrix")      \
    KEY(s, INT, cg_iterations, 20, 1, 1000, "", "conjugate gradient steps of an update")       \
    KEY(s, REAL, gae_lambda, 0.97, 0, 1, "", "lambda of the advantages")                       \
    KEY(s, REAL, log_std, -0.25, -100, 100, "", "log deviation of the policy at the start")    \
    KEY(s, REAL, log_std_min, -1, -100, 100, "", "log deviation at least")                     \
    KEY(s, REAL, log_std_max, 1, -100, 100, "", "log deviation at most")                       \
    KEY(s, REAL, value_lr, 1e-3, 1e-8, 1, "", "Adam step size of the baseline")                \
    KEY(s, INT, value_batch, 256, 1, 65536, "rows", "rows per step of the baseline")           \
    KEY(s, INT, value_passes, 1, 1, 1000, "",                                                  \
        "the baseline's steps draw an epoch's rows so often")                                  \
    KEY(s, INT, clone_updates, 20000, 0, 2147483647, "updates",                                \
        "updates before the first epoch that fit the mean action to the data's actions")       \
    KEY(s, REAL, clone_lr, 1e-3, 1e-8, 1, "", "Adam step size of these")

#define CONFIG_EVAL(KEY, TEXT, ENUM, s)                                                            \
    KEY(s, INT, candidates, 0, 0, 4096, "actions",                                                 \
        "0: play the mean action; n: of n sampled actions the one with the highest Q (BEAR: 100)") \
    KEY(s, INT, episodes, 10, 1, 1000000, "episodes", "episodes per evaluation; code")             \
    KEY(s, INT, every, 1, 1, 1000000, "epochs", "evaluate each so many epochs, and the last")      \
    KEY(s, INT, model_steps, 100, 1, 1000000, "steps",                                             \
        "longest evaluation episode in the model, where there is no simulator")

#define CONFIG_FQE(KEY, TEXT, ENUM, s)                                                       \
    KEY(s, INT, updates, 20000, 1, 10000000, "updates",                                      \
        "steps of fitted Q evaluation, where there is no simulator; network as sac.hidden, " \
        "sac.layers")                                                                        \
    KEY(s, REAL, lr, 3e-4, 1e-8, 1, "", "Adam step size")                                    \
    KEY(s, REAL, tau, 0.05, 1e-6, 1, "",                                                     \
        "step of the target network; updates x tau must be well above 1 / (1 - sac.gamma)")

#define CONFIG_CHECKPOINT(KEY, TEXT, ENUM, s)                                             \
    KEY(s, INT, every, 1, 1, 1000000, "epochs", "save each so many epochs, and the last") \
    KEY(s, INT, keep, 2, 1, 1000, "", "newest checkpoints kept, besides every tenth epoch's")

#define CONFIG_RANKS(KEY, TEXT, ENUM, s)                                                          \
    KEY(s, INT, learners, 0, 0, 64, "ranks",                                                      \
        "ranks that share each update (a power of two, at most shards); 0 = chosen by the "       \
        "program")                                                                                \
    KEY(s, INT, team, 0, 0, 8, "ranks",                                                           \
        "ranks that share a member's batch (a power of two, at most model.shards); 0 = "          \
        "chosen by the program")                                                                  \
    KEY(s, INT, patience, 40, 0, 1000000, "s",                                                    \
        "end the job when a rank or a host gives no sign of life for so long, or all ranks wait " \
        "for each other; 0 = never (in a debugger)")

/* SECTION(name, list); `top` first. */
#define CONFIG_SECTIONS(SECTION)             \
    SECTION(top, CONFIG_TOP)                 \
    SECTION(env, CONFIG_ENV)                 \
    SECTION(data, CONFIG_DATA)               \
    SECTION(collect, CONFIG_COLLECT)         \
    SECTION(model, CONFIG_MODEL)             \
    SECTION(rollout, CONFIG_ROLLOUT)         \
    SECTION(penalty, CONFIG_PENALTY)         \
    SECTION(termination, CONFIG_TERMINATION) \
    SECTION(train, CONFIG_TRAIN)             \
    SECTION(sac, CONFIG_SAC)                 \
    SECTION(bear, CONFIG_BEAR)               \
    SECTION(brac, CONFIG_BRAC)               \
    SECTION(bc, CONFIG_BC)                   \
    SECTION(npg, CONFIG_NPG)                 \
    SECTION(eval, CONFIG_EVAL)               \
    SECTION(fqe, CONFIG_FQE)                 \
    SECTION(checkpoint, CONFIG_CHECKPOINT)   \
    SECTION(ranks, CONFIG_RANKS)

#endif
