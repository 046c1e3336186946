#include "cli/man.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include "base/version.h"
#include "config/config.h"

enum { LINE = 76 }; /* of the source: readers of roff dislike longer ones */

/* name, meaning; a test compares with what the source asks for. */
static const char *const variables[][2] = {
    {"MOPO_DATA", "The folder of your datasets: where names of datasets are looked up first."},
    {"D4RL_DATASET_DIR", "D4RL's own cache; without it ~/.d4rl/datasets."},
    {"MINARI_DATASETS_PATH", "Minari's own cache; without it ~/.minari/datasets."},
    {"HOME", "Where these two begin."},
    {"TMPDIR", "For what `mopo bench` and `mopo plan` write and delete."},
    {"MOPO_MPIRUN",
     "The mpirun that `mopo sweep` starts, if not the one on PATH; it may carry options."},
    {"SLURM_JOB_END_TIME", "When the job will be ended, in seconds since 1970: no epoch begins "
                           "that would end later. SLURM sets it."},
    {"MOPO_START_PATIENCE", "Seconds after which a job ends (75) whose MPI does not begin; 600."},
    {"TERM", "Where it is dumb or not set, `mopo status --watch` writes lines."},
    {"PMIX_RANK, PMI_RANK", "Set by mpirun and srun; `mopo sweep` hands them to nobody it starts."},
    {"MOPO_CHECK_EXCHANGES", "1: compare before each exchange what the ranks are about to call, "
                             "and end where they differ."},
    {"MOPO_HOST_RANKS", "K: each K ranks of a host pass for a host of their own, for tests."},
    {"OMPI_MCA_osc_sm_backing_directory",
     "Where Open MPI keeps memory that ranks share, if not in /dev/shm."},
};

static const char *const files[][2] = {
    {"runs/CONFIG-sSEED", "A run directory, where `run_dir` names no other one: settings, policy, "
                          "model, metrics, log, checkpoints."},
    {"RUN/used.yaml", "Every setting of a run and where it came from; a configuration like any "
                      "other."},
    {"RUN/policy.h5", "The policy."},
    {"RUN/metrics.csv", "A line for each epoch."},
    {"RUN/stop", "Make this file, and the run ends after its epoch, saved, with exit code 75."},
    {"PREFIX/share/mopo/configs",
     "Configurations: smoke.yaml, the paper's, a start for each task."},
    {"PREFIX/share/mopo/slurm", "Job scripts for SLURM."},
    {"PREFIX/share/doc/mopo",
     "The documentation; docs/formats.md there has every file and column."},
};

/* ---- text to roff ---- */

typedef struct {
    FILE *out;
    int column;
    bool bold; /* between two backquotes */
} Page;

static void put_char(Page *page, char c)
{
    static const char *const escapes[][2] = {
        {"\\", "\\e"}, {"-", "\\-"}, {"'", "\\(aq"}, {"^", "\\(ha"}, {"~", "\\(ti"},
    };
    const char plain[2] = {c, '\0'};
    const char *text = plain;

    if (c == '`') {
        page->bold = !page->bold;
        text = page->bold ? "\\fB" : "\\fR";
    }
    for (size_t i = 0; i < sizeof escapes / sizeof *escapes; i++) {
        text = escapes[i][0][0] == c ? escapes[i][1] : text;
    }
    page->column += fprintf(page->out, "%s", text);
}

/* A dot would begin a request, as a quote would: it is escaped anyway. */
static void put_word(Page *page, const char *word, size_t n)
{
    if (page->column > 0) {
        const bool full = page->column + 1 + (int)n > LINE;
        (void)fprintf(page->out, "%s", full ? "\n" : " ");
        page->column = full ? 0 : page->column + 1;
    }
    if (page->column == 0 && word[0] == '.') {
        page->column += fprintf(page->out, "\\&");
    }
    for (size_t i = 0; i < n; i++) {
        put_char(page, word[i]);
    }
}

/* Words, with `code` in bold, up to the end of the text or its line. */
static void put_words(Page *page, const char *text)
{
    while (*text != '\0' && *text != '\n') {
        const size_t n = strcspn(text, " \n");
        if (n > 0) {
            put_word(page, text, n);
        }
        text += n;
        text += *text == ' ';
    }
}

static void put_line(Page *page, const char *text)
{
    put_words(page, text);
    (void)fprintf(page->out, "\n");
    page->column = 0;
    page->bold = false;
}

