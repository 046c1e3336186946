/* Random numbers as a function of (seed, purpose, step, item, draw): Philox4x32-10 (Salmon et al.
 * 2011, "Parallel random numbers: as easy as 1, 2, 3"). Nothing to save, nothing that depends on
 * ranks or on the order of calls.
 */
#ifndef BASE_RNG_H
#define BASE_RNG_H

#include <stddef.h>
#include <stdint.h>

/* One purpose is used in one place. Append only: the numbers are part of every result. */
typedef enum {
    RNG_TEST,
    RNG_MODEL_INIT,     /* item = member */
    RNG_SPECTRAL_INIT,  /* item = member */
    RNG_SPLIT,          /* holdout permutation */
    RNG_BOOTSTRAP,      /* item = member */
    RNG_SHUFFLE,        /* step = pass, item = member */
    RNG_AGENT_INIT,     /* item = network */
    RNG_BATCH_REAL,     /* step = update, item = shard */
    RNG_BATCH_MODEL,    /* step = update, item = shard */
    RNG_UPDATE_NOISE,   /* step = update, item = shard */
    RNG_ROLLOUT_START,  /* step = epoch, item = unit */
    RNG_ROLLOUT_ACTION, /* step = epoch and model step, item = unit */
    RNG_ROLLOUT_MEMBER, /* same */
    RNG_ROLLOUT_NOISE,  /* same */
    RNG_EVAL_RESET,     /* step = epoch, item = episode */
    RNG_COLLECT_RESET,  /* item = episode */
    RNG_COLLECT_ACTION, /* item = episode */
    RNG_TERMINAL_INIT,
    RNG_TERMINAL_BATCH, /* step = update */
    RNG_FQE_INIT,
    RNG_FQE_BATCH,     /* step = update */
    RNG_EVAL_MODEL,    /* step = epoch, item = episode */
    RNG_ONLINE_RESET,  /* item = episode */
    RNG_ONLINE_ACTION, /* step = environment step */
    RNG_ONLINE_BATCH,  /* step = update, item = shard */
    RNG_EVAL_ACTION,   /* step = epoch, item = episode */
    RNG_CRITIC_NOISE,  /* step = update, item = shard; as the next three */
    RNG_ACTOR_NOISE,
    RNG_VAE_NOISE,
    RNG_CLONE_NOISE,
    RNG_PREPARE_BATCH,     /* step = update of prepare, item = shard */
    RNG_EVAL_CANDIDATE,    /* step = epoch, item = episode */
    RNG_CLONE_TEMPERATURE, /* step = update of prepare, item = shard */
    RNG_REPORT,            /* `mopo model report`; step = what is drawn, item = member or episode */
    RNG_PENALTY_SURVEY     /* step = what is drawn, item = piece */
} RngPurpose;

typedef struct {
    uint32_t key[2];
    uint32_t ctr[4]; /* block, item, step low, purpose and step high */
    uint32_t out[4];
    int left; /* words of `out` not yet handed out */
} Rng;

/* step < 2^56. */
Rng rng_make(uint64_t seed, RngPurpose purpose, uint64_t step, uint32_t item);
uint32_t rng_u32(Rng *rng);
/* Uniform on 0 .. n - 1, without bias, n >= 1 (Lemire 2019). */
uint32_t rng_below(Rng *rng, uint32_t n);
double rng_uniform(Rng *rng); /* [0, 1), 53 bits */
double rng_normal(Rng *rng);  /* standard normal, in double (Box-Muller, one of the pair) */

/* Bulk draws in float32, vectorized; each call starts at a fresh Philox block. */
void rng_fill_uniform(Rng *rng, float low, float high, float *x, size_t n);
void rng_fill_normal(Rng *rng, float *x, size_t n);

/* The bare generator; for tests against the published vectors. */
void philox4x32(const uint32_t ctr[4], const uint32_t key[2], uint32_t out[4]);

#endif
