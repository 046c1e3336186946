/* mopo model fit: the ensemble that runs share, before any of them. */
#include <stdio.h>

#include "cli/cmd.h"
#include "comm/comm.h"
#include "run/shared_model.h"

static void print_model(const Config *config, const SharedModel *m)
{
    printf("%s\n", m->path);
    printf("  %s: a model of task %s, %lld pass%s over the data\n",
           m->before ? "was there already" : "fitted now", config->top.task, (long long)m->passes,
           m->passes == 1 ? "" : "es");
    printf("  holdout MSE: best member %.5f, worst of the %d elite%s %.5f, mean of all %d %.5f\n",
           m->best, m->elites, m->elites == 1 ? "" : "s", m->worst, m->members, m->all);
    printf("Runs with these settings and model.share=%s take it.\n", config->model.share);
}

Status cmd_model_fit(const OptionValues *in)
{
    Status st = OK;
    Config config;
    ConfigOrigins *origins = NULL;
    SharedModel model;
    int minutes = 0;

    TRY(option_int(in, "max-time", 1, 1000000, &minutes));
    TRY(cmd_share_config(in, 1, &config, &origins));
    TRY(shared_model_fit(&config, 60.0 * minutes, &model));
    if (comm_rank() == 0) {
        print_model(&config, &model);
    }
done:
    config_origins_free(&origins);
    return st;
}
