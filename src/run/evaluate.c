#include "run/evaluate.h"

#include <math.h>

#include "base/log.h"
#include "base/mem.h"
#include "comm/comm.h"
#include "policy/actor.h"

static int draws(const Player *player)
{
    return player->sample ? 1 : player->candidates;
}

Rng player_noise(const Player *player, int episode)
{
    return rng_make(player->seed, player->sample ? RNG_EVAL_ACTION : RNG_EVAL_CANDIDATE,
                    (uint64_t)player->epoch, (uint32_t)episode);
}

size_t player_act_cost(const Player *player)
{
    const int most = draws(player) > 1 ? draws(player) : 1; /* `sample` may be set later */
    const size_t eps = arena_cost((size_t)most * (size_t)player->actor->out / 2);
    return eps + (player->candidates > 0
                      ? policy_choose_cost(player->actor, player->critic, player->candidates)
                      : policy_act_cost(player->actor, 1));
}

void player_act(const Player *player, const float *s, Rng *noise, Arena *tmp, float *a)
{
    const size_t mark = tmp->used;
    const size_t n = (size_t)draws(player) * (size_t)player->squash->A;
    float *eps = n > 0 ? arena_floats(tmp, n) : NULL;

    if (eps != NULL) {
        rng_fill_normal(noise, eps, n);
    }
    if (player->sample || eps == NULL) {
        policy_act(player->actor, player->squash, player->params, s, eps, 1, tmp, a, NULL);
    } else {
        policy_choose(player->actor, player->squash, player->params, player->critic, player->values,
                      s, eps, player->candidates, tmp, a);
    }
    arena_reset(tmp, mark);
}

size_t play_cost(const Player *player)
{
    return arena_cost((size_t)player->env->state_dim) + arena_cost((size_t)player->env->act_dim) +
           player_act_cost(player);
}

Status play_episode(const Player *player, Env *env, int episode, Arena *tmp, EpisodeEntry *entry)
{
    Status st = OK;
    const size_t mark = tmp->used;
    float *s = arena_floats(tmp, (size_t)player->env->state_dim);
    float *a = arena_floats(tmp, (size_t)player->env->act_dim);
    EnvStep out = {0};
    Rng rng = rng_make(player->seed, RNG_EVAL_RESET, (uint64_t)player->epoch, (uint32_t)episode);
    Rng noise = player_noise(player, episode);

    *entry = (EpisodeEntry){.episode = episode};
    TRY(player->env->reset(env, &rng));
    for (int t = 0; t < player->env->horizon && !out.terminal; t++) {
        player->env->observe(env, s);
        player_act(player, s, &noise, tmp, a);
        TRY(player->env->step(env, a, &out));
        entry->total += (double)out.reward;
        entry->length += 1;
    }
done:
    arena_reset(tmp, mark);
    return status_while(st, "evaluation episode %d", episode);
}

ReturnSummary summarize_returns(const EnvKind *env, const EpisodeEntry *episodes, int count)
{
    ReturnSummary r = {.min = HUGE_VAL, .max = -HUGE_VAL};
    double squares = 0;

    for (int k = 0; k < count; k++) {
        r.mean += episodes[k].total / count;
        r.length += episodes[k].length / count;
        r.min = fmin(r.min, episodes[k].total);
        r.max = fmax(r.max, episodes[k].total);
        r.cut += episodes[k].cut > 0 ? 1 : 0;
    }
    for (int k = 0; k < count; k++) {
        squares += (episodes[k].total - r.mean) * (episodes[k].total - r.mean);
    }
    r.std = sqrt(squares / count);
    r.score = env_normalized_score(env, r.mean);
    return r;
}

void warn_of_cut_episodes(const ReturnSummary *r, const char *whose, int count)
{
    if (r->cut > 0) {
        log_warn(
            "%s: %d of %d episodes in the model end early, where it predicts a number that is "
            "not finite: the returns count the steps before that. rollout.guard above 0 ends an "
            "episode that runs away; a smaller eval.model_steps, a smaller model.lr or more "
            "model.max_epochs may keep it from that",
            whose, r->cut, count);
    }
}

Status share_episodes(EpisodeEntry *entries, int count)
{
    Status st = OK;
    double *numbers = NULL; /* (count, 3): each filled by one rank, 0 on the others: exact sums */

    TRY(comm_agree(mem_alloc(&numbers, 3 * (size_t)count, sizeof *numbers, "returns")));
    for (int k = comm_rank(); k < count; k += comm_size()) {
        double *at = numbers + 3 * (size_t)k;
        at[0] = entries[k].total;
        at[1] = entries[k].length;
        at[2] = entries[k].cut;
    }
    coll_sum(numbers, 3 * count);
    for (int k = 0; k < count; k++) {
        const double *at = numbers + 3 * (size_t)k;
        entries[k] = (EpisodeEntry){.episode = k, .total = at[0], .length = at[1], .cut = at[2]};
    }
done:
    mem_free(&numbers);
    return st;
}

Status evaluate(const Player *player, int count, EpisodeEntry *entries)
{
    Status st = OK;
    Env *env = NULL;
    Arena tmp = {0};

    st = arena_init(&tmp, play_cost(player));
    st = st != OK ? st : player->env->open(&env, player->env);
    for (int k = comm_rank(); st == OK && k < count; k += comm_size()) {
        st = play_episode(player, env, k, &tmp, &entries[k]);
    }
    TRY(comm_agree(st));
    TRY(share_episodes(entries, count));
done:
    if (env != NULL) {
        player->env->close(env);
    }
    arena_release(&tmp);
    return st;
}
