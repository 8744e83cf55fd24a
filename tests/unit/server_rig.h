/* A server on its own loop thread, a small application behind it, and blocking clients.
 *
 *   /hello  answers at once            /echo   the body back, up to 64 bytes
 *   /later  answers by a message       /hold   never answers (until released)
 *   /file   the part of rig->file      /big    BIG_BYTES of memory
 *   /cut    cuts                       /close  answers and closes
 *   /same   304, announcing 123        /pin    first byte of the client's pin
 *   /part   rig->part bytes of /big
 *   /early  answers without the body   /take   takes the body away, up to 1 MiB
 *   /held   how many are held now      /grow   as /file, and held: the test lets it
 * grow */
#ifndef TESTS_UNIT_SERVER_RIG_H
#define TESTS_UNIT_SERVER_RIG_H

#include "temporary.h"
#include "unit.h"

#include "io/net/seats.h"
#include "io/net/server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <semaphore.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define BIG_BYTES ((size_t)8 << 20)

struct rig_counts {
    unsigned heads, bodies, ends, complete, released;
};

struct rig {
    struct sp_loop *loop;
    struct sp_server *server;
    struct sp_server_conf conf;
    struct sp_answer_file file;
    bool in_memory; /* what grows is that part of big, not a file */
    size_t part;
    unsigned port;
    uint8_t *big;
    /* called on the loop, where a test wants to see the order of things */
    void (*on_head)(struct rig *r, struct sp_exchange *x);
    void (*on_end)(struct rig *r, struct sp_exchange *x);
    /* touched on the loop only */
    struct rig_counts live;
    struct sp_exchange *held[8];
    size_t held_count;
    bool drained;
    unsigned shut_out[SP_SHUT_OUT_REASONS]; /* read after rig_ask and the like */
    /* the test's own copy, as of rig_ask, rig_wait_for or rig_join */
    struct rig_counts seen;
    struct sp_server_stats stats;
};

/* ---- the application ------------------------------------------------------------- */

static void rig_release(void *owner)
{
    struct rig *r = owner;
    r->live.released++;
}

static void rig_text(struct rig *r, struct sp_exchange *x, struct sp_view text)
{
    sp_exchange_respond(x, &(struct sp_answer){.status = 200,
                                               .fields = SP_VIEW("X-Rig: yes\r\n"),
                                               .memory = text,
                                               .release = rig_release,
                                               .owner = r});
}

struct rig_later {
    struct sp_msg msg;
    struct rig *rig;
    struct sp_exchange *x;
};

static void rig_answer_later(struct sp_msg *msg)
{
    struct rig_later *later = (struct rig_later *)msg;
    rig_text(later->rig, later->x, SP_VIEW("later"));
    free(later);
}

static void rig_later(struct rig *r, struct sp_exchange *x)
{
    struct rig_later *later = calloc(1, sizeof *later);
    *later = (struct rig_later){.msg.run = rig_answer_later, .rig = r, .x = x};
    sp_loop_post(r->loop, &later->msg);
}

static void rig_send_file(struct rig *r, struct sp_exchange *x)
{
    sp_exchange_respond(
        x, &(struct sp_answer){
               .status = 200, .file = r->file, .release = rig_release, .owner = r});
}

/* The test raises the limit of held[0] with rig_grow and cuts it with rig_cut. */
static void rig_send_growing(struct rig *r, struct sp_exchange *x)
{
    r->held[r->held_count++] = x;
    if (!r->in_memory) {
        rig_send_file(r, x);
        return;
    }
    sp_exchange_respond(
        x, &(struct sp_answer){.status = 200,
                               .memory = sp_view(r->big + r->file.offset,
                                                 (size_t)r->file.length),
                               .grows = true,
                               .ready = (size_t)r->file.ready,
                               .release = rig_release,
                               .owner = r});
}

static void rig_pin(struct rig *r, struct sp_exchange *x)
{
    struct sp_pin pin = {0};
    bool has = sp_exchange_peer_pin(x, &pin);
    rig_text(r, x, has ? SP_VIEW("has a pin") : SP_VIEW("no pin"));
}

