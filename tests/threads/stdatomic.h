/* In C atomic_init is not an atomic access. In gcc it is one, a relaxed store, and the sanitizer would not see who
 * reads a counter before it is sure to be there. */
#pragma GCC system_header
#include_next <stdatomic.h>
#undef atomic_init
#define atomic_init(object, value) (*(volatile unsigned *)(void *)(object) = (value))
