#include "app/run/tidy.h"

#include "sallyport/bytes.h"

#include <malloc.h>
#include <sys/resource.h>
#include <unistd.h>

/* Bytes of memory that was not there when it was wanted, since the process began. */
static size_t fetched_now(void)
{
    struct rusage u = {0};
    (void)getrusage(RUSAGE_SELF, &u);
    return (size_t)u.ru_minflt * (size_t)sysconf(_SC_PAGESIZE);
}

bool sp_tidy_look(struct sp_tidy *t)
{
    size_t spare = mallinfo2().fordblks;
    if (spare < t->least) {
        t->least = spare;
    }
    size_t fetched = fetched_now();
    if (spare - t->least < SP_TIDY_FROM && fetched - t->fetched < SP_TIDY_FROM) {
        return false;
    }
    t->fetched = fetched;
    t->least = spare; /* the allocator counts pages that it has let go of as well */
    (void)malloc_trim(0);
    return true;
}

static void on_time(uv_timer_t *timer)
{
    (void)sp_tidy_look(timer->data);
}

void sp_tidy_bound(void)
{
    (void)mallopt(M_MMAP_THRESHOLD, SP_TIDY_APART);
    (void)mallopt(M_TRIM_THRESHOLD, SP_TIDY_END);
}

void sp_tidy_start(struct sp_tidy *t, struct sp_loop *l)
{
    sp_tidy_bound();
    t->least = t->fetched = 0;
    uv_timer_init(sp_loop_uv(l), &t->timer);
    t->timer.data = t;
    uv_timer_start(&t->timer, on_time, SP_TIDY_MS, SP_TIDY_MS);
    uv_unref((uv_handle_t *)&t->timer);
}

void sp_tidy_stop(struct sp_tidy *t)
{
    uv_close((uv_handle_t *)&t->timer, NULL);
}