static void rig_head(void *ctx, struct sp_exchange *x)
{
    struct rig *r = ctx;
    struct sp_view target = sp_exchange_request(x)->target;
    r->live.heads++;
    *sp_exchange_slot(x) = r;
    if (r->on_head) {
        r->on_head(r, x);
    }
    if (sp_view_eq_str(target, "/hello")) {
        rig_text(r, x, SP_VIEW("hello"));
    } else if (sp_view_eq_str(target, "/echo")) {
        sp_exchange_want_body(x, 64);
    } else if (sp_view_eq_str(target, "/take")) {
        sp_exchange_want_body(x, SP_MIB(1));
    } else if (sp_view_eq_str(target, "/later")) {
        rig_later(r, x);
    } else if (sp_view_eq_str(target, "/hold")) {
        r->held[r->held_count++] = x;
    } else if (sp_view_eq_str(target, "/file")) {
        rig_send_file(r, x);
    } else if (sp_view_eq_str(target, "/grow")) {
        rig_send_growing(r, x);
    } else if (sp_view_eq_str(target, "/big")) {
        rig_text(r, x, sp_view(r->big, BIG_BYTES));
    } else if (sp_view_eq_str(target, "/part")) {
        rig_text(r, x, sp_view(r->big, r->part));
    } else if (sp_view_eq_str(target, "/cut")) {
        sp_exchange_cut(x);
    } else if (sp_view_eq_str(target, "/same")) {
        sp_exchange_respond(x, &(struct sp_answer){.status = 304,
                                                   .content_length = 123,
                                                   .announce_length = true});
    } else if (sp_view_eq_str(target, "/close")) {
        sp_exchange_respond(x, &(struct sp_answer){.status = 200,
                                                   .memory = SP_VIEW("bye"),
                                                   .close = true});
    } else if (sp_view_eq_str(target, "/pin")) {
        rig_pin(r, x);
    } else {
        sp_exchange_respond(x, &(struct sp_answer){.status = 404});
    }
}

static void rig_free_buf(void *owner)
{
    struct sp_buf *b = owner;
    sp_buf_fini(b);
    free(b);
}

static void rig_take(struct sp_exchange *x)
{
    struct sp_buf *b = calloc(1, sizeof *b);
    sp_buf_init(b, SP_MIB(1));
    sp_exchange_take_body(x, b);
    sp_exchange_respond(x, &(struct sp_answer){.status = 200,
                                               .memory = sp_buf_view(b),
                                               .release = rig_free_buf,
                                               .owner = b});
}

static void rig_body(void *ctx, struct sp_exchange *x)
{
    struct rig *r = ctx;
    r->live.bodies++;
    if (sp_view_eq_str(sp_exchange_request(x)->target, "/take")) {
        rig_take(x);
    } else {
        rig_text(r, x, sp_exchange_body(x));
    }
}

static void rig_end(void *ctx, struct sp_exchange *x, bool complete)
{
    struct rig *r = ctx;
    assert_ptr_equal(*sp_exchange_slot(x), r);
    r->live.ends++;
    r->live.complete += complete;
    if (r->on_end) {
        r->on_end(r, x);
    }
    for (size_t i = 0; i < r->held_count; i++) {
        if (r->held[i] == x) {
            r->held[i] = r->held[--r->held_count];
        }
    }
}

static void rig_shut_out(void *ctx, enum sp_shut_out why, const char *peer)
{
    struct rig *r = ctx;
    assert_memory_equal(peer, "127.0.", 6);
    r->shut_out[why]++;
}

/* ---- the server ---------------------------------------------------------------- */

