/* mopo train: the main job. */
#include <math.h>
#include <stdio.h>

#include "cli/cmd.h"
#include "comm/comm.h"
#include "run/train.h"

static void print_summary(const Config *config, const TrainSummary *t)
{
    const LearnResult *r = &t->learned;

    printf("\n%s learned task %s in %lld epochs of %d update%s, %.0f s of this start.\n\n",
           config->top.algo, config->top.task, (long long)r->epochs,
           config->train.updates_per_epoch, config->train.updates_per_epoch == 1 ? "" : "s",
           t->seconds);
    printf("  mean return of %d episodes%s first %.1f, best %.1f (epoch %lld), last %.1f\n",
           config->eval.episodes, t->in_model ? " in the model  " : "  ", r->first_return,
           r->best_return, (long long)r->best_epoch, r->last_return);
    if (!isnan(r->last_score)) {
        printf("  score of the last            %.2f (random policy 0, expert 100)\n",
               r->last_score);
    }
    printf("  episodes in the dataset      mean %.1f, best %.1f\n\n", t->data_mean, t->data_best);
    printf("Everything lies in %s:\n", t->run_dir);
    printf("  policy.h5                    the policy, in D4RL's metadata/policy layout\n");
    if (t->has_model) {
        printf("  model.h5                     the ensemble of dynamics models\n"
               "  model-report.txt, .svg       how good they are\n");
    }
    if (t->has_penalty) {
        printf("  penalty.txt                  what each penalty takes of the rewards\n");
    }
    printf("  metrics.csv, metrics.jsonl   one line per epoch\n"
           "  used.yaml, manifest.json     every setting and its origin; program, machine, data\n"
           "  log.txt, timing.jsonl        what was said; seconds per phase and rank\n"
           "  ckpt/                        to go on from: the same command with a larger "
           "train.epochs\n\n");
    printf("Next:\n  mpirun mopo eval %s --episodes 100\n", t->run_dir);
    printf("  mpirun mopo train %s/used.yaml run_dir=%s-b seed=%d\n", t->run_dir, t->run_dir,
           config->top.seed + 1);
}

static Status run(const OptionValues *in)
{
    Status st = OK;
    Config config;
    ConfigOrigins *origins = NULL;
    TrainSummary summary;
    TrainOptions limits = {0};
    int minutes = 0;

    TRY(cmd_share_config(in, 0, &config, &origins));
    TRY(option_int(in, "max-time", 1, 1000000, &minutes));
    limits.max_seconds = 60.0 * minutes;
    TRY(train(&config, origins, &limits, &summary));
    if (comm_rank() == 0) {
        print_summary(&config, &summary);
    }
done:
    config_origins_free(&origins);
    return st;
}

static const Option options[] = {
    {"max-time", 't', "MINUTES",
     "be saved and gone (exit code 75) within so long: no epoch begins that would end later"},
    {0},
};

const Command cmd_train = {
    .verb = "train",
    .args = "[CONFIG] [key=value ...]",
    .summary = "fit the model, train the policy, evaluate; or go on with a run",
    .detail =
        "Trains as CONFIG says, a YAML file; without one as the built-in configuration says "
        "(HalfCheetah, random data that mopo collects itself). key=value words go over the "
        "file.\n"
        "On a run directory that holds this run already, training goes on from the newest valid "
        "checkpoint and ends with the same bytes as if it had never been stopped, on any number "
        "of ranks. SIGUSR2, SIGTERM, SIGINT or a file named stop in the run directory end it "
        "after the running epoch, saved, with exit code 75; so do --max-time and SLURM's own "
        "limit, in time. SIGUSR1 saves and goes on. mpirun passes SIGUSR1 and SIGUSR2 on; at "
        "Ctrl-C it gives its ranks a second or two, then the run goes on from its last "
        "checkpoint.\n"
        "\n"
        "  mpirun -n 16 mopo train configs/paper/halfcheetah-random.yaml seed=3\n"
        "  mpirun -n 16 mopo train configs/task/hopper.yaml dataset=hopper-medium-v2\n"
        "  mopo train configs/smoke.yaml\n",
    .options = options,
    .run = run,
};
