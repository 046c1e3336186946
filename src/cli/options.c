#include "cli/options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/panic.h"
#include "base/text.h"

enum { WIDTH = 96, LEFT_MAX = 28 }; /* of help texts: whole lines, and their left column */

const Option option_help = {"help", 'h', NULL, "print this text"};

static int option_count(const Command *command)
{
    int n = 0;
    while (command->options != NULL && command->options[n].name != NULL) {
        n++;
    }
    REQUIRE(n <= OPTIONS_MAX);
    return n;
}

/* ---- parsing ---- */

typedef struct {
    const char *shown; /* as written, "--out" */
    int row;           /* of the command's table; -1: help */
    const char *value; /* behind '='; NULL when there is none */
} Found;

static Status unknown(const Command *command, const char *shown, const char *name)
{
    const char *names[OPTIONS_MAX + 1];
    const int n = option_count(command);

    for (int i = 0; i < n; i++) {
        names[i] = command->options[i].name;
    }
    names[n] = option_help.name;
    const char *near = text_nearest(name, names, n + 1);
    return status_fail(ERR_USAGE, "unknown option %.80s; %s%s%s", shown,
                       near != NULL ? "did you mean --" : "`mopo ",
                       near != NULL ? near : command->verb,
                       near != NULL ? "?" : " --help` lists them");
}

/* Which option a word that starts with '-' is. */
static Status find(const Command *command, const char *word, Found *out)
{
    const bool is_long = word[1] == '-';
    const char *equals = is_long ? strchr(word, '=') : NULL;
    const size_t n = equals != NULL ? (size_t)(equals - word) : strlen(word);
    char name[TEXT_WORD_MAX];
    const int count = option_count(command);

    (void)snprintf(name, sizeof name, "%.*s", (int)n - 2, is_long ? word + 2 : "");
    *out = (Found){.shown = word, .row = -1, .value = equals != NULL ? equals + 1 : NULL};
    for (int i = -1; i < count; i++) {
        const Option *option = i < 0 ? &option_help : &command->options[i];
        const bool by_letter = !is_long && word[1] == option->letter && word[2] == '\0';
        if (by_letter || (is_long && strcmp(name, option->name) == 0)) {
            out->row = i;
            return OK;
        }
    }
    return unknown(command, word, is_long ? name : word + 1);
}

/* Take the option's value from behind '=' or from the next word; *used counts words. */
static Status take(const Command *command, const Found *found, const char *next, const char **value,
                   int *used)
{
    const Option *option = found->row < 0 ? &option_help : &command->options[found->row];

    *used = 1;
    if (option->value == NULL) {
        *value = "";
        return found->value == NULL ? OK
                                    : status_fail(ERR_USAGE, "--%s takes no value; found %.80s",
                                                  option->name, found->shown);
    }
    *value = found->value;
    if (*value != NULL) {
        return OK;
    }
    if (next == NULL || strncmp(next, "--", 2) == 0) {
        return status_fail(ERR_USAGE, "--%s needs a value: --%s=%s", option->name, option->name,
                           option->value);
    }
    *value = next;
    *used = 2;
    return OK;
}

Status options_parse(const Command *command, int argc, char **argv, OptionValues *out)
{
    Status st = OK;
    bool only_words = false;

    *out = (OptionValues){.command = command, .words = argv};
    for (int i = 0; i < argc;) {
        char *word = argv[i];
        Found found = {0};
        const char *value = NULL;
        int used = 1;

        if (only_words || word[0] != '-' || word[1] == '\0') {
            argv[out->count++] = word; /* never behind i: options only leave gaps */
            i++;
            continue;
        }
        if (strcmp(word, "--") == 0) {
            only_words = true;
            i++;
            continue;
        }
        TRY(find(command, word, &found));
        TRY(take(command, &found, i + 1 < argc ? argv[i + 1] : NULL, &value, &used));
        i += used;
        if (found.row < 0) {
            out->help = true;
            return OK;
        }
        if (out->given[found.row] != NULL) {
            return status_fail(ERR_USAGE, "--%s is given twice", command->options[found.row].name);
        }
        out->given[found.row] = value;
    }
done:
    return st;
}

const char *option_text(const OptionValues *in, const char *name)
{
    const int count = option_count(in->command);
    for (int i = 0; i < count; i++) {
        if (strcmp(in->command->options[i].name, name) == 0) {
            return in->given[i];
        }
    }
    panic(__FILE__, __LINE__, "mopo %s has no option --%s", in->command->verb, name);
}