static void rig_start(struct rig *r)
{
    const struct sp_server_handler handler = {.head = rig_head,
                                              .body = rig_body,
                                              .end = rig_end,
                                              .shut_out = rig_shut_out,
                                              .ctx = r};
    struct sp_why why = {0};
    r->conf.name = "rig";
    r->conf.bind = r->conf.bind ? r->conf.bind : "127.0.0.1:0";
    r->big = malloc(BIG_BYTES);
    for (size_t i = 0; i < BIG_BYTES; i++) {
        r->big[i] = (uint8_t)(i * 7 + i / 4096);
    }
    assert_ok(sp_loop_new("rig", &r->loop));
    assert_ok(sp_server_new(r->loop, &r->conf, &handler, &r->server, &why));
    r->port = sp_server_port(r->server);
    assert_ok(sp_loop_start(r->loop));
}

/* Runs a function on the loop and waits for it. */
struct rig_call {
    struct sp_msg msg;
    struct rig *rig;
    void (*function)(struct rig *r, void *arg);
    void *arg;
    sem_t done;
};

static void rig_run_call(struct sp_msg *msg)
{
    struct rig_call *call = (struct rig_call *)msg;
    call->function(call->rig, call->arg);
    sem_post(&call->done);
}

static void rig_on_loop(struct rig *r, void (*function)(struct rig *r, void *arg),
                        void *arg)
{
    struct rig_call call = {
        .msg.run = rig_run_call, .rig = r, .function = function, .arg = arg};
    sem_init(&call.done, 0, 0);
    sp_loop_post(r->loop, &call.msg);
    while (sem_wait(&call.done) != 0) {
        continue;
    }
    sem_destroy(&call.done);
}

static void rig_copy_stats(struct rig *r, void *arg)
{
    (void)arg;
    r->seen = r->live;
    r->stats = *sp_server_stats(r->server);
}

/* Brings r->seen and r->stats up to date. */
static void rig_ask(struct rig *r)
{
    rig_on_loop(r, rig_copy_stats, NULL);
}

/* Waits up to 5 s until a counter has the value. */
#define rig_wait_for(r, counter, value)                                                \
    do {                                                                               \
        for (int i_ = 0; i_ < 500 && (rig_ask(r), (uint64_t)(counter) != (value));     \
             i_++) {                                                                   \
            usleep(10000);                                                             \
        }                                                                              \
        assert_int_equal(counter, value);                                              \
    } while (0)

static void rig_on_drained(void *ctx)
{
    struct rig *r = ctx;
    r->drained = true;
    sp_loop_stop(r->loop);
}

static void rig_begin_drain(struct rig *r, void *arg)
{
    const uint64_t *deadline_ms = arg;
    r->stats = *sp_server_stats(r->server);
    sp_server_drain(r->server, 0, *deadline_ms, rig_on_drained, r);
}

static void rig_drain(struct rig *r, uint64_t deadline_ms)
{
    rig_on_loop(r, rig_begin_drain, &deadline_ms);
}

/* After rig_drain: waits for the loop. Every head must have met its end by then. */
static void rig_join(struct rig *r)
{
    sp_loop_join(r->loop);
    sp_loop_free(&r->loop);
    free(r->big);
    r->seen = r->live;
    assert_true(r->drained);
    assert_int_equal(r->seen.heads, r->seen.ends);
    assert_int_equal(r->held_count, 0);
}

static void rig_stop(struct rig *r)
{
    rig_drain(r, 0);
    rig_join(r);
}

/* ---- clients --------------------------------------------------------------------- */

static int client_connect_from(struct rig *r, const char *from)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)r->port)};
    struct sockaddr_in own = {.sin_family = AF_INET};
    const struct timeval patience = {.tv_sec = 20};
    inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
    inet_pton(AF_INET, from, &own.sin_addr);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&own, sizeof own), 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    return fd;
}

static inline int client_connect(struct rig *r)
{
    return client_connect_from(r, "127.0.0.1");
}

static inline void client_send(int fd, const void *data, size_t n)
{
    assert_int_equal(send(fd, data, n, MSG_NOSIGNAL), n);
}

static inline void client_say(int fd, const char *text)
{
    client_send(fd, text, strlen(text));
}

