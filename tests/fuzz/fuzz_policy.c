/* Policies, with and without a seal. */
#include <math.h>

#include "fuzz/fuzz.h"
#include "run/policy_file.h"

enum { S = 4, A = 2, H = 8 };
#define LAYER(name, outs, ins)             \
    {name "/weight", 2, {outs, ins}, 0.1}, \
    {                                      \
        name "/bias", 1, {outs}, 0.1       \
    }

static const FuzzArray arrays[] = {
    LAYER("metadata/policy/fc0", H, S),     LAYER("metadata/policy/fc1", H, H),
    LAYER("metadata/policy/last_fc", A, H), LAYER("metadata/policy/last_fc_log_std", A, H),
    {"metadata/iteration", 0, {0}, 3},      {"mopo/log_std_clip", 1, {2}, -1},
    {"mopo/action_low", 1, {A}, -1},        {"mopo/action_high", 1, {A}, 1},
    {"mopo/candidates", 0, {0}, 10},        LAYER("mopo/critic/fc0", H, S + A),
    LAYER("mopo/critic/last_fc", 1, H)};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const words[] = {"relu",     "tanh",     "gelu", "tanh_gaussian",
                                        "gaussian", "\x1b[31m", ""};
    enum { WORDS = sizeof words / sizeof *words };
    FuzzBytes in = {data, size};
    PolicyFile policy;
    const bool sealed = (fuzz_byte(&in) & 1) != 0;
    const H5Text texts[] = {
        {"task", words[fuzz_byte(&in) % WORDS], false},
        {"metadata/policy/nonlinearity", words[fuzz_byte(&in) % WORDS], true},
        {"metadata/policy/output_distribution", words[fuzz_byte(&in) % WORDS], true}};
    const int m = (int)(fuzz_byte(&in) % 4);
    const char *path =
        fuzz_h5("policy.h5", sealed, &in, arrays, sizeof arrays / sizeof *arrays, texts, m);

    if (path != NULL && policy_load(path, &policy) == OK) {
        for (size_t i = 0; i < policy.actor.count; i++) {
            EXPECT(isfinite(policy.params[i]));
        }
        EXPECT(policy.squash.low < policy.squash.high && policy.act_dim > 0);
        policy_release(&policy);
    }
    return 0;
}
