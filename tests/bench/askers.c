/* One process that asks for files over many connections, and what that took.
 *
 *     askers [-a CA] [-c N] PORT PATH...
 *         N connections are made, over TLS where there is a CA to check against; then
 * all ask at once, each for the next of the paths, and read to the end. askers [-a CA]
 * [-c N] -r RATE -s SECONDS [-n] [-g SIZE] PORT PATH RATE requests a second whether or
 * not earlier ones are answered, each on the next free connection. A request that finds
 * none waits, and its time runs from when it was due. -n: a new connection each, whose
 * making counts. -g: a MiB at random of a file of so many bytes.
 *
 * Connections come from many addresses of loopback, since a server may have a limit for
 * each. Prints one line of JSON. An answer counts as complete when its status is 200
 * (206 with -g) and all the bytes came that were announced. Nothing passes or fails
 * here. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

enum {
    HEAD_MAX = 4096,
    ASKERS_MAX = 16384,
    AN_ADDRESS = 10, /* connections from each address */
    PIECE = 65536,
    AT_A_TIME = 64, /* handshakes, before all ask at once */
    TURN = 16,      /* pieces that one connection may take before the others' turn */
    PATIENCE_S = 120,
};
#define MIB (1 << 20)

enum state { SHAKING, IDLE, ASKED, ANSWERED };

struct asker {
    int fd;
    SSL *ssl; /* owned; NULL: plain */
    enum state state;
    bool is_due;      /* a request waits for the handshake */
    bool is_last;     /* the server will close */
    double due;       /* when the request was to be sent */
    const char *path; /* borrowed from argv */
    char head[HEAD_MAX];
    size_t headed;
    uint64_t left;
};

/* What was asked for on the command line. */
static struct {
    SSL_CTX *tls; /* owned; NULL: plain */
    unsigned connections, port, paths;
    char **path;
    double rate, seconds;
    bool is_new_each, is_kept;
    uint64_t ranged;
} want = {.connections = 1};

static struct asker *askers; /* owned, want.connections of them */
static int events;
static double *firsts, *times; /* owned: seconds of each that is complete */
static size_t asked, complete, failed, room;

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

/* ---- one connection -------------------------------------------------------------- */

static void look_for(struct asker *a, uint32_t what, int op)
{
    struct epoll_event e = {.events = what, .data.ptr = a};

    if (epoll_ctl(events, op, a->fd, &e))
        fail("epoll_ctl");
}

static void hang_up(struct asker *a)
{
    SSL_free(a->ssl);
    close(a->fd);
    a->ssl = NULL;
    a->fd = -1;
}

