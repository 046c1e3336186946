/* Directories as wholes: list, rename, remove. Local. */
#ifndef BASE_DIR_H
#define BASE_DIR_H

#include "base/status.h"

enum { DIR_NAME_MAX = 256 };

typedef struct {
    int count;
    char (*names)[DIR_NAME_MAX]; /* (count) sorted by bytes, without . and .., owned */
} DirList;

/* What is in a directory; nothing when there is no such directory. Errors: ERR_IO, ERR_NOMEM; *list
 * is then empty. */
NODISCARD Status dir_list(DirList *list, const char *path);
void dir_list_release(DirList *list);
/* Give it another name in the same parent, durably. `to` must not exist, or be empty. After ERR_IO
 * the old name stands, except when only the parent could not be synced. */
NODISCARD Status dir_rename(const char *from, const char *to);
/* Delete a directory and the files in it; directories inside are an error. None there is fine. */
NODISCARD Status dir_remove(const char *path);
/* Delete the temporary files (file_write, base/file.h) that killed processes left beside `path`. Nobody
 * else may be writing that file now. Errors: ERR_IO, ERR_NOMEM. */
NODISCARD Status dir_remove_temps(const char *path);

#endif
