#include "cli/print.h"

#include <stdio.h>

Status print_json_object(json_t *all, size_t flags)
{
    if (all == NULL) { /* as jansson does for either */
        return status_fail(ERR_ARG, "the answer cannot be written as JSON: a name in it is not "
                                    "UTF-8, or there is no memory");
    }
    (void)json_dumpf(all, stdout, flags | JSON_REAL_PRECISION(9));
    (void)putchar('\n');
    json_decref(all);
    return OK;
}
