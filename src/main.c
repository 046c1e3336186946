/* The program: a table of commands. Opens and closes MPI, and alone turns a Status into an exit code. */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/version.h"
#include "cli/cmd.h"
#include "comm/comm.h"
#include "data/h5.h"
#include "env/env.h"
#include "nn/gemm.h"
#include "run/tables.h"

static const Command *const commands[] = {&cmd_train, &cmd_eval, &cmd_collect, &cmd_data,
                                          &cmd_model, &cmd_plan, &cmd_bench,   &cmd_config};

static const Program program = {
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

static void print_version(void)
{
    printf("mopo %s (%s)\n", version.number, version.commit);
    printf("compiler  %s, -march=%s %s\n", version.compiler, version.march, version.flags);
    printf("MPI       %s\n", comm_library());
    printf("%-9s core %s\n", gemm_name(), gemm_core());
    printf("HDF5      %s\n", h5_version());
    printf("MuJoCo    %s\n", env_simulator_version());
}

/* The command line without the program's name. */
static Status run(int argc, char **argv, const char **verb)
{
    Status st = OK;
    const Command *command = &cmd_train;
    OptionValues values;
    const bool lead = comm_rank() == 0;

    if (argc > 0 && (strcmp(argv[0], "--help") == 0 || strcmp(argv[0], "-h") == 0 ||
                     strcmp(argv[0], "help") == 0)) {
        if (lead) {
            options_help(stdout, &program);
        }
        return OK;
    }
    if (argc > 0 && strcmp(argv[0], "--version") == 0) {
        if (lead) {
            print_version();
        }
        return OK;
    }
    if (argc > 0) {
        TRY(options_command(&program, argv[0], &command));
    }
    *verb = command->verb;
    TRY(options_parse(command, argc > 0 ? argc - 1 : 0, argv + (argc > 0 ? 1 : 0), &values));
    if (values.help) {
        if (lead) {
            options_command_help(stdout, command);
        }
        return OK;
    }
    TRY(command->run(&values));
done:
    return st;
}

int main(int argc, char **argv)
{
    const char *verb = NULL;
    const char *missing = version_missing_instructions();

    if (missing != NULL) {
        (void)fprintf(stderr,
                      "mopo: this CPU lacks %s, which the program was built for; build it "
                      "again with -DMOPO_MARCH=native on the oldest node\n",
                      missing);
        return 1;
    }
    mem_setup();
    Status st = comm_open(&argc, &argv);
    if (st != OK) {
        (void)fprintf(stderr, "mopo: %s\n", status_reason());
        return status_exit_code(st);
    }
    log_start(comm_rank(), comm_size());
    gemm_setup();
    tables_register();
    st = comm_agree(gemm_reserve());
    st = st != OK ? st : run(argc - 1, argv + 1, &verb);
    if (fflush(stdout) != 0 && st == OK) {
        st = status_fail(ERR_IO, "the result could not be written to standard output");
    }
    if (st != OK && comm_rank() == 0 && verb != NULL) {
        (void)fprintf(stderr, "mopo %s: %s\n", verb, status_reason());
    } else if (st != OK && comm_rank() == 0) { /* no such command: the sentence has the name */
        (void)fprintf(stderr, "%s%s\n", st == ERR_NOMEM ? "mopo: " : "", status_reason());
    }
    log_close_file();
    comm_close();
    return status_exit_code(st);
}