bool option_flag(const OptionValues *in, const char *name)
{
    return option_text(in, name) != NULL;
}

Status option_int(const OptionValues *in, const char *name, int min, int max, int *out)
{
    const char *text = option_text(in, name);
    char *end = NULL;

    if (text == NULL) {
        return OK;
    }
    errno = 0;
    const long value = strtol(text, &end, 10);
    const char first = text[text[0] == '-'];
    if (first < '0' || first > '9' || *end != '\0' || errno != 0 || value < min || value > max) {
        return status_fail(ERR_USAGE, "--%s: found %.80s, allowed is a whole number from %d to %d",
                           name, text[0] != '\0' ? text : "nothing", min, max);
    }
    *out = (int)value;
    return OK;
}

Status option_real(const OptionValues *in, const char *name, double min, double max, double *out)
{
    const char *text = option_text(in, name);
    char *end = NULL;

    if (text == NULL) {
        return OK;
    }
    const double value = strtod(text, &end);
    const bool digits =
        text[strspn(text, "0123456789.+-eE")] == '\0'; /* no hexadecimal, no blanks */
    if (end == text || *end != '\0' || !digits || !(value >= min && value <= max)) { /* NaN too */
        return status_fail(ERR_USAGE, "--%s: found %.80s, allowed is a number from %g to %g", name,
                           text[0] != '\0' ? text : "nothing", min, max);
    }
    *out = value;
    return OK;
}

Status options_command(const Program *program, const char *verb, const Command **command)
{
    const char *near = NULL;

    *command = NULL;
    for (int i = 0; i < program->count; i++) {
        const char *known = program->commands[i]->verb;
        if (strcmp(known, verb) == 0) {
            *command = program->commands[i];
            return OK;
        }
        const bool nearer = near == NULL || text_distance(verb, known) < text_distance(verb, near);
        near = text_close(verb, known) && nearer ? known : near;
    }
    if (strchr(verb, '=') != NULL || strchr(verb, '.') != NULL) { /* a setting or a file */
        return status_fail(ERR_USAGE, "%s: %.80s is no command; did you mean %s %s %.80s?",
                           program->name, verb, program->name, program->commands[0]->verb, verb);
    }
    return status_fail(ERR_USAGE, "%s: unknown command %.80s; %s%s%s", program->name,
                       verb[0] != '\0' ? verb : "'' (an empty word)",
                       near != NULL ? "did you mean " : "`", near != NULL ? near : program->name,
                       near != NULL ? "?" : " --help` lists all");
}

Status options_action(const OptionValues *in, int *action)
{
    char list[256];
    Text choice = text_over(list, sizeof list);
    const char *word = in->count > 0 ? in->words[0] : NULL;
    const char *const *actions = in->command->actions;
    int count = 0;

    for (int i = 0; actions[i] != NULL; i++, count++) {
        if (word != NULL && strcmp(word, actions[i]) == 0) {
            *action = i;
            return OK;
        }
        text_add(&choice, "%s%s", i > 0 ? ", " : "", actions[i]);
    }
    const char *near = word != NULL ? text_nearest(word, actions, count) : NULL;
    return status_fail(ERR_USAGE, "%s%.80s; choose one of %s%s%s%s",
                       word != NULL ? "unknown action " : "what to do is missing",
                       word != NULL ? word : "", list, near != NULL ? "; did you mean " : "",
                       near != NULL ? near : "", near != NULL ? "?" : "");
}

Status options_count(const OptionValues *in, int min, int max)
{
    if (in->count >= min && (max < 0 || in->count <= max)) {
        return OK;
    }
    return status_fail(ERR_USAGE, "%s%.80s; usage: mopo %s %s",
                       in->count < min ? "a word is missing" : "one word too many: ",
                       in->count < min ? "" : in->words[max], in->command->verb, in->command->args);
}

/* ---- help ---- */

/* The words of `text` up to its first newline, in lines from column `left` to WIDTH; the cursor stands
 * at `column`. */
static void print_wrapped(FILE *out, const char *text, int left, int column)
{
    while (*text != '\0' && *text != '\n') {
        const int n = (int)strcspn(text, " \n");
        if (column > left && column + 1 + n > WIDTH) {
            (void)fprintf(out, "\n");
            column = 0;
        }
        const int gap = column < left ? left - column : column > left ? 1 : 0;
        (void)fprintf(out, "%*s%.*s", gap, "", n, text);
        column += gap + n;
        text += n;
        text += *text == ' ';
    }
    (void)fprintf(out, "\n");
}

