#include "base/rng.h"

#include <math.h>

#include "base/vmath.h"
#include "base/wide.h"

void philox4x32(const uint32_t ctr[4], const uint32_t key[2], uint32_t out[4])
{
    uint32_t c0 = ctr[0];
    uint32_t c1 = ctr[1];
    uint32_t c2 = ctr[2];
    uint32_t c3 = ctr[3];
    uint32_t k0 = key[0];
    uint32_t k1 = key[1];

    for (int round = 0; round < 10; round++) {
        const uint64_t p0 = (uint64_t)0xD2511F53U * c0;
        const uint64_t p1 = (uint64_t)0xCD9E8D57U * c2;
        c0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
        c1 = (uint32_t)p1;
        c2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
        c3 = (uint32_t)p0;
        k0 += 0x9E3779B9U;
        k1 += 0xBB67AE85U;
    }
    out[0] = c0;
    out[1] = c1;
    out[2] = c2;
    out[3] = c3;
}

Rng rng_make(uint64_t seed, RngPurpose purpose, uint64_t step, uint32_t item)
{
    return (Rng){
        .key = {(uint32_t)seed, (uint32_t)(seed >> 32)},
        .ctr = {0, item, (uint32_t)step, ((uint32_t)purpose << 24) | (uint32_t)(step >> 32)},
    };
}

static void next_block(Rng *rng)
{
    philox4x32(rng->ctr, rng->key, rng->out);
    rng->ctr[0]++;
    rng->left = 4;
}

uint32_t rng_u32(Rng *rng)
{
    if (rng->left == 0) {
        next_block(rng);
    }
    return rng->out[4 - rng->left--];
}

uint32_t rng_below(Rng *rng, uint32_t n)
{
    uint64_t wide = (uint64_t)rng_u32(rng) * n;
    if ((uint32_t)wide < n) {
        const uint32_t least = (0U - n) % n;
        while ((uint32_t)wide < least) {
            wide = (uint64_t)rng_u32(rng) * n;
        }
    }
    return (uint32_t)(wide >> 32);
}

double rng_uniform(Rng *rng)
{
    const uint64_t high = rng_u32(rng) >> 5;
    const uint64_t low = rng_u32(rng) >> 6;
    return (double)((high << 26) | low) * 0x1p-53;
}

double rng_normal(Rng *rng)
{
    const double u = 1.0 - rng_uniform(rng); /* (0, 1] */
    const double v = rng_uniform(rng);
    return sqrt(-2.0 * log(u)) * cos(6.283185307179586 * v);
}

/* Philox over a run of blocks, kept apart so that the compiler vectorises over b. */
enum { LANES = 64 };

static void fill_blocks(Rng *rng, uint32_t words[4][LANES])
{
    for (uint32_t b = 0; b < LANES; b++) {
        const uint32_t ctr[4] = {rng->ctr[0] + b, rng->ctr[1], rng->ctr[2], rng->ctr[3]};
        uint32_t out[4];
        philox4x32(ctr, rng->key, out);
        words[0][b] = out[0];
        words[1][b] = out[1];
        words[2][b] = out[2];
        words[3][b] = out[3];
    }
    rng->ctr[0] += LANES;
}

/* [0, 1) with 24 bits */
static float unit_float(uint32_t word)
{
    return (float)(word >> 8) * 0x1p-24F;
}

WIDE void rng_fill_uniform(Rng *rng, float low, float high, float *x, size_t n)
{
    uint32_t words[4][LANES];
    const float width = high - low;

    rng->left = 0;
    for (size_t at = 0; at < n; at += (size_t)4 * LANES) {
        float draw[4 * LANES];
        fill_blocks(rng, words);
        const uint32_t *flat = words[0];
        for (int i = 0; i < 4 * LANES; i++) {
            draw[i] = low + width * unit_float(flat[i]);
        }
        const size_t take = n - at < (size_t)4 * LANES ? n - at : (size_t)4 * LANES;
        memcpy(x + at, draw, take * sizeof *x);
    }
}

WIDE void rng_fill_normal(Rng *rng, float *x, size_t n)
{
    uint32_t words[4][LANES];

    rng->left = 0;
    for (size_t at = 0; at < n; at += (size_t)4 * LANES) {
        float draw[4][LANES];
        fill_blocks(rng, words);
        for (int pair = 0; pair < 4; pair += 2) { /* Box-Muller */
            for (int b = 0; b < LANES; b++) {
                const float u = unit_float(words[pair][b]) + 0x1p-25F; /* never 0 */
                const float radius = sqrtf(-2.0F * vm_log(u));
                float s;
                float c;
                vm_sincos_turn(unit_float(words[pair + 1][b]), &s, &c);
                draw[pair][b] = radius * c;
                draw[pair + 1][b] = radius * s;
            }
        }
        const size_t take = n - at < (size_t)4 * LANES ? n - at : (size_t)4 * LANES;
        memcpy(x + at, draw, take * sizeof *x);
    }
}
