#include "io/loop/loop.h"

static struct sp_job *job_of(uv_work_t *request)
{
    return request->data;
}

static void on_pool(uv_work_t *request)
{
    struct sp_job *j = job_of(request);
    j->work(j);
}

/* Jobs are never cancelled, so status is always 0: work has run when done is called. */
static void on_loop(uv_work_t *request, int status)
{
    SP_ASSERT(status == 0);
    struct sp_job *j = job_of(request);
    j->done(j);
}

void sp_loop_work(struct sp_loop *l, struct sp_job *j)
{
    SP_ASSERT(sp_loop_current() == l);
    j->request.data = j;
    int queued = uv_queue_work(sp_loop_uv(l), &j->request, on_pool, on_loop);
    SP_ASSERT(queued == 0); /* fails only without a work function */
}
