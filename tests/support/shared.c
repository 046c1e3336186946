#include "support/shared.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "support/check.h"

const char *shared_file(const char *name)
{
    static char path[1024];
    const char *folder = getenv("MOPO_SHARED");

    if (folder != NULL) {
        (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    } else {
        (void)snprintf(path, sizeof path, "%s/../shared/%s", MOPO_SOURCE_DIR, name);
    }
    if (!file_exists(path)) {
        print_message("skipped: there is no %s (MOPO_SHARED names the folder with data/)\n", path);
        skip();
    }
    return path;
}
