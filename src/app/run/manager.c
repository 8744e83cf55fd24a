#include "app/run/manager.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static struct {
    struct sockaddr_un address;
    socklen_t size; /* 0: there is no manager */
    uint64_t watchdog_ms;
} manager;

static uint64_t number_of(const char *name)
{
    const char *text = getenv(name);
    return text ? strtoull(text, NULL, 10) : 0;
}

void sp_manager_meet(void)
{
    const char *path = getenv("NOTIFY_SOCKET");
    size_t n = path ? strlen(path) : 0;
    if (n > 1 && n < sizeof manager.address.sun_path &&
        (path[0] == '/' || path[0] == '@')) {
        manager.address.sun_family = AF_UNIX;
        memcpy(manager.address.sun_path, path, n);
        if (path[0] == '@') {
            manager.address.sun_path[0] = 0; /* an abstract name */
        }
        manager.size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n);
    }
    uint64_t pid = number_of("WATCHDOG_PID");
    if (pid == 0 || pid == (uint64_t)getpid()) {
        manager.watchdog_ms = number_of("WATCHDOG_USEC") / 1000;
    }
    unsetenv("NOTIFY_SOCKET");
    unsetenv("WATCHDOG_USEC");
    unsetenv("WATCHDOG_PID");
}

/* A manager that does not listen is no reason to stop serving. */
static void send_message(char *text, size_t len, const int *fds, size_t count)
{
    struct sp_socket_message m;
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        return;
    }
    sp_sockets_message(&m, text, len, fds, count);
    m.head.msg_name = &manager.address;
    m.head.msg_namelen = manager.size;
    (void)!sendmsg(fd, &m.head, MSG_NOSIGNAL);
    close(fd);
}

void sp_manager_tell(const char *fmt, ...)
{
    char text[512];
    va_list args;
    if (manager.size == 0) {
        return;
    }
    va_start(args, fmt);
    int n = vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    if (n > 0) {
        send_message(text, (size_t)n < sizeof text ? (size_t)n : sizeof text - 1, NULL,
                     0);
    }
}

void sp_manager_inherit(struct sp_sockets *out)
{
    enum { FIRST = 3 }; /* SD_LISTEN_FDS_START */
    uint64_t n = number_of("LISTEN_FDS");
    if (number_of("LISTEN_PID") == (uint64_t)getpid() && n <= SP_SOCKETS) {
        for (int i = 0; i < (int)n; i++) {
            (void)sp_sockets_add(out, FIRST + i);
        }
    }
    unsetenv("LISTEN_PID");
    unsetenv("LISTEN_FDS");
    unsetenv("LISTEN_FDNAMES");
}

void sp_manager_keep(const int *fds, size_t count)
{
    char text[] = "FDSTORE=1\nFDNAME=sallyport";
    if (manager.size && count) {
        sp_manager_tell("FDSTOREREMOVE=1\nFDNAME=sallyport");
        send_message(text, sizeof text - 1, fds, count);
    }
}

void sp_manager_tell_reloading(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    sp_manager_tell("RELOADING=1\nMONOTONIC_USEC=%llu",
                    (unsigned long long)t.tv_sec * 1000000ULL +
                        (unsigned long long)t.tv_nsec / 1000ULL);
}

/* ---- the watchdog ---------------------------------------------------------------- */

static void on_answer(struct sp_msg *msg)
{
    struct sp_ping *p = SP_HOLDER(msg, struct sp_ping, msg);
    p->watchdog->out--;
}

static void on_question(struct sp_msg *msg)
{
    struct sp_ping *p = SP_HOLDER(msg, struct sp_ping, msg);
    p->msg.run = on_answer;
    sp_loop_post(p->watchdog->main, &p->msg);
}

static void on_time(uv_timer_t *timer)
{
    struct sp_watchdog *w = timer->data;
    if (w->out > 0) {
        return; /* somebody has not answered yet */
    }
    sp_manager_tell("WATCHDOG=1");
    for (size_t i = 0; i < w->count; i++) {
        w->pings[i].msg.run = on_question;
        w->out++;
        sp_loop_post(w->pings[i].loop, &w->pings[i].msg);
    }
}

void sp_watchdog_start(struct sp_watchdog *w, struct sp_loop *main_loop)
{
    w->main = main_loop;
    uv_timer_init(sp_loop_uv(main_loop), &w->timer);
    w->timer.data = w;
    if (manager.watchdog_ms >= 3) {
        uv_timer_start(&w->timer, on_time, 0, manager.watchdog_ms / 3);
    }
}

void sp_watchdog_add(struct sp_watchdog *w, struct sp_loop *loop)
{
    SP_ASSERT(w->count < SP_MANAGER_LOOPS);
    w->pings[w->count++] = (struct sp_ping){.watchdog = w, .loop = loop};
}

void sp_watchdog_stop(struct sp_watchdog *w)
{
    if (!uv_is_closing((uv_handle_t *)&w->timer)) {
        uv_close((uv_handle_t *)&w->timer, NULL);
    }
}
