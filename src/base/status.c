#include "base/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

static char reason[STATUS_REASON_MAX];
static bool told;

enum { LONG_MAX_BYTES = 16384, HEAD = 400 };
static char text[LONG_MAX_BYTES]; /* apart from the reason: arguments may point into that */

/* Of a long sentence the begin and the end, where it says what to do. Names of files and what stands in
 * them may hold anything; a terminal shall not obey it. */
static void keep(void)
{
    const size_t n = strlen(text);
    const size_t tail = STATUS_REASON_MAX - HEAD - sizeof " ... ";

    if (n < STATUS_REASON_MAX) {
        memcpy(reason, text, n + 1);
    } else {
        (void)snprintf(reason, sizeof reason, "%.*s ... %s", HEAD, text, text + n - tail);
    }
    text_make_plain(reason);
    told = false;
}

Status status_fail(Status code, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    keep();
    return code;
}

Status status_while(Status st, const char *format, ...)
{
    va_list args;

    if (st == OK) {
        return OK;
    }
    va_start(args, format);
    const int used = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (used >= 0 && (size_t)used < sizeof text) {
        (void)snprintf(text + used, sizeof text - (size_t)used, ": %s", reason);
    }
    keep();
    return st;
}

Status status_told(Status code)
{
    reason[0] = '\0';
    told = true;
    return code;
}

bool status_is_told(void)
{
    return told;
}

const char *status_reason(void)
{
    return reason[0] != '\0' ? reason : "no reason was given";
}

int status_exit_code(Status st)
{
    static const int codes[] = {
#define STATUS_CODE(name, code, text) code,
        STATUS_LIST(STATUS_CODE)
#undef STATUS_CODE
    };
    return st < STATUS_COUNT ? codes[st] : 1;
}

const char *status_name(Status st)
{
    static const char *const names[] = {
#define STATUS_NAME(name, code, text) #name,
        STATUS_LIST(STATUS_NAME)
#undef STATUS_NAME
    };
    return st < STATUS_COUNT ? names[st] : "unknown";
}
