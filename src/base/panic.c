#include "base/panic.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

static PanicHook panic_hook;

void panic_set_hook(PanicHook hook)
{
    panic_hook = hook;
}

void panic(const char *file, int line, const char *format, ...)
{
    char text[STATUS_REASON_MAX];
    va_list args;

    const int used = snprintf(text, sizeof text, "%s:%d: ", file, line);
    va_start(args, format);
    if (used >= 0 && (size_t)used < sizeof text) {
        (void)vsnprintf(text + used, sizeof text - (size_t)used, format, args);
    }
    va_end(args);
    if (panic_hook != NULL) {
        panic_hook(text);
    }
    (void)fprintf(stderr, "mopo: %s\n", text);
    abort();
}
