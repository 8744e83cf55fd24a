#include "app/run/handover.h"

#include "app/log/log.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { PATIENCE_S = 60 };

/* The directory by what it is, not by how it is written. An abstract name needs no file
 * that could stay behind, and the sandbox has no word about it. */
static enum sp_err place(const char *state_dir, struct sockaddr_un *out,
                         socklen_t *size, uid_t *owner)
{
    struct stat st;
    if (stat(state_dir, &st) != 0) {
        return SP_E_NOTFOUND;
    }
    *out = (struct sockaddr_un){.sun_family = AF_UNIX};
    int n = snprintf(out->sun_path + 1, sizeof out->sun_path - 1, "sallyport/%llx/%llx",
                     (unsigned long long)st.st_dev, (unsigned long long)st.st_ino);
    *size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n);
    *owner = st.st_uid;
    return SP_OK;
}

static bool is_trusted(int fd, uid_t owner)
{
    struct ucred peer;
    socklen_t len = sizeof peer;
    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 &&
           (peer.uid == owner || peer.uid == 0);
}

/* ---- the one that runs ---------------------------------------------------------- */

static void on_asker(uv_poll_t *poll, int status, int events)
{
    struct sp_handover *h = poll->data;
    (void)status, (void)events;
    int fd = accept4(h->fd, NULL, NULL, SOCK_CLOEXEC);
    if (fd < 0) {
        return;
    }
    if (h->asker >= 0 || !is_trusted(fd, h->owner)) {
        sp_log_say(SP_LOG_WARNING, "handover_refused",
                   "somebody else asked for the listening sockets");
        close(fd);
        return;
    }
    h->asker = fd;
    h->asked(h->ctx);
}

enum sp_err sp_handover_offer(struct sp_handover *h, struct sp_loop *main_loop,
                              const char *state_dir, void (*asked)(void *ctx),
                              void *ctx)
{
    struct sockaddr_un at;
    socklen_t size;
    *h = (struct sp_handover){.fd = -1, .asker = -1, .asked = asked, .ctx = ctx};
    SP_TRY(place(state_dir, &at, &size, &h->owner));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        return SP_E_IO;
    }
    if (bind(fd, (struct sockaddr *)&at, size) != 0 || listen(fd, 4) != 0) {
        sp_log_say(SP_LOG_WARNING, "handover_off", "nobody can take over: %s",
                   strerror(errno));
        close(fd);
        return SP_OK;
    }
    if (uv_poll_init(sp_loop_uv(main_loop), &h->poll, fd) != 0) {
        close(fd);
        return SP_E_IO;
    }
    h->fd = fd;
    h->poll.data = h;
    int failed = uv_poll_start(&h->poll, UV_READABLE, on_asker);
    SP_ASSERT(!failed);
    return SP_OK;
}

bool sp_handover_give(struct sp_handover *h, const int *fds, size_t count)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(SP_SOCKETS * sizeof(int))];
    } control = {0};
    char word[] = "sallyport";
    struct iovec io = {.iov_base = word, .iov_len = sizeof word};
    struct msghdr m = {.msg_iov = &io, .msg_iovlen = 1, .msg_control = control.bytes};
    if (count == 0 || count > SP_SOCKETS) {
        return false;
    }
    m.msg_controllen = CMSG_SPACE(count * sizeof(int));
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    *c = (struct cmsghdr){.cmsg_level = SOL_SOCKET,
                          .cmsg_type = SCM_RIGHTS,
                          .cmsg_len = CMSG_LEN(count * sizeof(int))};
    memcpy(CMSG_DATA(c), fds, count * sizeof(int));
    return sendmsg(h->asker, &m, MSG_NOSIGNAL) == sizeof word;
}

void sp_handover_refuse(struct sp_handover *h)
{
    close(h->asker);
    h->asker = -1;
}

static void on_closed(uv_handle_t *poll)
{
    struct sp_handover *h = poll->data;
    close(h->fd);
    h->fd = -1;
}

void sp_handover_close(struct sp_handover *h)
{
    if (h->fd >= 0 && !uv_is_closing((uv_handle_t *)&h->poll)) {
        uv_close((uv_handle_t *)&h->poll, on_closed);
    }
}

/* ---- the one that comes --------------------------------------------------------- */

static enum sp_err meet(const char *state_dir, int *out, struct sp_why *why)
{
    struct sockaddr_un at;
    socklen_t size = 0;
    uid_t owner = 0;
    enum sp_err e = place(state_dir, &at, &size, &owner);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct timeval patience = {.tv_sec = PATIENCE_S};
    if (fd < 0) {
        return SP_E_IO;
    }
    if (e != SP_OK || connect(fd, (struct sockaddr *)&at, size) != 0) {
        close(fd);
        return sp_why_set(
            why, SP_E_UNAVAILABLE,
            "no daemon with state_dir %s runs here, so there is nothing to "
            "take over: start without --take-over",
            state_dir);
    }
    if (!is_trusted(fd, owner)) {
        close(fd);
        return sp_why_set(
            why, SP_E_DENIED,
            "who waits there is not the owner of %s: nothing is taken from "
            "it",
            state_dir);
    }
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    *out = fd;
    return SP_OK;
}

enum sp_err sp_handover_ask(const char *state_dir, struct sp_sockets *out,
                            int *connection, struct sp_why *why)
{
    char word[16];
    struct sp_socket_message m;
    int fd = -1;
    SP_TRY(meet(state_dir, &fd, why));
    sp_sockets_room(&m, word, sizeof word);
    ssize_t n = recvmsg(fd, &m.head, MSG_CMSG_CLOEXEC);
    if (n > 0) {
        sp_sockets_unpack(&m, out);
    }
    if (out->count == 0) {
        close(fd);
        return sp_why_set(
            why, SP_E_PROTOCOL,
            "the daemon that runs does not give its listening sockets away: "
            "is it stopping already, or are you neither %s's owner nor root?",
            state_dir);
    }
    *connection = fd;
    return SP_OK;
}

enum sp_err sp_handover_wait(int connection, struct sp_why *why)
{
    char byte;
    ssize_t n = recv(connection, &byte, 1, 0);
    int err = errno;
    close(connection);
    return n == 0 || (n < 0 && err == ECONNRESET)
               ? SP_OK
               : sp_why_set(why, SP_E_TIMEOUT,
                            "the daemon that ran did not end within %d seconds",
                            PATIENCE_S);
}
