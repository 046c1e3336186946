/* The table of commands. */
#include "cli/cmd.h"

static const Command *const commands[] = {
    &cmd_train, &cmd_eval,   &cmd_rerun, &cmd_collect, &cmd_data, &cmd_model,     &cmd_plan,
    &cmd_sweep, &cmd_status, &cmd_bench, &cmd_config,  &cmd_man,  &cmd_completion};

const Program cmd_program = {
    .name = "mopo",
    .summary = "model-based offline policy optimization (Yu et al. 2020), distributed",
    .detail = "Without a command mopo runs `mopo train` with the configuration that is built in.\n"
              "\n"
              "  mpirun -n 16 mopo\n"
              "  mpirun -n 16 mopo train configs/paper/halfcheetah-random.yaml seed=1\n"
              "  mopo eval runs/demo-s0\n",
    .commands = commands,
    .count = (int)(sizeof commands / sizeof *commands),
};
