#include "io/loop/loop.h"

#include <time.h>

int64_t sp_clock_wall_s(void)
{
    struct timespec now;
    int failed = clock_gettime(CLOCK_REALTIME, &now);
    SP_ASSERT(!failed); /* EINVAL and EFAULT would be our mistakes */
    return now.tv_sec;
}
