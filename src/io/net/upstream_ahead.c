/* Reads ahead for libcurl's TLS. OpenSSL asks for a record's head and then for its
 * rest, and libcurl looks at the socket before each record: three system calls for
 * 16 KiB. A BIO between the two reads what there is, up to AHEAD bytes.
 *
 * What it holds no poll can see. So the pool has libcurl read on until it holds
 * nothing, or the fetch rests. A connection without a fetch holds no memory. */
#include "io/net/upstream_parts.h"

#include <stdlib.h>
#include <string.h>

enum { AHEAD = 64 * 1024 };

static BIO_METHOD *method; /* made once, before threads */

static int refill(BIO *b, struct sp_ahead *a)
{
    a->bytes = a->bytes ? a->bytes : malloc(AHEAD);
    int got = a->bytes ? BIO_read(BIO_next(b), a->bytes, AHEAD) : -1;
    a->at = 0;
    a->len = got > 0 ? (size_t)got : 0;
    if (got <= 0) {
        BIO_copy_next_retry(b);
    }
    return got;
}

static int ahead_read(BIO *b, char *to, int want)
{
    struct sp_ahead *a = BIO_get_data(b);
    BIO_clear_retry_flags(b);
    int got = a->at < a->len ? 1 : refill(b, a);
    if (got <= 0 || want <= 0) {
        return got;
    }
    size_t n = (size_t)want < a->len - a->at ? (size_t)want : a->len - a->at;
    memcpy(to, a->bytes + a->at, n);
    a->at += n;
    a->taken += n;
    return (int)n;
}

static long ahead_ctrl(BIO *b, int what, long number, void *pointer)
{
    bool is_about_the_chain = what == BIO_CTRL_PUSH || what == BIO_CTRL_POP;
    return is_about_the_chain ? 0 : BIO_ctrl(BIO_next(b), what, number, pointer);
}

enum sp_err sp_ahead_global_init(void)
{
    method = method ? method : BIO_meth_new(BIO_TYPE_FILTER, "ahead");
    bool made = method && BIO_meth_set_read(method, ahead_read) == 1 &&
                BIO_meth_set_ctrl(method, ahead_ctrl) == 1;
    return made ? SP_OK : SP_E_NOMEM;
}

static void put_between(struct sp_ahead *a, SSL *ssl)
{
    BIO *socket = SSL_get_rbio(ssl);
    BIO *b = socket ? BIO_new(method) : NULL;
    if (!b) {
        return; /* then it goes without */
    }
    a->begun = true;
    BIO_set_data(b, a);
    BIO_set_init(b, 1);
    BIO_up_ref(socket);
    BIO_push(b, socket);
    SSL_set0_rbio(ssl, b);
}

/* Without its socket nobody could be told to read on. */
void sp_ahead_begin(struct sp_fetch *f, SSL *ssl)
{
    if (!f->proof->ahead.begun && f->socket_count == 1) {
        put_between(&f->proof->ahead, ssl);
    }
}

void sp_ahead_rest(struct sp_ahead *a)
{
    if (a->at == a->len) {
        sp_ahead_fini(a);
    }
}

void sp_ahead_fini(struct sp_ahead *a)
{
    free(a->bytes);
    a->bytes = NULL;
    a->at = a->len = 0;
}

/* ---- reading on --------------------------------------------------------------------
 */

void sp_ahead_watch(struct sp_fetch *f, curl_socket_t s, bool is_watched)
{
    size_t i = 0;
    while (i < f->socket_count && f->sockets[i] != s) {
        i++;
    }
    bool is_known = i < f->socket_count;
    if (is_watched && !is_known && i < SP_FETCH_SOCKETS) {
        f->sockets[f->socket_count++] = s;
    } else if (!is_watched && is_known) {
        f->sockets[i] = f->sockets[--f->socket_count];
    }
}

static bool can_read(const struct sp_fetch *f)
{
    bool holds = f->proof && f->proof->ahead.at < f->proof->ahead.len;
    return holds && f->socket_count > 0 && !f->rests && !f->cancelled;
}

/* False: nothing was taken of what is held. */
static bool read_some(struct sp_fetch *f)
{
    int running = 0;
    struct sp_proof *proof = f->proof;
    uint64_t taken = proof->ahead.taken;
    f->lane->broken |= curl_multi_socket_action(f->lane->multi, f->sockets[0],
                                                CURL_CSELECT_IN, &running) != CURLM_OK;
    return !f->lane->broken && f->proof == proof && proof->ahead.taken != taken;
}

void sp_ahead_read(struct sp_upstream_pool *p)
{
    for (struct sp_fetch *f = p->fetches; f; f = f->next) {
        while (can_read(f) && read_some(f)) {
            continue;
        }
    }
}
