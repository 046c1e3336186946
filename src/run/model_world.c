#include "run/model_world.h"

#include <math.h>
#include <string.h>

size_t model_episode_cost(const Rollout *roll, const Player *player)
{
    const size_t S = (size_t)roll->rec.S;
    const size_t outs = (size_t)roll->ens->cfg.members * (S + 1);
    return arena_cost(roll->rec.stride) + 2 * arena_cost(outs) + arena_cost(S + 1) +
           player_act_cost(player) + ensemble_predict_cost(roll->ens, 1) +
           termination_cost(&roll->end, 1);
}

/* r and s' into the record; false where they are not finite. */
static bool predict(const Rollout *roll, size_t elite, Rng *noise, Arena *tmp, float *row)
{
    const size_t mark = tmp->used;
    const Record *rec = &roll->rec;
    const size_t Y = (size_t)rec->S + 1;
    float *mean = arena_floats(tmp, (size_t)roll->ens->cfg.members * Y);
    float *std = arena_floats(tmp, (size_t)roll->ens->cfg.members * Y);
    float *eps = arena_floats(tmp, Y);
    const int32_t drawn = (int32_t)elite;
    bool finite = true;

    /* s and a stand side by side in a record */
    ensemble_predict_what(roll->ens, row, 1, &drawn, PREDICT_DRAWN, tmp, mean, std);
    rng_fill_normal(noise, eps, Y);
    for (size_t j = 0; j < Y; j++) {
        const float x = mean[elite * Y + j] + std[elite * Y + j] * eps[j];
        row[j == 0 ? rec->r : rec->s2 + j - 1] = x;
        finite = finite && isfinite(x);
    }
    arena_reset(tmp, mark);
    return finite;
}

void model_episode(const Rollout *roll, const EpisodeStarts *starts, const Player *player,
                   int max_steps, int episode, Arena *tmp, EpisodeEntry *entry)
{
    const size_t mark = tmp->used;
    const Record *rec = &roll->rec;
    const size_t S = (size_t)rec->S;
    const size_t elite = (size_t)roll->ens->elite[episode % roll->ens->cfg.elites];
    float *row = arena_floats(tmp, rec->stride);
    uint8_t end = 0;
    Rng rng = rng_make(player->seed, RNG_EVAL_MODEL, (uint64_t)player->epoch, (uint32_t)episode);
    Rng chance = player_noise(player, episode);

    *entry = (EpisodeEntry){.episode = episode};
    const int64_t start = starts->rows[rng_below(&rng, (uint32_t)starts->n)];
    memcpy(row, roll->dataset + (size_t)start * rec->stride, S * sizeof *row);
    for (int t = 0; t < max_steps && end == 0; t++) {
        player_act(player, row, &chance, tmp, row + rec->a);
        if (!predict(roll, elite, &rng, tmp, row)) {
            entry->cut = 1;
            break;
        }
        entry->total += (double)row[rec->r];
        entry->length += 1;
        termination_mark(&roll->end, roll->env, rec, row, 1, tmp, &end);
        end |= rollout_beyond_guard(roll, row + rec->s2) ? 1 : 0;
        memcpy(row, row + rec->s2, S * sizeof *row);
    }
    arena_reset(tmp, mark);
}