static void put_tag(Page *page, const char *tag, const char *text)
{
    (void)fprintf(page->out, ".TP\n\\fB");
    put_words(page, tag);
    (void)fprintf(page->out, "\\fR\n");
    page->column = 0;
    put_line(page, text);
}

static void put_heading(Page *page, const char *text)
{
    (void)fprintf(page->out, ".SH %s\n", text);
}

static void put_upper(Page *page, const char *text)
{
    for (; *text != '\0'; text++) {
        (void)fprintf(page->out, "%c", toupper((unsigned char)*text));
    }
}

/* Title and NAME of `mopo-part`; part NULL: of `mopo`. */
static void put_title(Page *page, const Program *program, const char *part, int section,
                      const char *summary)
{
    const char *dash = part != NULL ? "-" : "";
    part = part != NULL ? part : "";
    (void)fprintf(page->out, ".\\\" Made by `%s man`.\n.TH ", program->name);
    put_upper(page, program->name);
    (void)fprintf(page->out, "%s", dash);
    put_upper(page, part);
    (void)fprintf(page->out, " %d %s \"%s %s\" \"%s\"\n.nh\n.ad l\n", section, version.date,
                  program->name, version.number, program->name);
    put_heading(page, "NAME");
    (void)fprintf(page->out, "%s%s%s \\-\n", program->name, dash[0] != '\0' ? "\\-" : "", part);
    put_line(page, summary);
}

/* Paragraphs, or with `examples` the lines between them that begin with a blank. */
static void put_detail(Page *page, const char *text, bool examples)
{
    const char *between = "";
    for (const char *end = text; *text != '\0'; text = end + (*end == '\n')) {
        end = text + strcspn(text, "\n");
        if (end > text && (*text == ' ') == examples) {
            (void)fprintf(page->out, "%s", between);
            put_line(page, text);
            between = examples ? "" : ".PP\n";
        }
    }
}

static void put_examples(Page *page, const char *text)
{
    if (strncmp(text, "  ", 2) == 0 || strstr(text, "\n  ") != NULL) {
        put_heading(page, "EXAMPLES");
        (void)fprintf(page->out, ".EX\n");
        put_detail(page, text, true);
        (void)fprintf(page->out, ".EE\n");
    }
}

static void put_rows(Page *page, const char *const rows[][2], size_t count)
{
    for (size_t i = 0; i < count; i++) {
        put_tag(page, rows[i][0], rows[i][1]);
    }
}

static void put_exit_codes(Page *page)
{
    char text[512];
    char tag[8];

    put_heading(page, "EXIT STATUS");
    for (int code = options_next_exit_code(-1, text, sizeof text); code >= 0;
         code = options_next_exit_code(code, text, sizeof text)) {
        (void)snprintf(tag, sizeof tag, "%d", code);
        put_tag(page, tag, text);
    }
}

/* Each page names all others but itself. */
static void put_see_also(Page *page, const Program *program, const Command *self, bool settings)
{
    put_heading(page, "SEE ALSO");
    if (self != NULL || settings) {
        (void)fprintf(page->out, ".BR %s (1),\n", program->name);
    }
    for (int i = 0; i < program->count; i++) {
        if (program->commands[i] != self) {
            (void)fprintf(page->out, ".BR %s\\-%s (1)%s\n", program->name,
                          program->commands[i]->verb,
                          i + 1 < program->count || !settings ? "," : "");
        }
    }
    if (!settings) {
        (void)fprintf(page->out, ".BR %s\\-settings (5)\n", program->name);
    }
}

/* ---- pages ---- */

void man_program(FILE *out, const Program *program)
{
    Page page = {.out = out};

    put_title(&page, program, NULL, 1, program->summary);
    put_heading(&page, "SYNOPSIS");
    (void)fprintf(out, "\\fB%s\\fR [\\fICOMMAND\\fR [\\fIwords and options\\fR]]\n.br\n",
                  program->name);
    (void)fprintf(out, "\\fBmpirun \\-n\\fR \\fIN\\fR \\fB%s\\fR ...\n", program->name);
    put_heading(&page, "DESCRIPTION");
    put_detail(&page, program->detail, false);
    put_heading(&page, "COMMANDS");
    for (int i = 0; i < program->count; i++) {
        put_tag(&page, program->commands[i]->verb, program->commands[i]->summary);
    }
    put_heading(&page, "OPTIONS");
    put_tag(&page, "-h, --help", "Print the commands; behind a command, what it takes.");
    put_tag(&page, "--version", "Print version, compiler and libraries.");
    put_exit_codes(&page);
    put_heading(&page, "ENVIRONMENT");
    put_rows(&page, variables, sizeof variables / sizeof *variables);
    put_heading(&page, "FILES");
    put_rows(&page, files, sizeof files / sizeof *files);
    put_examples(&page, program->detail);
    put_see_also(&page, program, NULL, false);
}