static void call(struct asker *a)
{
    static char host[] = "localhost";
    unsigned number = (unsigned)(a - askers) / AN_ADDRESS;
    struct sockaddr_in own = {
        .sin_family = AF_INET,
        .sin_addr.s_addr = htonl(0x7f010001U + (number / 200 << 8) + number % 200),
    };
    struct sockaddr_in to = {
        .sin_family = AF_INET,
        .sin_port = htons((uint16_t)want.port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    int one = 1;

    a->fd = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(a->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
    if (bind(a->fd, (struct sockaddr *)&own, sizeof own) ||
        connect(a->fd, (struct sockaddr *)&to, sizeof to))
        fail("connect");
    setsockopt(a->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    fcntl(a->fd, F_SETFL, O_NONBLOCK);
    a->state = want.tls ? SHAKING : IDLE;
    a->headed = 0;
    a->is_last = false;
    if (want.tls) {
        a->ssl = SSL_new(want.tls);
        SSL_set_fd(a->ssl, a->fd);
        SSL_set_tlsext_host_name(a->ssl, host);
        SSL_set1_host(a->ssl, host);
        SSL_set_connect_state(a->ssl);
    }
    look_for(a, want.tls ? EPOLLIN | EPOLLOUT : EPOLLIN, EPOLL_CTL_ADD);
}

/* Bytes; 0: the other side closed; -1: nothing now. */
static ssize_t take(struct asker *a, char *to, size_t size)
{
    if (!a->ssl) {
        ssize_t got = recv(a->fd, to, size, 0);
        return got < 0 && errno == ECONNRESET ? 0 : got;
    }
    int got = SSL_read(a->ssl, to, (int)size);
    if (got > 0)
        return got;
    return SSL_get_error(a->ssl, got) == SSL_ERROR_WANT_READ ? -1 : 0;
}

static void ask(struct asker *a)
{
    char text[512], range[96] = "";
    uint64_t first = 0;

    if (want.ranged) {
        first = (uint64_t)random() % (want.ranged / MIB) * MIB;
        snprintf(range, sizeof range, "Range: bytes=%ju-%ju\r\n", (uintmax_t)first,
                 (uintmax_t)(first + MIB - 1));
    }
    int size = snprintf(
        text, sizeof text, "GET %s HTTP/1.1\r\nHost: localhost:%u\r\n%s%s\r\n", a->path,
        want.port, range, want.is_new_each ? "Connection: close\r\n" : "");
    a->is_due = false;
    a->state = ASKED;
    a->headed = 0;
    if (size < 0 ||
        (a->ssl ? SSL_write(a->ssl, text, size)
                : (int)send(a->fd, text, (size_t)size, MSG_NOSIGNAL)) != size)
        a->is_last = true; /* it is closed: reading tells */
}

static void give(struct asker *a, const char *path, double due)
{
    a->path = path;
    a->due = due;
    a->is_due = true;
    if (a->state == IDLE)
        ask(a);
}

/* ---- answers --------------------------------------------------------------------- */

static void note(struct asker *a)
{
    if (complete == room) {
        room = room ? 2 * room : 4096;
        times = realloc(times, room * sizeof *times);
        if (!times)
            fail("realloc");
    }
    times[complete++] = now() - a->due;
}

static void again(struct asker *a)
{
    bool is_due = a->is_due;

    hang_up(a);
    if (want.rate <= 0 || (want.is_new_each && !is_due))
        return;
    call(a);
    if (is_due && a->state == IDLE)
        ask(a);
}

static void finish(struct asker *a)
{
    note(a);
    a->state = IDLE;
    if (a->is_last || want.is_new_each)
        again(a);
}

/* The other side closed. A request that it never began to answer is sent again. */
static void lost(struct asker *a)
{
    if (a->state == ASKED && a->headed == 0 && want.rate > 0 && !want.is_new_each)
        a->is_due = true;
    else if (a->state != IDLE || a->is_due) {
        failed++;
        a->is_due = false;
    }
    again(a);
}

/* True: the head is whole and good, and rest bytes after it were of the body. */
static bool read_head(struct asker *a, size_t *rest)
{
    char *end = memmem(a->head, a->headed, "\r\n\r\n", 4);

    *rest = 0;
    if (!end)
        return false;
    *rest = a->headed - (size_t)(end + 4 - a->head);
    *end = 0;
    const char *length = strcasestr(a->head, "\r\ncontent-length:");
    const char *status = want.ranged ? " 206" : " 200";
    if (strncmp(a->head + 8, status, 4) != 0 || !length) {
        fprintf(stderr, "askers: %s: %s\n", a->path, a->head);
        exit(1);
    }
    a->left = strtoull(length + 17, NULL, 10);
    a->is_last = strcasestr(a->head, "\r\nconnection: close") != NULL;
    a->state = ANSWERED;
    return true;
}

/* False: there is nothing more to read now. */
static bool read_piece(struct asker *a)
{
    static char piece[PIECE];
    bool is_head = a->state != ANSWERED;
    ssize_t got = is_head ? take(a, a->head + a->headed, HEAD_MAX - 1 - a->headed)
                          : take(a, piece, PIECE);

    if (got == 0)
        lost(a);
    if (got <= 0)
        return false;
    size_t body = (size_t)got;
    if (is_head) {
        if (a->headed == 0 && firsts)
            firsts[a - askers] = now() - a->due;
        a->headed += (size_t)got;
        if (!read_head(a, &body))
            return a->headed < HEAD_MAX - 1;
    }
    a->left -= body < a->left ? body : a->left;
    if (a->left)
        return true;
    finish(a);
    return false;
}

static void shake(struct asker *a)
{
    int done = SSL_do_handshake(a->ssl);

    if (done == 1) {
        a->state = IDLE;
        look_for(a, EPOLLIN, EPOLL_CTL_MOD);
        if (a->is_due)
            ask(a);
        return;
    }
    int why = SSL_get_error(a->ssl, done);
    if (why == SSL_ERROR_WANT_READ)
        look_for(a, EPOLLIN, EPOLL_CTL_MOD);
    else if (why != SSL_ERROR_WANT_WRITE)
        lost(a);
}

static void turn(struct asker *a)
{
    if (a->fd >= 0 && a->state == SHAKING)
        shake(a);
    else
        for (int i = 0; a->fd >= 0 && i < TURN && read_piece(a); i++)
            ;
}

/* Until something happens, at most so long. */
static void wait_for(double seconds)
{
    struct epoll_event ready[256];
    double most = seconds < 0 ? 0 : seconds;
    struct timespec t = {.tv_sec = (time_t)most,
                         .tv_nsec = (long)((most - (double)(time_t)most) * 1e9)};
    int count = epoll_pwait2(events, ready, 256, &t, NULL);

    for (int i = 0; i < count; i++)
        turn(ready[i].data.ptr);
}

/* ---- all of them ----------------------------------------------------------------- */

static unsigned shaking(void)
{
    unsigned count = 0;

    for (unsigned i = 0; i < want.connections; i++)
        count += askers[i].fd >= 0 && askers[i].state == SHAKING;
    return count;
}

static void connect_all(double end)
{
    for (unsigned i = 0; i < want.connections; i++) {
        call(&askers[i]);
        while (i % AT_A_TIME == 0 && shaking() && now() < end)
            wait_for(1);
    }
    while (shaking() && now() < end)
        wait_for(1);
}

/* Both return when the first request was due. */
static double at_once(double end)
{
    firsts = calloc(want.connections, sizeof *firsts);
    for (unsigned i = 0; i < want.connections; i++)
        firsts[i] = PATIENCE_S; /* of those that get none */
    connect_all(end);
    double began = now();
    for (unsigned i = 0; i < want.connections; i++, asked++)
        give(&askers[i], want.path[i % want.paths], began);
    while (complete + failed < asked && now() < end)
        wait_for(1);
    return began;
}

static struct asker *free_one(void)
{
    static unsigned last;

    for (unsigned i = 0; i < want.connections; i++) {
        struct asker *a = &askers[(last + i) % want.connections];
        bool is_free = want.is_new_each ? a->fd < 0 : a->state == IDLE;
        if (is_free && !a->is_due) {
            last = (unsigned)(a - askers) + 1;
            return a;
        }
    }
    return NULL;
}

/* Sends what is due; false: no connection is free for the next one. */
static bool send_due(double began)
{
    while (now() >= began + (double)asked / want.rate) {
        double due = began + (double)asked / want.rate;
        struct asker *a = due < began + want.seconds ? free_one() : NULL;
        if (!a)
            return false;
        if (a->fd < 0)
            call(a);
        give(a, want.path[0], due);
        asked++;
    }
    return true;
}

static double paced(double end)
{
    if (!want.is_new_each)
        connect_all(end);
    double began = now();
    size_t all = (size_t)(want.rate * want.seconds);
    while (complete + failed < all && now() < end)
        wait_for(send_due(began) ? began + (double)asked / want.rate - now() : 0.1);
    return began;
}

static int by_size(const void *a, const void *b)
{
    double one = *(const double *)a, two = *(const double *)b;

    return (one > two) - (one < two);
}

static void tell(const char *name, double *values, size_t count)
{
    static const int parts[] = {50, 99};

    qsort(values, count, sizeof *values, by_size);
    for (size_t i = 0; i < 2; i++)
        printf(", \"%s_p%d_s\": %.6f", name, parts[i],
               count ? values[(count - 1) * (size_t)parts[i] / 100] : 0.0);
}

static SSL_CTX *trusting(const char *ca)
{
    SSL_CTX *tls = SSL_CTX_new(TLS_client_method());

    if (!tls || SSL_CTX_load_verify_locations(tls, ca, NULL) != 1)
        fail(ca);
    SSL_CTX_set_verify(tls, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_session_cache_mode(tls, SSL_SESS_CACHE_OFF);
    return tls;
}

static bool understand(int argc, char **argv)
{
    for (int o; (o = getopt(argc, argv, "a:c:r:s:g:kn")) != -1;)
        switch (o) {
        case 'a':
            want.tls = trusting(optarg);
            break;
        case 'c':
            want.connections = (unsigned)strtoul(optarg, NULL, 10);
            break;
        case 'r':
            want.rate = strtod(optarg, NULL);
            break;
        case 's':
            want.seconds = strtod(optarg, NULL);
            break;
        case 'g':
            want.ranged = strtoull(optarg, NULL, 10);
            break;
        case 'k':
            want.is_kept = true;
            break;
        case 'n':
            want.is_new_each = true;
            break;
        default:
            return false;
        }
    if (argc - optind < 2)
        return false;
    want.port = (unsigned)strtoul(argv[optind], NULL, 10);
    want.path = argv + optind + 1;
    want.paths = (unsigned)(argc - optind - 1);
    return want.connections && want.connections <= ASKERS_MAX &&
           (want.rate <= 0 || want.seconds > 0);
}

static void report(double began)
{
    unsigned held = 0;

    for (unsigned i = 0; i < want.connections; i++)
        held += askers[i].fd >= 0;
    printf("{\"asked\": %zu, \"complete\": %zu, \"held\": %u, \"all_s\": %.4f", asked,
           complete, held, now() - began);
    tell("time", times, complete);
    if (firsts)
        tell("first", firsts, want.connections);
    puts("}");
    fflush(stdout);
}

int main(int argc, char **argv)
{
    if (!understand(argc, argv)) {
        fprintf(stderr,
                "usage: askers [-a CA] [-c N] [-k] PORT PATH...\n"
                "       askers [-a CA] [-c N] -r RATE -s SECONDS [-n] [-g SIZE] "
                "PORT PATH\n");
        return 64;
    }
    prctl(PR_SET_TIMERSLACK, 1UL);
    events = epoll_create1(0);
    askers = calloc(want.connections, sizeof *askers);
    for (unsigned i = 0; i < want.connections; i++)
        askers[i].fd = -1;
    report((want.rate > 0 ? paced : at_once)(now() + PATIENCE_S));
    while (want.is_kept && getchar() != EOF)
        ;
    return 0;
}
