/* The key that is suggested for a mistyped one is the right one: every key, with seeded mistakes. */
#include "support/check.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/rng.h"
#include "config/config_key.h"

enum { TYPOS = 50 }; /* of each key and number of edits */

static Rng rng;

static int below(int n)
{
    return (int)rng_below(&rng, (uint32_t)n);
}

static char letter(void)
{
    return "abcdefghijklmnopqrstuvwxyz_"[below(27)];
}

/* Insert, delete, replace, or swap two neighbors. */
static void edit(char *word)
{
    const int n = (int)strlen(word);
    const int at = below(n);
    char next = 0;

    switch (below(4)) {
    case 0:
        memmove(word + at + 1, word + at, (size_t)(n - at) + 1);
        word[at] = letter();
        break;
    case 1:
        memmove(word + at, word + at + 1, (size_t)(n - at));
        break;
    case 2:
        word[at] = letter();
        break;
    default:
        if (at + 1 < n) {
            next = word[at + 1];
            word[at + 1] = word[at];
            word[at] = next;
        }
        break;
    }
}

/* What is suggested for `word`: "" when nothing is, else "a" or "a or b". */
static const char *suggestion(const char *word)
{
    static char text[512];
    const char mark[] = "did you mean ";

    text[0] = '\0';
    assert_int_equal(config_key_unknown(word, "here"), ERR_CONFIG);
    const char *found = strstr(status_reason(), mark);
    if (found != NULL) {
        (void)snprintf(text, sizeof text, "%s", found + sizeof mark - 1);
        text[strcspn(text, "?")] = '\0';
    }
    return text;
}

/* Whether the right key is the one that is suggested, or one of two. */
static bool is_right(const char *word, const char *right)
{
    const char *said = suggestion(word);
    const char *second = strstr(said, " or ");
    const size_t n = strlen(right);
    const bool first = strncmp(said, right, n) == 0 && (said[n] == '\0' || said[n] == ' ');
    return second == NULL ? first : (first || strcmp(second + 4, right) == 0);
}

static double share_right(int edits)
{
    int right = 0;
    int all = 0;

    for (int k = 0; k < CONFIG_KEYS; k++) {
        for (int i = 0; i < TYPOS; i++) {
            char word[128];
            (void)snprintf(word, sizeof word, "%s", config_keys[k].name);
            for (int e = 0; e < edits; e++) {
                edit(word);
            }
            if (config_key_find(word) < 0 && word[0] != '\0') {
                right += is_right(word, config_keys[k].name) ? 1 : 0;
                all++;
            }
        }
    }
    printf("%d edit%s: the right key of %d is suggested in %.2f %% of %d\n", edits,
           edits > 1 ? "s" : "", CONFIG_KEYS, 100.0 * right / all, all);
    return (double)right / all;
}

static void the_right_key_is_suggested(void **state)
{
    (void)state;
    rng = rng_make(1, 0, 0, 0);
    assert_true(share_right(1) >= 0.99);
    assert_true(share_right(2) >= 0.97);
}

/* Mistakes that are no slips of a finger. */
static void other_ways_to_write_a_key_are_understood(void **state)
{
    (void)state;
    static const struct {
        const char *written, *right;
    } rows[] = {
        {"horizon", "rollout.horizon"},
        {"rollout_horizon", "rollout.horizon"},
        {"rollout/horizon", "rollout.horizon"},
        {"rollout:horizon", "rollout.horizon"},
        {"--rollout.horizon", "rollout.horizon"},
        {"rollout.horizon ", "rollout.horizon"},
        {"ROLLOUT.HORIZON", "rollout.horizon"},
        {"Rollout.Horizon", "rollout.horizon"},
        {"model.horizon", "rollout.horizon"},
        {"rollouts.horizon", "rollout.horizon"},
        {"train.updates-per-epoch", "train.updates_per_epoch"},
        {"train.updatesPerEpoch", "train.updates_per_epoch"},
        {"updates_per_epoch", "train.updates_per_epoch"},
        {"run-dir", "run_dir"},
        {"rundir", "run_dir"},
        {"n_ensemble", "model.members"},
        {"model.ensemble_size", "model.members"},
        {"num_epochs", "train.epochs"},
        {"train.num_epochs", "train.epochs"},
        {"discount", "sac.gamma"},
        {"Discount", "sac.gamma"},
        {"penalty_coef", "penalty.lambda"},
        {"rollout-length", "rollout.horizon"},
        {"env_name", "task"},
        {"output_dir", "run_dir"},
        {"eval_freq", "eval.every"},
        {"learning_rate", "model.lr, sac.actor_lr or sac.critic_lr"},
        {"hidden_size", "model.hidden or sac.hidden"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (strcmp(suggestion(rows[i].written), rows[i].right) != 0) {
            fail_msg("%s: suggested is '%s', not '%s'", rows[i].written,
                     suggestion(rows[i].written), rows[i].right);
        }
    }
}

/* Nobody is helped by a guess that is far away. */
static void what_is_far_from_all_gets_no_suggestion(void **state)
{
    (void)state;
    static const char *const words[] = {"", "frobnicate", "x", "quantum.entanglement", "\xff\xfe"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        assert_string_equal(suggestion(words[i]), "");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_right_key_is_suggested),
        cmocka_unit_test(other_ways_to_write_a_key_are_understood),
        cmocka_unit_test(what_is_far_from_all_gets_no_suggestion),
    };
    return cmocka_run_group_tests_name("typos", tests, NULL, NULL);
}