static void put_option(Page *page, const Option *option)
{
    (void)fprintf(page->out, ".TP\n");
    if (option->letter != 0) {
        (void)fprintf(page->out, "\\fB\\-%c\\fR, ", option->letter);
    }
    (void)fprintf(page->out, "\\fB\\-\\-");
    for (const char *p = option->name; *p != '\0'; p++) {
        put_char(page, *p);
    }
    (void)fprintf(page->out, "\\fR%s%s%s\n", option->value != NULL ? " \\fI" : "",
                  option->value != NULL ? option->value : "", option->value != NULL ? "\\fR" : "");
    page->column = 0;
    put_line(page, option->help);
}

static void put_settings_of(Page *page, const Program *program, const Command *command)
{
    char buffer[64];
    char text[512];
    const char *prefix = options_settings(command, buffer, sizeof buffer);

    if (prefix == NULL) {
        return;
    }
    (void)snprintf(text, sizeof text,
                   prefix[0] != '\0' ? "Words `%skey=value` go over the settings of the file; "
                                       "%s-settings(5) has all keys."
                                     : "Words `%skey=value` are settings and go over those of a "
                                       "file; %s-settings(5) has all keys.",
                   prefix, program->name);
    put_heading(page, "SETTINGS");
    put_line(page, text);
}

void man_command(FILE *out, const Program *program, const Command *command)
{
    Page page = {.out = out};

    put_title(&page, program, command->verb, 1, command->summary);
    put_heading(&page, "SYNOPSIS");
    (void)fprintf(out, "%s\\fB%s %s\\fR [\\fIoptions\\fR]\n",
                  command->alone ? "" : "[\\fBmpirun \\-n\\fR \\fIN\\fR] ", program->name,
                  command->verb);
    put_line(&page, command->args);
    put_heading(&page, "DESCRIPTION");
    put_detail(&page, command->detail, false);
    put_heading(&page, "OPTIONS");
    for (const Option *o = command->options; o != NULL && o->name != NULL; o++) {
        put_option(&page, o);
    }
    put_option(&page, &option_help);
    put_settings_of(&page, program, command);
    put_exit_codes(&page);
    put_examples(&page, command->detail);
    put_see_also(&page, program, command, false);
}

static void put_key(Page *page, const ConfigAbout *about)
{
    char tag[CONFIG_TEXT_MAX + 128];
    char text[sizeof about->allowed + 512];

    (void)snprintf(tag, sizeof tag, "%s=%s", about->name, about->value);
    (void)snprintf(text, sizeof text, "%s. Allowed: %s.", about->help, about->allowed);
    put_tag(page, tag, text);
}

void man_settings(FILE *out, const Program *program)
{
    Page page = {.out = out};
    ConfigAbout about;
    const char *section = "";
    size_t size = 0;

    put_title(&page, program, "settings", 5, "what can be set for a run");
    put_heading(&page, "DESCRIPTION");
    put_line(&page, "A configuration is a YAML file, then words `key=value` on the command line. "
                    "Below stand all keys with their defaults.");
    for (int i = 0; config_rules[i] != NULL; i++) {
        (void)fprintf(out, ".IP \\(bu 2\n");
        for (const char *line = config_rules[i]; line != NULL; line = strchr(line + 1, '\n')) {
            put_words(&page, line + (*line == '\n'));
        }
        put_line(&page, "");
    }
    put_heading(&page, "KEYS WITHOUT A SECTION");
    for (int i = 0; config_about(i, &about); i++) {
        const size_t n = strcspn(about.name, ".");
        if (about.name[n] == '.' && (n != size || strncmp(section, about.name, n) != 0)) {
            section = about.name;
            size = n;
            (void)fprintf(out, ".SH %.*s\n", (int)n, section);
        }
        put_key(&page, &about);
    }
    put_see_also(&page, program, NULL, true);
}
