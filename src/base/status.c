#include "base/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static char reason[STATUS_REASON_MAX];

Status status_fail(Status code, const char *format, ...)
{
    char text[STATUS_REASON_MAX];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    memcpy(reason, text, sizeof reason); /* arguments may point into the old reason */
    return code;
}

Status status_while(Status st, const char *format, ...)
{
    char text[STATUS_REASON_MAX];
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
    memcpy(reason, text, sizeof reason);
    return st;
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
