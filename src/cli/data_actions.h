/* The actions of `mopo data`, one file or two each. All run on rank 0 alone. */
#ifndef CLI_DATA_ACTIONS_H
#define CLI_DATA_ACTIONS_H

#include "cli/options.h"

/* FROM TO [key=value ...]: any layout into D4RL's or Minari's (run/convert.h). */
Status data_convert(const OptionValues *in);
/* FROM TO task=NAME [key=value ...]: the same with rewards of that task (run/relabel.h). */
Status data_relabel(const OptionValues *in);

#endif
