/* Preloaded: the calendar stands $LATER_SECONDS later. That is the program's own clock
 * (io/loop/clock.c); those that measure, or that others wait by, stay as they are. */
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>

int clock_gettime(clockid_t id, struct timespec *t)
{
    static int (*real)(clockid_t, struct timespec *);
    const char *later = getenv("LATER_SECONDS");
    if (!real) {
        *(void **)&real = dlsym(RTLD_NEXT, "clock_gettime");
    }
    int result = real(id, t);
    if (result == 0 && id == CLOCK_REALTIME_COARSE && later) {
        t->tv_sec += strtol(later, NULL, 10);
    }
    return result;
}
