/* The program: opens and closes MPI, and alone turns a Status into an exit code. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/version.h"
#include "cli/cmd.h"
#include "comm/comm.h"
#include "data/h5.h"
#include "env/env.h"
#include "nn/gemm.h"
#include "run/stop.h"
#include "run/tables.h"

static void print_version(void)
{
    printf("mopo %s (%s)\n", version.number, version.commit);
    printf("compiler  %s, -march=%s %s\n", version.compiler, version.march, version.flags);
    printf("MPI       %s\n", comm_library());
    printf("%-9s %s, core %s\n", gemm_name(), gemm_version(), gemm_core());
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
            options_help(stdout, &cmd_program);
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
        TRY(options_command(&cmd_program, argv[0], &command));
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

/* A reader that has left and a limit on file sizes are told by the write that failed, not by the end of the
 * process; and no file of ours gets the number of a standard stream that the caller closed. */
static void own_streams(void)
{
    static char whole[1 << 16]; /* most results are one write, whose error is then told */

    if (isatty(STDOUT_FILENO) == 0) {
        (void)setvbuf(stdout, whole, _IOFBF, sizeof whole);
    }
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGXFSZ, SIG_IGN);
    for (int fd = open("/dev/null", O_RDONLY); fd >= 0; fd = open("/dev/null", O_RDONLY)) {
        if (fd > STDERR_FILENO) {
            (void)close(fd);
            return;
        }
    }
}

static bool reader_left(void)
{
    struct pollfd out = {.fd = STDOUT_FILENO, .events = POLLOUT};
    return poll(&out, 1, 0) > 0 && (out.revents & POLLERR) != 0;
}

/* What is in stdout's buffer must get out; that whoever reads it had enough is fine. */
static Status end_output(Status st)
{
    errno = EIO; /* if an earlier write failed, and this one has nothing left to do */
    const bool lost = fflush(stdout) != 0 || ferror(stdout) != 0;
    const int cause = errno;
    if (st != OK || !lost || reader_left()) {
        return st;
    }
    errno = cause;
    return file_error("standard output", "write the result");
}

/* The command does without MPI. */
static bool is_alone(int argc, char **argv)
{
    for (int i = 0; i < cmd_program.count && argc > 1; i++) {
        if (strcmp(cmd_program.commands[i]->verb, argv[1]) == 0) {
            return cmd_program.commands[i]->alone;
        }
    }
    return false;
}

/* Such a command was started by mpirun or srun: one process says so, more would only add to what those print. */
static int refuse_ranks(const char *verb, int ranks, int rank)
{
    if (rank > 0) {
        return 0;
    }
    const Status st =
        status_fail(ERR_USAGE,
                    "started %d times by mpirun or srun; start `mopo %s` alone: it is one "
                    "process, and starts what it needs",
                    ranks, verb);
    (void)fprintf(stderr, "mopo %s: %s\n", verb, status_reason());
    return status_exit_code(st);
}

static Status open_alone(void)
{
    log_start(0, 1);
    tables_register();
    return OK;
}

static Status open_ranks(int *argc, char ***argv)
{
    Status st = OK;
    stop_hold();
    TRY(comm_open(argc, argv));
    log_start(comm_rank(), comm_size());
    gemm_setup();
    tables_register();
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
    own_streams();
    mem_setup();
    const bool alone = is_alone(argc, argv);
    int rank = 0;
    const int ranks = comm_launched(&rank);
    if (alone && ranks > 1) {
        return refuse_ranks(argv[1], ranks, rank);
    }
    Status st = alone ? open_alone() : open_ranks(&argc, &argv);
    if (st != OK) {
        (void)fprintf(stderr, "mopo: %s\n", status_reason());
        return status_exit_code(st);
    }
    st = alone ? OK : comm_agree(gemm_reserve());
    st = st != OK ? st : run(argc - 1, argv + 1, &verb);
    st = end_output(st);
    const bool speak = st != OK && comm_rank() == 0 && !status_is_told();
    if (speak && verb != NULL) {
        (void)fprintf(stderr, "mopo %s: %s\n", verb, status_reason());
    } else if (speak) { /* no such command: the sentence has the name */
        (void)fprintf(stderr, "%s%s\n", st == ERR_NOMEM ? "mopo: " : "", status_reason());
    }
    log_close_file();
    if (!alone) {
        comm_close();
    }
    return status_exit_code(st);
}
