#include "run/shared_model.h"

#include <stdio.h>
#include <string.h>

#include "run/session.h"

void shared_model_settings(const Config *cfg, Config *only)
{
    config_default(only);
    memcpy(only->top.task, cfg->top.task, sizeof only->top.task);
    memcpy(only->top.dataset, cfg->top.dataset, sizeof only->top.dataset);
    only->env = cfg->env;
    only->data = cfg->data;
    only->model = cfg->model;
    only->model.seed = (int)session_model_seed(cfg);
    only->model.share[0] = '\0';
    if (cfg->collect.rows > 0) {
        only->collect.rows = cfg->collect.rows;
        only->top.seed = cfg->top.seed;
    }
}

Status shared_model_name(const Config *cfg, char name[SHARED_NAME_MAX])
{
    Status st = OK;
    Config only;
    char digest[SLAB_DIGEST_MAX];

    shared_model_settings(cfg, &only);
    TRY(config_digest(&only, digest));
    (void)snprintf(name, SHARED_NAME_MAX, "%.16s", digest);
done:
    return st;
}
