/* Broken invariants: a bug of ours, not a failure of the world. REQUIRE stays on in every build. */
#ifndef BASE_PANIC_H
#define BASE_PANIC_H

#include "base/status.h"

/* comm installs a hook that ends all ranks; without one the process aborts. */
typedef void (*PanicHook)(const char *text);
void panic_set_hook(PanicHook hook);
_Noreturn void panic(const char *file, int line, const char *format, ...) PRINTF_LIKE(3, 4);

#define REQUIRE(cond)                                                 \
    do {                                                              \
        if (!(cond)) {                                                \
            panic(__FILE__, __LINE__, "broken invariant: %s", #cond); \
        }                                                             \
    } while (0)

/* Only with MOPO_ASSERTS (presets dev and asan): for checks inside hot loops. */
#define ASSERT(cond) REQUIRE(!MOPO_ASSERTS || (cond))

#endif
