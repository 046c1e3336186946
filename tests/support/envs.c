#include "support/envs.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "support/check.h"

Env *open_task(EnvKind *kind, const char *name, EnvConfig config)
{
    Env *env = NULL;

    CHECK_OK(env_configure(kind, name, &config));
    assert_true(kind->state_dim > 0 && kind->state_dim <= DIM_MAX);
    CHECK_OK(kind->open(&env, kind));
    assert_non_null(env);
    return env;
}

void draw_action(const EnvKind *kind, Rng *rng, float *action)
{
    rng_fill_uniform(rng, -1, 1, action, (size_t)kind->act_dim);
}

Returns play_episodes(const EnvKind *kind, uint32_t episodes, void (*act)(const float *, float *))
{
    Env *env = NULL;
    double sum = 0;
    double squares = 0;
    double steps = 0;

    CHECK_OK(kind->open(&env, kind));
    for (uint32_t k = 0; k < episodes; k++) {
        Rng rng = rng_make(6, RNG_TEST, 0, k);
        EnvStep step = {0};
        double total = 0;
        CHECK_OK(kind->reset(env, &rng));
        for (int t = 0; t < kind->horizon && !step.terminal; t++) {
            float s[DIM_MAX];
            float action[DIM_MAX];
            kind->observe(env, s);
            if (act != NULL) {
                act(s, action);
            } else {
                draw_action(kind, &rng, action);
            }
            CHECK_OK(kind->step(env, action, &step));
            total += (double)step.reward;
            steps++;
        }
        sum += total;
        squares += total * total;
    }
    kind->close(env);
    const double mean = sum / episodes;
    const double variance = fmax(0, squares / episodes - mean * mean);
    return (Returns){.mean = mean, .error = sqrt(variance / episodes), .length = steps / episodes};
}

char *golden_text(const char *name)
{
    char path[1024];
    char *text = NULL;

    (void)snprintf(path, sizeof path, "%s/tests/golden/%s.txt", MOPO_SOURCE_DIR, name);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    const size_t size = (size_t)ftell(file);
    rewind(file);
    CHECK_OK(mem_alloc(&text, size + 1, 1, "golden text"));
    assert_int_equal(fread(text, 1, size, file), size);
    (void)fclose(file);
    return text;
}

void golden_doubles(const char *text, const char *record, int rows, int columns, double *x)
{
    char head[128];

    if (rows > 0) {
        (void)snprintf(head, sizeof head, "\n%s %dx%d\n", record, rows, columns);
    } else {
        (void)snprintf(head, sizeof head, "\n%s %d\n", record, columns);
    }
    const char *at = strstr(text, head);
    if (at == NULL) {
        print_error("no golden record:%s", head);
        fail();
        abort(); /* not reached; cmocka does not say so to the compiler */
    }
    at += strlen(head);
    for (int i = 0; i < (rows > 0 ? rows : 1) * columns; i++) {
        char *end = NULL;
        x[i] = strtod(at, &end);
        assert_true(end != at);
        at = end;
    }
}
