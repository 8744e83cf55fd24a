/* The BIO under every server SSL. Writing never fails for want of room: what the socket
 * does not take is kept in t->unsent (at most what was gathered and a record), and the
 * transport writes no further record before that is gone. So OpenSSL never has to
 * be called again with the same bytes.
 *
 * Where the kernel is to encrypt, a socket BIO of OpenSSL's stands behind this one.
 * When OpenSSL has the keys of what is sent, it offers them; once the socket BIO handed
 * them to the kernel, OpenSSL writes nothing here but records of control, unencrypted,
 * and the transport sends what it is given. Receiving stays OpenSSL's.
 *
 * Keys that the kernel does not take may be ours (tls_records.h): then OpenSSL writes
 * its records of control here, unencrypted, and the transport has its own made. */
#include "io/net/tls_private.h"
#include "io/net/tls_records.h"

#include <pthread.h>
#include <string.h>

/* OpenSSL's own, which bio.h only mentions: keys for the kernel (number: 0 for what is
 * received), and the type of the record that is written next. */
#define CTRL_SET_KTLS     72
#define CTRL_SET_KTLS_MSG 74

/* A handshake flight with the longest chain, a record, and what was gathered. */
#define UNSENT_MAX (SP_LIMIT_CHAIN_BYTES + SP_WIRE_GATHER + SP_KIB(32))
#define LEFT_MAX   SP_WIRE_RECEIVE

static BIO_METHOD *method;
static pthread_once_t method_once = PTHREAD_ONCE_INIT;

enum sp_err sp_tls_bio_fill(struct sp_transport *t)
{
    size_t got = 0;
    if (t->window.len) {
        return SP_OK;
    }
    SP_TRY(sp_socket_recv(t, t->wire->receive, t->appetite, &got));
    t->window = sp_view(t->wire->receive, got);
    return SP_OK;
}

static int read_left(struct sp_transport *t, char *out, size_t n)
{
    n = n < t->left.len ? n : t->left.len;
    memcpy(out, t->left.data, n);
    sp_buf_consume(&t->left, n);
    if (t->left.len == 0) {
        sp_buf_fini(&t->left);
    }
    return (int)n;
}

static int bio_read(BIO *b, char *out, int size)
{
    struct sp_transport *t = BIO_get_data(b);
    size_t n = (size_t)size;
    BIO_clear_retry_flags(b);
    if (t->left.len) {
        return read_left(t, out, n);
    }
    enum sp_err e = sp_tls_bio_fill(t);
    if (e == SP_E_AGAIN) {
        BIO_set_retry_read(b);
    }
    if (e != SP_OK) {
        return e == SP_E_CLOSED ? 0 : -1;
    }
    n = n < t->window.len ? n : t->window.len;
    memcpy(out, t->window.data, n);
    t->window = sp_view_slice(t->window, n, t->window.len);
    return (int)n;
}

/* The part of both views behind the first n bytes goes to t->unsent. */
static enum sp_err keep_unsent(struct sp_transport *t, struct sp_view first,
                               struct sp_view second, size_t n)
{
    size_t of_second = n > first.len ? n - first.len : 0;
    SP_TRY(sp_buf_append(&t->unsent, sp_view_slice(first, n, first.len)));
    return sp_buf_append(&t->unsent, sp_view_slice(second, of_second, second.len));
}

/* What was gathered and the record behind it: to the kernel as far as it takes them,
 * the rest to memory. Nothing overtakes what already waits. */
static enum sp_err emit(struct sp_transport *t, struct sp_view record)
{
    struct sp_view gathered = sp_view(t->wire->gather, t->wire->gathered);
    size_t sent = 0;
    t->wire->gathered = 0;
    if (t->unsent.len == 0 && gathered.len + record.len > 0) {
        enum sp_err e = sp_socket_send(t, gathered, record, &sent);
        if (e != SP_OK && e != SP_E_AGAIN) {
            return e;
        }
    }
    enum sp_err e = keep_unsent(t, gathered, record, sent);
    t->broken |= e != SP_OK;
    return e;
}

/* A record of control for the kernel to encrypt: tickets behind the handshake, alerts.
 */
static int write_control(struct sp_transport *t, BIO *kernel, const char *data,
                         int size)
{
    t->broken |= BIO_write(kernel, data, size) != size;
    return t->broken ? -1 : size;
}

/* Nobody else encrypts with these keys: what cannot be sealed ends the connection. */
enum sp_err sp_tls_bio_seal(struct sp_transport *t, uint8_t type,
                            struct sp_view payload)
{
    struct sp_wire *w = t->wire;
    size_t len = 0;
    if (w->gathered + payload.len + SP_TLS_RECORD_EXTRA > SP_WIRE_GATHER) {
        SP_TRY(emit(t, sp_view(NULL, 0)));
    }
    enum sp_err e = sp_tls_records_seal(w->sealer, t->records, type, payload,
                                        w->gather + w->gathered, &len);
    t->broken |= e != SP_OK;
    w->gathered += len;
    return e;
}

/* RFC 8446 section 4.6.3: a KeyUpdate is the last record under its keys. OpenSSL, who
 * wrote it, has the next ones and encrypts with them itself. */
