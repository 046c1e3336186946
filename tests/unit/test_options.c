/* cli/options: parsing of every accepted form, each error's sentence, help texts from the tables. */
#include "support/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cli/options.h"

static Status run(const OptionValues *in)
{
    (void)in;
    return OK;
}

static const Option options[] = {
    {"json", 'j', NULL, "print one JSON object"},
    {"episodes", 'n', "N", "how many episodes"},
    {"out", 0, "FILE",
     "where the result goes, a phrase that is so long that it cannot stand in one line of a "
     "terminal and has to be wrapped at least once, better twice, between two of its words"},
    {0},
};
static const char *const actions[] = {"show", "keys", NULL};
static const Command eval = {"eval",
                             "POLICY [key=value ...]",
                             "measure a policy",
                             "Plays episodes.\n\n  mopo eval run/policy.h5\n",
                             options,
                             run,
                             false,
                             actions};
static const Command plain = {"doctor", "",  "look at the machine", "Looks.\n", NULL, run,
                              true,     NULL};
static const Command *const commands[] = {&eval, &plain};
static const Program program = {"mopo", "offline learning", "Examples:\n  mopo eval\n", commands,
                                2};

enum { ARGS_MAX = 8 };
static char storage[ARGS_MAX][64];
static char *args[ARGS_MAX];

/* Parse words that are separated by single blanks; "" is no words. */
static Status parse(const Command *command, const char *line, OptionValues *out)
{
    int argc = 0;
    while (*line != '\0') {
        const int n = (int)strcspn(line, " ");
        assert_true(argc < ARGS_MAX);
        (void)snprintf(storage[argc], sizeof storage[argc], "%.*s", n, line);
        args[argc] = storage[argc];
        argc++;
        line += n + (line[n] == ' ');
    }
    return options_parse(command, argc, args, out);
}

static void every_form_is_accepted(void **state)
{
    (void)state;
    static const char *const lines[] = {"a --json --episodes 5 b", "--episodes=5 a b -j",
                                        "a b -n 5 --json", "-n 5 -j -- a b",
                                        "a -j -- b --episodes"};
    OptionValues in;

    for (int i = 0; i < 4; i++) {
        int n = 1;
        CHECK_OK(parse(&eval, lines[i], &in));
        assert_int_equal(in.count, 2);
        assert_string_equal(in.words[0], "a");
        assert_string_equal(in.words[1], "b");
        assert_true(option_flag(&in, "json") && !in.help);
        assert_string_equal(option_text(&in, "episodes"), "5");
        assert_null(option_text(&in, "out"));
        CHECK_OK(option_int(&in, "episodes", 1, 10, &n));
        assert_int_equal(n, 5);
    }
    CHECK_OK(parse(&eval, lines[4], &in));
    assert_int_equal(in.count, 3);
    assert_string_equal(in.words[2], "--episodes");
    CHECK_OK(parse(&eval, "- a=-1 --out= --episodes -1", &in));
    assert_int_equal(in.count, 2); /* a single dash is a word */
    assert_string_equal(option_text(&in, "out"), "");
    assert_string_equal(option_text(&in, "episodes"), "-1");
    CHECK_OK(parse(&plain, "", &in));
    assert_int_equal(in.count, 0);
}

static void help_is_known_to_every_command(void **state)
{
    (void)state;
    OptionValues in;

    CHECK_OK(parse(&plain, "--help", &in));
    assert_true(in.help);
    CHECK_OK(parse(&eval, "a -h --wrong", &in)); /* help wins over what follows */
    assert_true(in.help);
}

static void refused(const Command *command, const char *line, const char *reason)
{
    OptionValues in;
    assert_int_equal(parse(command, line, &in), ERR_USAGE);
    assert_string_equal(status_reason(), reason);
}

static void errors_name_what_was_meant(void **state)
{
    (void)state;
    refused(&eval, "--jsn", "unknown option --jsn; did you mean --json?");
    refused(&eval, "--epsiodes=3", "unknown option --epsiodes=3; did you mean --episodes?");
    refused(&eval, "--wombat", "unknown option --wombat; `mopo eval --help` lists them");
    refused(&eval, "-x", "unknown option -x; `mopo eval --help` lists them");
    refused(&eval, "-n5", "unknown option -n5; `mopo eval --help` lists them");
    refused(&eval, "-json", "unknown option -json; did you mean --json?");
    refused(&plain, "--hepl", "unknown option --hepl; did you mean --help?");
    refused(&eval, "--out", "--out needs a value: --out=FILE");
    refused(&eval, "--out --json", "--out needs a value: --out=FILE");
    refused(&eval, "--json=1", "--json takes no value; found --json=1");
    refused(&eval, "-j --json", "--json is given twice");
}

