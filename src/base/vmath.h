/* exp, log, sigmoid, softplus, tanh, sine and cosine in float32 as straight-line code that the
 * compiler turns into vector instructions. Only IEEE operations in a fixed order: a vector and a
 * scalar evaluation give the same bits. Errors below are the largest seen against double libm over
 * a dense sweep (tests/unit/test_base.c).
 */
#ifndef BASE_VMATH_H
#define BASE_VMATH_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static inline float vm_from_bits(uint32_t bits)
{
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static inline uint32_t vm_bits(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

/* yes where `if_yes`, otherwise no. In bits, because of a branch gcc computes both sides to their ends
 * and chooses then. */
static inline float vm_select(bool if_yes, float yes, float no)
{
    const uint32_t mask = -(uint32_t)if_yes;
    return vm_from_bits((vm_bits(yes) & mask) | (vm_bits(no) & ~mask));
}

/* e^x: 1 ulp on [-87, 88], 1.2e-38 below -87.3, infinity above 88.8; NaN stays NaN. For sums with 1,
 * where zero below would be a wasted comparison. */
static inline float vm_exp_above(float x)
{
    /* 1.5 * 2^23: adding it rounds to an integer; 127 more, and its low bits are an exponent's */
    const float shift = 12582912.0F + 127.0F;
    const uint32_t most = 0x4B4000FEU; /* of shift + 127: beyond, the polynomial grows instead */
    const float c = vm_select(x < -87.3F, -87.3F, x);
    uint32_t k = vm_bits(fmaf(c, 1.44269504F, shift));
    k = k < most ? k : most;
    const float n = vm_from_bits(k) - shift;
    float r = fmaf(n, -0.693145752F, c);
    r = fmaf(n, -1.42860677e-6F, r);
    float p = 1.98756912e-4F;
    p = fmaf(p, r, 1.39819994e-3F);
    p = fmaf(p, r, 8.33345205e-3F);
    p = fmaf(p, r, 4.16657962e-2F);
    p = fmaf(p, r, 1.66666657e-1F);
    p = fmaf(p, r, 0.5F);
    p = fmaf(p * r, r, r) + 1.0F;
    return p * vm_from_bits(k << 23);
}

/* The same, but 0 below -87.3. */
static inline float vm_exp(float x)
{
    return vm_select(x < -87.3F, 0.0F, vm_exp_above(x));
}

/* Natural logarithm of a normal positive float: 1 ulp. */
static inline float vm_log(float x)
{
    const uint32_t bits = vm_bits(x);
    /* mantissa in [sqrt(1/2), sqrt(2)) */
    const uint32_t shifted = bits - 0x3F3504F3U;
    const float n = (float)((int32_t)shifted >> 23);
    const float m = vm_from_bits((shifted & 0x007FFFFFU) + 0x3F3504F3U) - 1.0F;
    float p = 7.0376836292e-2F;
    p = fmaf(p, m, -1.1514610310e-1F);
    p = fmaf(p, m, 1.1676998740e-1F);
    p = fmaf(p, m, -1.2420140846e-1F);
    p = fmaf(p, m, 1.4249322787e-1F);
    p = fmaf(p, m, -1.6668057665e-1F);
    p = fmaf(p, m, 2.0000714765e-1F);
    p = fmaf(p, m, -2.4999993993e-1F);
    p = fmaf(p, m, 3.3333331174e-1F);
    const float m2 = m * m;
    float r = fmaf(p * m2, m, -2.12194440e-4F * n);
    r = fmaf(-0.5F, m2, r);
    return fmaf(n, 0.693359375F, m + r);
}

static inline float vm_sigmoid(float x)
{
    return 1.0F / (1.0F + vm_exp_above(-x));
}

/* log(1 + e^x), for large |x| too. */
static inline float vm_softplus(float x)
{
    const float a = fabsf(x);
    const float e = vm_exp(-a);
    /* log1p(e) by the correction of Kahan and Goldberg: exact where 1 + e rounds */
    const float u = 1.0F + e;
    const float d = u - 1.0F;
    const float l = vm_select(d == 0.0F, e, vm_log(u) * (e / d));
    return vm_select(x > 0.0F, x, 0.0F) + vm_select(isnan(x), x, l);
}

static inline float vm_tanh(float x)
{
    const float a = fabsf(x);
    const float e = vm_exp_above(-2.0F * a);
    const float big = (1.0F - e) / (1.0F + e);
    /* odd polynomial where 1 - e would cancel */
    const float x2 = x * x;
    float p = -5.70498872745e-3F;
    p = fmaf(p, x2, 2.06390887954e-2F);
    p = fmaf(p, x2, -5.37397155531e-2F);
    p = fmaf(p, x2, 1.33314422036e-1F);
    p = fmaf(p, x2, -3.33332819422e-1F);
    const float small = fmaf(p * x2, x, x);
    return vm_select(a < 0.625F, small, copysignf(big, x));
}

/* sine and cosine of 2 pi t, t in [0, 1]. */
static inline void vm_sincos_turn(float t, float *sine, float *cosine)
{
    const float shift = 12582912.0F;
    const float k = fmaf(t, 4.0F, shift); /* nearest quarter turn */
    const uint32_t quadrant = vm_bits(k) & 3U;
    const float r = fmaf(k - shift, -0.25F, t) * 6.28318531F; /* in [-pi/4, pi/4] */
    const float r2 = r * r;
    float s = -1.9515295891e-4F;
    s = fmaf(s, r2, 8.3321608736e-3F);
    s = fmaf(s, r2, -1.6666654611e-1F);
    s = fmaf(s * r2, r, r);
    float c = 2.443315711809948e-5F;
    c = fmaf(c, r2, -1.388731625493765e-3F);
    c = fmaf(c, r2, 4.166664568298827e-2F);
    c = fmaf(c * r2, r2, fmaf(-0.5F, r2, 1.0F));
    const float a = vm_select((quadrant & 1U) != 0U, c, s);
    const float b = vm_select((quadrant & 1U) != 0U, s, c);
    *sine = vm_select((quadrant & 2U) != 0U, -a, a);
    *cosine = vm_select(((quadrant + 1U) & 2U) != 0U, -b, b);
}

#endif
