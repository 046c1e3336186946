/* When and where, as it is signed into files: locks, logs, manifests. */
#ifndef BASE_STAMP_H
#define BASE_STAMP_H

enum { STAMP_TIME = 32, STAMP_HOST = 256 };

/* "2024-05-01T12:00:00Z", now; "" where the clock tells no time. Returns text. */
const char *stamp_time(char text[STAMP_TIME]);
/* The name of this host, cut where it is longer; "" where it has none. Returns text. */
const char *stamp_host(char text[STAMP_HOST]);

#endif