static int write_sealed(struct sp_transport *t, const char *data, int size)
{
    bool is_last = t->record_type == SSL3_RT_HANDSHAKE && data[0] == SSL3_MT_KEY_UPDATE;
    uint8_t type = t->record_type ? t->record_type : SSL3_RT_APPLICATION_DATA;
    t->record_type = 0;
    if (sp_tls_bio_seal(t, type, sp_view(data, (size_t)size)) != SP_OK) {
        return -1;
    }
    if (is_last) {
        sp_tls_records_free(t->wire->sealer, &t->records);
    }
    return size;
}

static int bio_write(BIO *b, const char *data, int size)
{
    struct sp_transport *t = BIO_get_data(b);
    struct sp_wire *w = t->wire;
    size_t n = (size_t)size;
    BIO_clear_retry_flags(b);
    if (t->records) {
        return write_sealed(t, data, size);
    }
    if (t->offers_keys && BIO_get_ktls_send(BIO_next(b))) {
        return write_control(t, BIO_next(b), data, size);
    }
    if (n > SP_WIRE_GATHER || (t->alone && !t->more)) {
        return emit(t, sp_view(data, n)) == SP_OK ? size : -1;
    }
    if (w->gathered + n > SP_WIRE_GATHER && emit(t, sp_view(NULL, 0)) != SP_OK) {
        return -1;
    }
    memcpy(w->gather + w->gathered, data, n);
    w->gathered += n;
    return size;
}

/* What the kernel is to encrypt must not overtake what OpenSSL did: keys change hands
 * when all of that is with the kernel. */
static bool kernel_takes(BIO *b, struct sp_transport *t, void *keys)
{
    bool is_sent = t->wire->gathered == 0 && t->unsent.len == 0;
    return t->offers_keys && is_sent &&
           BIO_ctrl(BIO_next(b), CTRL_SET_KTLS, 1, keys) > 0;
}

/* Our records go the way of OpenSSL's, behind them. */
static bool we_take(struct sp_transport *t, const void *keys)
{
    sp_tls_records_free(t->wire->sealer, &t->records);
    t->records = t->takes_keys ? sp_tls_records_new(t->wire->sealer, keys) : NULL;
    return t->records;
}

static long control_records(struct sp_transport *t, int command, long number)
{
    if (command == CTRL_SET_KTLS_MSG) {
        t->record_type = (uint8_t)number;
    }
    return command == BIO_CTRL_FLUSH || command == CTRL_SET_KTLS_MSG ||
           command == BIO_CTRL_GET_KTLS_SEND;
}

static long control_kernel(BIO *b, struct sp_transport *t, int command, long number,
                           void *pointer)
{
    switch (command) {
    case BIO_CTRL_FLUSH:
        return emit(t, sp_view(NULL, 0)) == SP_OK ? 1 : -1;
    case CTRL_SET_KTLS_MSG:
    case BIO_CTRL_GET_KTLS_SEND:
        return BIO_ctrl(BIO_next(b), command, number, pointer);
    }
    return 0;
}

static long bio_ctrl(BIO *b, int command, long number, void *pointer)
{
    struct sp_transport *t = BIO_get_data(b);
    if (command == BIO_CTRL_EOF) {
        return t->ended;
    }
    if (command == CTRL_SET_KTLS) { /* number 0: of what is received */
        return number != 0 && (kernel_takes(b, t, pointer) || we_take(t, pointer));
    }
    if (t->records) {
        return control_records(t, command, number);
    }
    if (t->offers_keys) {
        return control_kernel(b, t, command, number, pointer);
    }
    return command == BIO_CTRL_FLUSH; /* the transport flushes when its turn ends */
}

static int bio_create(BIO *b)
{
    BIO_set_init(b, 1);
    return 1;
}

static void make_method(void)
{
    method =
        BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "sallyport socket");
    if (method) {
        BIO_meth_set_read(method, bio_read);
        BIO_meth_set_write(method, bio_write);
        BIO_meth_set_ctrl(method, bio_ctrl);
        BIO_meth_set_create(method, bio_create);
    }
}

BIO *sp_tls_bio_new(struct sp_transport *t, struct sp_tls_senders senders)
{
    pthread_once(&method_once, make_method);
    BIO *b = method ? BIO_new(method) : NULL;
    BIO *kernel = b && senders.kernel ? BIO_new_socket(t->fd, BIO_NOCLOSE) : NULL;
    if (!b || (senders.kernel && !kernel)) {
        BIO_free(b);
        return NULL;
    }
    BIO_set_data(b, t);
    t->offers_keys = senders.kernel;
    t->takes_keys = senders.own;
    sp_buf_init(&t->left, LEFT_MAX);
    sp_buf_init(&t->unsent, UNSENT_MAX);
    return kernel ? BIO_push(b, kernel) : b;
}

enum sp_err sp_tls_bio_flush(struct sp_transport *t)
{
    SP_TRY(emit(t, sp_view(NULL, 0)));
    while (t->unsent.len) {
        size_t sent = 0;
        SP_TRY(sp_socket_send(t, sp_buf_view(&t->unsent), sp_view(NULL, 0), &sent));
        sp_buf_consume(&t->unsent, sent);
    }
    sp_buf_fini(&t->unsent);
    return SP_OK;
}

enum sp_err sp_tls_bio_park(struct sp_transport *t)
{
    struct sp_view window = t->window;
    t->window = sp_view(NULL, 0);
    return window.len ? sp_buf_append(&t->left, window) : SP_OK;
}