static void print_paragraphs(FILE *out, const char *text)
{
    while (*text != '\0') {
        const size_t n = strcspn(text, "\n");
        if (*text == ' ') {
            (void)fprintf(out, "%.*s\n", (int)n, text);
        } else {
            print_wrapped(out, text, 0, 0);
        }
        text += n + (text[n] == '\n');
    }
}

/* "  left    text", the text wrapped in its column, which starts at `column`. */
static void print_row(FILE *out, const char *left, const char *text, int column)
{
    int at = fprintf(out, "  %s", left);
    if (at >= column - 1) {
        (void)fprintf(out, "\n");
        at = 0;
    }
    print_wrapped(out, text, column, at);
}

static void option_shown(const Option *option, char *text, size_t size)
{
    Text out = text_over(text, size);
    if (option->letter != 0) {
        text_add(&out, "-%c, ", option->letter);
    } else {
        text_add(&out, "    ");
    }
    text_add(&out, "--%s%s%s", option->name, option->value != NULL ? " " : "",
             option->value != NULL ? option->value : "");
}

static int wider(int width, const char *text)
{
    const int n = (int)strlen(text) + 4; /* two blanks on each side */
    return n > LEFT_MAX ? width : n > width ? n : width;
}

int options_next_exit_code(int last, char *text, size_t size)
{
    static const struct {
        int code;
        const char *text;
    } rows[] = {
#define EXIT_ROW(name, code, text) {code, text},
        STATUS_LIST(EXIT_ROW)
#undef EXIT_ROW
    };
    const int count = (int)(sizeof rows / sizeof rows[0]);
    Text all = text_over(text, size);
    int next = 256;

    for (int k = 0; k < count; k++) {
        next = rows[k].code > last && rows[k].code < next ? rows[k].code : next;
    }
    for (int k = 0; k < count; k++) {
        if (rows[k].code == next) {
            text_add(&all, "%s%s", all.used > 0 ? "; " : "", rows[k].text);
        }
    }
    return next < 256 ? next : -1;
}

static void print_exit_codes(FILE *out)
{
    char text[512];
    char code[8];

    (void)fprintf(out, "\nExit codes:\n");
    for (int next = options_next_exit_code(-1, text, sizeof text); next >= 0;
         next = options_next_exit_code(next, text, sizeof text)) {
        (void)snprintf(code, sizeof code, "%d", next);
        print_row(out, code, text, 7);
    }
}

/* The usage line says it: [key=value ...], or [ranks.KEY=value ...]. */
const char *options_settings(const Command *command, char *buffer, size_t size)
{
    const char *end = strstr(command->args, ".KEY=value");
    const char *start = end;

    if (end == NULL) {
        return strstr(command->args, "key=value") != NULL ? "" : NULL;
    }
    while (start > command->args && start[-1] >= 'a' && start[-1] <= 'z') {
        start--;
    }
    (void)snprintf(buffer, size, "%.*s.", (int)(end - start), start);
    return buffer;
}

void options_help(FILE *out, const Program *program)
{
    int width = 0;

    (void)fprintf(out, "%s:", program->name);
    print_wrapped(out, program->summary, 0, (int)strlen(program->name) + 1);
    (void)fprintf(out, "\nUsage: %s COMMAND [words and options]\n\nCommands:\n", program->name);
    for (int i = 0; i < program->count; i++) {
        width = wider(width, program->commands[i]->verb);
    }
    for (int i = 0; i < program->count; i++) {
        print_row(out, program->commands[i]->verb, program->commands[i]->summary, width);
    }
    (void)fprintf(out, "\n`%s COMMAND --help` explains one.\n\n", program->name);
    print_paragraphs(out, program->detail);
    print_exit_codes(out);
}

void options_command_help(FILE *out, const Command *command)
{
    const int count = option_count(command);
    char text[128];
    int width = 0;

    (void)fprintf(out, "Usage: mopo %s [options] %s\n\n", command->verb, command->args);
    print_paragraphs(out, command->detail);
    (void)fprintf(out, "\nOptions:\n");
    for (int i = 0; i <= count; i++) {
        option_shown(i < count ? &command->options[i] : &option_help, text, sizeof text);
        width = wider(width, text);
    }
    for (int i = 0; i <= count; i++) {
        const Option *option = i < count ? &command->options[i] : &option_help;
        option_shown(option, text, sizeof text);
        print_row(out, text, option->help, width);
    }
}
