#include "base/stamp.h"

#include <time.h>
#include <unistd.h>

const char *stamp_time(char text[STAMP_TIME])
{
    struct tm utc;
    const time_t now = time(NULL);

    text[0] = '\0';
    if (gmtime_r(&now, &utc) != NULL) {
        (void)strftime(text, STAMP_TIME, "%Y-%m-%dT%H:%M:%SZ", &utc);
    }
    return text;
}

const char *stamp_host(char text[STAMP_HOST])
{
    text[0] = '\0';
    (void)gethostname(text, STAMP_HOST - 1);
    text[STAMP_HOST - 1] = '\0';
    return text;
}