static void numbers_are_read_strictly(void **state)
{
    (void)state;
    static const char *const bad[] = {"0",   "11",  "5x", "",
                                      "1.5", "0x1", "+1", "99999999999999999999"};
    OptionValues in;
    char line[64];
    int n = 7;

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        (void)snprintf(line, sizeof line, "--episodes=%s", bad[i]);
        CHECK_OK(parse(&eval, line, &in));
        assert_int_equal(option_int(&in, "episodes", 1, 10, &n), ERR_USAGE);
        assert_int_equal(n, 7);
    }
    assert_string_equal(status_reason(), "--episodes: found 99999999999999999999, allowed "
                                         "is a whole number from 1 to 10");
    CHECK_OK(parse(&eval, "", &in));
    CHECK_OK(option_int(&in, "episodes", 1, 10, &n));
    assert_int_equal(n, 7);
}

static void real_numbers_too(void **state)
{
    (void)state;
    static const char *const bad[] = {"-0.1", "2.6", "1.5x", "", "nan", "inf", "1,5"};
    OptionValues in;
    char line[64];
    double x = 7;

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        (void)snprintf(line, sizeof line, "--episodes=%s", bad[i]);
        CHECK_OK(parse(&eval, line, &in));
        assert_int_equal(option_real(&in, "episodes", 0, 2.5, &x), ERR_USAGE);
        assert_true(x == 7);
    }
    assert_string_equal(status_reason(),
                        "--episodes: found 1,5, allowed is a number from 0 to 2.5");
    CHECK_OK(parse(&eval, "--episodes=25e-1", &in));
    CHECK_OK(option_real(&in, "episodes", 0, 2.5, &x));
    assert_true(x == 2.5);
}

static void commands_and_actions_are_found(void **state)
{
    (void)state;
    const Command *command = NULL;
    OptionValues in;
    int action = -1;

    CHECK_OK(options_command(&program, "doctor", &command));
    assert_ptr_equal(command, &plain);
    assert_int_equal(options_command(&program, "doktor", &command), ERR_USAGE);
    assert_null(command);
    assert_string_equal(status_reason(), "mopo: unknown command doktor; did you mean doctor?");
    assert_int_equal(options_command(&program, "wombat", &command), ERR_USAGE);
    assert_string_equal(status_reason(), "mopo: unknown command wombat; `mopo --help` lists all");
    assert_int_equal(options_command(&program, "seed=1", &command), ERR_USAGE);
    assert_non_null(strstr(status_reason(), "seed=1 is no command; did you mean mopo "));

    CHECK_OK(parse(&eval, "keys x", &in));
    CHECK_OK(options_action(&in, &action));
    assert_int_equal(action, 1);
    CHECK_OK(parse(&eval, "kyes", &in));
    assert_int_equal(options_action(&in, &action), ERR_USAGE);
    assert_string_equal(status_reason(), "unknown action kyes; choose one of show, keys; "
                                         "did you mean keys?");
    CHECK_OK(parse(&eval, "", &in));
    assert_int_equal(options_action(&in, &action), ERR_USAGE);
    assert_string_equal(status_reason(), "what to do is missing; choose one of show, keys");

    char text[512];
    const Command part = {"repeat", "RUN [ranks.KEY=value ...]", "", "", NULL, run, false, NULL};
    assert_string_equal(options_settings(&eval, text, sizeof text), "");
    assert_null(options_settings(&plain, text, sizeof text));
    assert_string_equal(options_settings(&part, text, sizeof text), "ranks.");
    assert_int_equal(options_next_exit_code(-1, text, sizeof text), 0);
    assert_string_equal(text, "done");
    assert_int_equal(options_next_exit_code(2, text, sizeof text), 75);
    assert_int_equal(options_next_exit_code(76, text, sizeof text), -1);

    CHECK_OK(parse(&eval, "a b", &in));
    CHECK_OK(options_count(&in, 1, 2));
    CHECK_OK(options_count(&in, 0, -1));
    assert_int_equal(options_count(&in, 3, -1), ERR_USAGE);
    assert_string_equal(status_reason(), "a word is missing; usage: mopo eval POLICY "
                                         "[key=value ...]");
    assert_int_equal(options_count(&in, 0, 1), ERR_USAGE);
    assert_string_equal(status_reason(), "one word too many: b; usage: mopo eval POLICY "
                                         "[key=value ...]");
}

