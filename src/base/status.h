/* Outcome of everything that can fail, and the sentence that explains a failure.
 *
 * The layer that knows the fact writes the sentence with status_fail; callers may say what they
 * were doing with status_while. main.c alone turns a Status into an exit code.
 * One shape for every function that can fail: resources start NULL, TRY each call, `done:` frees.
 */
#ifndef BASE_STATUS_H
#define BASE_STATUS_H

#include <stdbool.h>

/* name, exit code of the program, meaning */
#define STATUS_LIST(X)                                                            \
    X(OK, 0, "done")                                                              \
    X(ERR_USAGE, 2, "the command line is wrong")                                  \
    X(ERR_CONFIG, 2, "the configuration is wrong")                                \
    X(ERR_ARG, 1, "a value is out of range")                                      \
    X(ERR_IO, 1, "a file could not be read or written")                           \
    X(ERR_FORMAT, 76, "an input file is damaged or not what it should be")        \
    X(ERR_NOMEM, 1, "memory was refused")                                         \
    X(ERR_NUMERIC, 1, "a number became infinite or NaN")                          \
    X(ERR_MPI, 1, "MPI reported an error")                                        \
    X(ERR_ENV, 1, "the simulator reported an error")                              \
    X(ERR_INTERRUPTED, 75, "stopped with everything saved; start again to go on") \
    X(ERR_PARTED, 1, "a run that was repeated gave other results")                \
    X(ERR_JOB, 1, "a job of several failed")

typedef enum {
#define STATUS_ENUM(name, code, text) name,
    STATUS_LIST(STATUS_ENUM)
#undef STATUS_ENUM
        STATUS_COUNT
} Status;

#define NODISCARD                __attribute__((warn_unused_result))
#define PRINTF_LIKE(text, first) __attribute__((format(printf, text, first)))

enum { STATUS_REASON_MAX = 1024 };

/* Record the reason and return `code`. The last call wins. Per process, not per thread. What a terminal
 * might obey is replaced (text_make_plain); of a long sentence the middle is left out. */
Status status_fail(Status code, const char *format, ...) PRINTF_LIKE(2, 3);
/* If `st` is not OK, put "what: " before the reason. Returns st. */
Status status_while(Status st, const char *format, ...) PRINTF_LIKE(2, 3);
/* A code without a sentence: what was printed as the result has said it all. Returns code. */
Status status_told(Status code);
/* The last failure was such a one. */
bool status_is_told(void);
/* The sentence of the last failure; never NULL, at most STATUS_REASON_MAX - 1 characters. */
const char *status_reason(void);
int status_exit_code(Status st);
const char *status_name(Status st);

#define TRY(call)       \
    do {                \
        st = (call);    \
        if (st != OK) { \
            goto done;  \
        }               \
    } while (0)

#endif
