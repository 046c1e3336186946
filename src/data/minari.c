#include "data/minari.h"

Status minari_read(Recording *rec, H5File *file, const char *path)
{
    (void)file;
    rec->layout = LAYOUT_MINARI;
    return status_fail(ERR_FORMAT, "%s: files in Minari's layout cannot be read yet", path);
}