static void check_lines(const char *text)
{
    while (*text != '\0') {
        const size_t n = strcspn(text, "\n");
        assert_true(n <= 100);
        assert_true(n == 0 || text[n - 1] != ' ');
        text += n + 1;
    }
}

static void help_is_made_from_the_tables(void **state)
{
    (void)state;
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    assert_non_null(out);
    options_command_help(out, &eval);
    assert_int_equal(fclose(out), 0);
    assert_string_equal(
        text,
        "Usage: mopo eval [options] POLICY [key=value ...]\n"
        "\n"
        "Plays episodes.\n"
        "\n"
        "  mopo eval run/policy.h5\n"
        "\n"
        "Options:\n"
        "  -j, --json        print one JSON object\n"
        "  -n, --episodes N  how many episodes\n"
        "      --out FILE    where the result goes, a phrase that is so long that it cannot stand "
        "in one\n"
        "                    line of a terminal and has to be wrapped at least once, better "
        "twice,\n"
        "                    between two of its words\n"
        "  -h, --help        print this text\n");
    check_lines(text);
    free(text);

    out = open_memstream(&text, &size);
    assert_non_null(out);
    options_help(out, &program);
    assert_int_equal(fclose(out), 0);
    check_lines(text);
    assert_non_null(strstr(text, "mopo: offline learning\n\nUsage: mopo COMMAND"));
    assert_non_null(strstr(text, "\n  eval    measure a policy\n  doctor  look at the machine\n"));
    assert_non_null(strstr(text, "\nExamples:\n  mopo eval\n"));
    assert_non_null(strstr(text, "\n  0    done\n"));
    assert_non_null(
        strstr(text, "\n  2    the command line is wrong; the configuration is wrong\n"));
    const char *last = strstr(text, "\n  76   ");
    assert_true(last != NULL && last > strstr(text, "\n  75   "));
    free(text);
}

static void distances_are_those_of_levenshtein(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b;
        int want;
    } rows[] = {{"kitten", "sitting", 3}, {"saturday", "sunday", 3}, {"", "abc", 3},
                {"abc", "", 3},           {"same", "same", 0},       {"flaw", "lawn", 2}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(text_distance(rows[i].a, rows[i].b), rows[i].want);
    }
    assert_true(text_close("horizn", "horizon") && !text_close("abc", "horizon"));
}

static void flaws_of_text_are_found(void **state)
{
    (void)state;
    static const char *const good[] = {
        "", "plain", "\xC3\xA4", "\xE2\x82\xAC", "\xF0\x9F\x90\x8E", "\xF4\x8F\xBF\xBD"};
    static const char *const bad[] = {
        "\n",   "a\tb",    "\x7F",     "\xC2\x85",     "\xE2\x80\xA8", "\xEF\xBB\xBF",
        "\x80", "\xC3",    "\xC0\x80", "\xED\xA0\x80", "\xF5\x80",     "\xF4\x90\x80\x80",
        "\xFF", "\xE2\x82"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_null(text_flaw(good[i], strlen(good[i])));
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_non_null(text_flaw(bad[i], strlen(bad[i])));
    }
    assert_non_null(text_flaw("a\0b", 3));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_form_is_accepted),
        cmocka_unit_test(help_is_known_to_every_command),
        cmocka_unit_test(errors_name_what_was_meant),
        cmocka_unit_test(numbers_are_read_strictly),
        cmocka_unit_test(real_numbers_too),
        cmocka_unit_test(commands_and_actions_are_found),
        cmocka_unit_test(help_is_made_from_the_tables),
        cmocka_unit_test(distances_are_those_of_levenshtein),
        cmocka_unit_test(flaws_of_text_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
