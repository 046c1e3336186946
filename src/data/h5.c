#include <stdio.h>

#include "data/h5_internal.h"

void h5_start(void)
{
    static bool started;
    if (!started) {
        (void)H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
        (void)H5PLset_loading_state(0);
        (void)H5Lunregister(H5L_TYPE_EXTERNAL); /* a link cannot lead into another file */
        started = true;
    }
}

static herr_t take_first(unsigned n, const H5E_error2_t *entry, void *text)
{
    (void)n;
    (void)snprintf(text, 200, "%s", entry->desc != NULL ? entry->desc : "no reason given");
    return 1; /* stop */
}

const char *h5_says(void)
{
    static char text[200];
    (void)snprintf(text, sizeof text, "no reason given");
    (void)H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, take_first, text);
    return text;
}

hid_t h5_memory_type(SlabType type)
{
    return type == SLAB_F32   ? H5T_NATIVE_FLOAT
           : type == SLAB_F64 ? H5T_NATIVE_DOUBLE
                              : H5T_NATIVE_INT64;
}

const char *h5_version(void)
{
    static char text[32];
    unsigned major = 0;
    unsigned minor = 0;
    unsigned patch = 0;

    (void)H5get_libversion(&major, &minor, &patch);
    (void)snprintf(text, sizeof text, "%u.%u.%u", major, minor, patch);
    return text;
}
