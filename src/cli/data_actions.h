/* The actions of `mopo data`, one file or two each. All run on rank 0 alone. */
#ifndef CLI_DATA_ACTIONS_H
#define CLI_DATA_ACTIONS_H

#include "cli/options.h"
#include "config/config.h"
#include "data/recording.h"
#include "data/registry.h"
#include "env/env.h"

/* FILE_OR_NAME [key=value ...]: what is in a dataset (run/data_info.h). */
Status data_show(const OptionValues *in);
/* FILE_OR_NAME [key=value ...]: what is wrong with it (run/data_check.h). ERR_FORMAT when a finding
 * is an error. */
Status data_judge(const OptionValues *in);
/* FROM TO [key=value ...]: any layout into D4RL's or Minari's (run/convert.h). */
Status data_convert(const OptionValues *in);
/* FROM TO task=NAME [key=value ...]: the same with rewards of that task (run/relabel.h). */
Status data_relabel(const OptionValues *in);

/* The settings that they use, for cmd_warn_unused. */
extern const char *const data_words[];

enum { DATA_PATH_MAX = 4096 };

/* A dataset and what is known about it: for info and check. */
typedef struct {
    Config config;
    char path[DATA_PATH_MAX];
    const RegistryRow *row; /* of its name; NULL: it is a path */
    Recording rec;
    EnvKind task;
    const EnvKind *env; /* &task; NULL: none was named, and none could be guessed */
    bool guessed;       /* from dimensions and simulator */
} DataSubject;

/* From the words behind the action. Release it in any case. */
NODISCARD Status data_subject_open(DataSubject *subject, const OptionValues *in);
void data_subject_release(DataSubject *subject);

#endif
