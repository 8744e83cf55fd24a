#include "io/loop/inbox.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define THREAD_NAME_MAX 16 /* bytes with the NUL, pthread_setname_np(3) */

struct sp_loop {
    uv_loop_t uv;
    uv_async_t wake;
    const char *name; /* borrowed */
    struct sp_inbox inbox;
    atomic_bool stopping;
    bool wake_open; /* the wake handle was made and not closed yet */
    bool has_thread;
    uv_thread_t thread;
};

static _Thread_local struct sp_loop *current_loop;

static void inbox_deliver(struct sp_loop *l)
{
    struct sp_msg *msg = sp_inbox_take(&l->inbox);
    while (msg) {
        struct sp_msg *next = msg->next; /* msg is gone after run */
        msg->run(msg);
        msg = next;
    }
}

static void on_wake(uv_async_t *wake)
{
    struct sp_loop *l = wake->data;
    inbox_deliver(l);
    if (atomic_load_explicit(&l->stopping, memory_order_acquire)) {
        /* From now on only the handles of others keep the loop, and messages still
         * come. */
        uv_unref((uv_handle_t *)wake);
    }
}

enum sp_err sp_loop_new(const char *name, struct sp_loop **out)
{
    struct sp_loop *l = calloc(1, sizeof *l);
    if (!l) {
        return SP_E_NOMEM;
    }
    l->name = name;
    if (uv_loop_init(&l->uv) != 0) {
        free(l);
        return SP_E_IO;
    }
    if (uv_async_init(&l->uv, &l->wake, on_wake) != 0) {
        uv_loop_close(&l->uv);
        free(l);
        return SP_E_IO;
    }
    l->wake.data = l;
    l->wake_open = true;
    *out = l;
    return SP_OK;
}

static void close_wake(struct sp_loop *l)
{
    if (l->wake_open) {
        l->wake_open = false;
        uv_close((uv_handle_t *)&l->wake, NULL);
        uv_run(&l->uv, UV_RUN_DEFAULT);
    }
}

void sp_loop_run(struct sp_loop *l)
{
    SP_ASSERT(!current_loop && l->wake_open);
    current_loop = l;
    do {
        uv_run(&l->uv, UV_RUN_DEFAULT);
        inbox_deliver(l); /* what came between the last wake and the end */
    } while (uv_loop_alive(&l->uv));
    close_wake(l);
    current_loop = NULL;
}

static void thread_main(void *arg)
{
    struct sp_loop *l = arg;
    char name[THREAD_NAME_MAX] = "";
    strncat(name, l->name, sizeof name - 1);
    pthread_setname_np(pthread_self(), name);
    sp_loop_run(l);
}

enum sp_err sp_loop_start(struct sp_loop *l)
{
    SP_ASSERT(!l->has_thread);
    if (uv_thread_create(&l->thread, thread_main, l) != 0) {
        return SP_E_IO;
    }
    l->has_thread = true;
    return SP_OK;
}

void sp_loop_stop(struct sp_loop *l)
{
    atomic_store_explicit(&l->stopping, true, memory_order_release);
    uv_async_send(&l->wake);
}

void sp_loop_join(struct sp_loop *l)
{
    if (l->has_thread) {
        uv_thread_join(&l->thread);
        l->has_thread = false;
    }
}

void sp_loop_free(struct sp_loop **lp)
{
    struct sp_loop *l = *lp;
    *lp = NULL;
    if (!l) {
        return;
    }
    SP_ASSERT(!l->has_thread);
    SP_ASSERT(!atomic_load_explicit(&l->inbox.latest, memory_order_acquire));
    close_wake(l); /* of a loop that never ran */
    int left_open = uv_loop_close(&l->uv);
    SP_ASSERT(left_open == 0);
    free(l);
}

uv_loop_t *sp_loop_uv(struct sp_loop *l)
{
    return &l->uv;
}

struct sp_loop *sp_loop_current(void)
{
    return current_loop;
}

void sp_loop_post(struct sp_loop *to, struct sp_msg *msg)
{
    if (sp_inbox_put(&to->inbox, msg)) { /* else who came first wakes it for all */
        uv_async_send(&to->wake);
    }
}

uint64_t sp_loop_now_ms(struct sp_loop *l)
{
    return uv_now(&l->uv);
}
