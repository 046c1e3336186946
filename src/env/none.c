/* A system without a simulator: dimensions are those of the dataset (0 until it is read), an episode
 * never ends by a rule of its own (but see termination.rule), and policies are evaluated in the model
 * and by fitted Q evaluation.
 */
#include "env/task.h"

enum { HORIZON = 1000 }; /* of a dataset without timeouts */

const EnvKind env_none = {
    .name = "none",
    .source = "data of your own; docs/own-data.md",
    .horizon = HORIZON,
    .terminates = task_never_terminates,
};