/* How the connection is read: plain or through TLS. */
typedef long (*rig_reader)(void *ctx, void *to, size_t n);

static inline long rig_read_fd(void *ctx, void *to, size_t n)
{
    return recv(*(int *)ctx, to, n, 0);
}

/* An answer, read byte for byte so that nothing of the next one is taken. */
struct answer {
    int status;
    char head[2048];
    char *body; /* freed by answer_free */
    size_t body_len;
};

static inline void answer_free(struct answer *a)
{
    free(a->body);
    *a = (struct answer){0};
}

static inline bool answer_read_head(rig_reader read, void *ctx, struct answer *a)
{
    size_t n = 0;
    *a = (struct answer){0};
    while (n < sizeof a->head - 1 && !strstr(a->head, "\r\n\r\n")) {
        if (read(ctx, a->head + n, 1) != 1) {
            return false;
        }
        n++;
    }
    return sscanf(a->head, "HTTP/1.1 %d", &a->status) == 1;
}

static inline bool answer_read_via(rig_reader read, void *ctx, struct answer *a,
                                   bool has_body)
{
    if (!answer_read_head(read, ctx, a)) {
        return false;
    }
    const char *length = strstr(a->head, "Content-Length: ");
    size_t want = length && has_body ? strtoul(length + 16, NULL, 10) : 0;
    a->body = calloc(1, want + 1);
    while (a->body_len < want) {
        long got = read(ctx, a->body + a->body_len, want - a->body_len);
        if (got <= 0) {
            return false;
        }
        a->body_len += (size_t)got;
    }
    return true;
}

static inline bool answer_read(int fd, struct answer *a)
{
    return answer_read_via(rig_read_fd, &fd, a, true);
}

/* The peer closed in order (0) or by reset (-1); anything else fails the test. */
static inline bool client_at_end(int fd)
{
    char c;
    ssize_t n = recv(fd, &c, 1, 0);
    return n == 0 || (n < 0 && errno == ECONNRESET);
}

/* Says request, expects status and body. */
#define expect_answer(fd, request, expected_status, expected_body)                     \
    do {                                                                               \
        struct answer got_;                                                            \
        client_say(fd, request);                                                       \
        assert_true(answer_read(fd, &got_));                                           \
        assert_int_equal(got_.status, expected_status);                                \
        assert_string_equal(got_.body, expected_body);                                 \
        answer_free(&got_);                                                            \
    } while (0)

/* As above, and the server closes behind it. */
#define expect_refusal(rig, request, expected_status)                                  \
    do {                                                                               \
        struct answer got_;                                                            \
        int fd_ = client_connect(rig);                                                 \
        client_say(fd_, request);                                                      \
        assert_true(answer_read(fd_, &got_));                                          \
        assert_int_equal(got_.status, expected_status);                                \
        assert_non_null(strstr(got_.head, "Connection: close\r\n"));                   \
        assert_true(client_at_end(fd_));                                               \
        answer_free(&got_);                                                            \
        close(fd_);                                                                    \
    } while (0)

static inline uint64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

#define GET(target)  "GET " target " HTTP/1.1\r\nHost: rig\r\n\r\n"
#define HEAD(target) "HEAD " target " HTTP/1.1\r\nHost: rig\r\n\r\n"
#define LENGTH(n)    "Content-Length: " #n "\r\n"
#define POST(target, fields, body)                                                     \
    "POST " target " HTTP/1.1\r\nHost: rig\r\n" fields "\r\n" body

/* ---- files ----------------------------------------------------------------- */

static inline int file_of(const uint8_t *bytes, size_t n)
{
    int fd = memfd_create("body", MFD_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, n), n);
    return fd;
}

static inline void expect_file(struct rig *r, int fd, const uint8_t *bytes)
{
    struct answer a;
    client_say(fd, GET("/file"));
    assert_true(answer_read(fd, &a));
    assert_int_equal(a.body_len, r->file.length);
    assert_memory_equal(a.body, bytes, a.body_len);
    answer_free(&a);
}

#endif
