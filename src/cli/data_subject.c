#include "cli/cmd.h"
#include "cli/data_actions.h"
#include "run/convert.h"
#include "run/data_check.h"
#include "run/session.h"

const char *const data_words[] = {"task", "env.*", "data.*", NULL};

Status data_subject_open(DataSubject *s, const OptionValues *in)
{
    Status st = OK;

    *s = (DataSubject){0};
    TRY(options_count(in, 2, -1));
    config_default(&s->config);
    s->config.top.task[0] = '\0'; /* any dimensions, unless a task is given */
    TRY(config_words_over(&s->config, in->count - 2, in->words + 2));
    cmd_warn_unused(in, 2, data_words);
    if (s->config.top.task[0] != '\0') {
        TRY(session_task(&s->config, &s->task));
        s->env = &s->task;
    }
    TRY(registry_locate(in->words[1], s->path, sizeof s->path, &s->row));
    TRY(convert_read(&s->rec, s->path));
    if (s->env == NULL) {
        TRY(data_guess_task(&s->rec, &s->task, &s->guessed));
        s->env = s->guessed ? &s->task : NULL;
    }
done:
    return st;
}

void data_subject_release(DataSubject *s)
{
    recording_release(&s->rec);
    *s = (DataSubject){0};
}
