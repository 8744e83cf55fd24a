#include "io/net/upstream_parts.h"

#define INTERIM_MAX 8         /* heads with a 1xx status before the real one */
#define TURN        SP_MIB(1) /* bytes of bodies, before the loop sees to others */
#define FIRST_TURN                                                                     \
    SP_KIB(128) /* while a body begins: who wants it is about to say so */

/* The first failure is the one that is told. */
static enum sp_err fail(struct sp_fetch *f, enum sp_err e)
{
    f->error = f->error ? f->error : e;
    return e;
}

/* ---- patience ------------------------------------------------------------ */

static void on_patience(uv_timer_t *h)
{
    struct sp_fetch *f = h->data;
    struct sp_upstream_pool *p = f->pool;
    uint64_t quiet = sp_loop_now_ms(p->loop) - f->last_ms;
    if (f->kind == SP_FETCH_CONTENT && quiet < f->patience_ms) {
        uv_timer_start(h, on_patience, f->patience_ms - quiet, 0);
        return;
    }
    sp_pool_enter(p);
    (void)fail(
        f, sp_why_set(
               &f->why, SP_E_TIMEOUT,
               f->kind == SP_FETCH_CONTENT
                   ? "%s sent nothing for %llu ms, after %llu bytes"
                   : "%s did not complete its reply within %llu ms, only %llu bytes",
               f->upstream->origin.authority, (unsigned long long)f->patience_ms,
               (unsigned long long)f->received));
    sp_fetch_settle(f, CURLE_OPERATION_TIMEDOUT);
    sp_pool_leave(p);
}

static void start_patience(struct sp_fetch *f)
{
    f->last_ms = sp_loop_now_ms(f->pool->loop);
    uv_timer_start(&f->patience, on_patience, f->patience_ms, 0);
}

/* ---- what libcurl calls while it works ----------------------------------- */

static CURLcode on_context(CURL *easy, void *context, void *fetch)
{
    (void)easy;
    struct sp_fetch *f = fetch;
    sp_proof_unref(&f->proof);
    bool armed = sp_proof_new(&f->upstream->want, &f->proof) == SP_OK &&
                 sp_proof_arm(f->proof, context) == SP_OK &&
                 sp_upstream_identify(f->upstream, context) == SP_OK;
    return armed ? CURLE_OK : CURLE_OUT_OF_MEMORY;
}

/* The connection is up, new or used before, and nothing of the request was sent: the
 * last place to stop. The proof of a used connection is found here. */
static int on_ready(void *fetch, char *peer, char *local, int peer_port, int local_port)
{
    (void)peer, (void)local, (void)peer_port, (void)local_port;
    struct sp_fetch *f = fetch;
    if (f->kind == SP_FETCH_CONTENT) {
        start_patience(f);
    }
    if (f->over_http) {
        return CURL_PREREQFUNC_OK;
    }
    struct curl_tlssessioninfo *tls = NULL;
    curl_easy_getinfo(f->easy, CURLINFO_TLS_SSL_PTR, &tls);
    struct sp_proof *p = tls && tls->backend == CURLSSLBACKEND_OPENSSL && tls->internals
                             ? sp_proof_of(tls->internals)
                             : NULL;
    if (!p || !p->link.proven) {
        (void)fail(f, sp_why_set(&f->why, SP_E_UNPROVEN,
                                 "The connection to %s has no proof",
                                 f->upstream->origin.authority));
        return CURL_PREREQFUNC_ABORT;
    }
    sp_proof_ref(p);
    sp_proof_unref(&f->proof);
    f->proof = p;
    sp_ahead_begin(f, tls->internals);
    return CURL_PREREQFUNC_OK;
}

/* A redirect would name a peer nobody has proven. */
static enum sp_err check_redirect(struct sp_fetch *f, const struct sp_http_response *r)
{
    struct sp_view where = SP_VIEW("nowhere");
    if (r->status / 100 != 3 || r->status == 304) {
        return SP_OK;
    }
    (void)sp_http_header(&r->headers, "Location", &where);
    return sp_why_set(
        &f->why, SP_E_PROTOCOL,
        "The upstream %s answers with a redirect (%d) to \"%.*s\"; redirects are "
        "not followed, the url must name the final host",
        f->upstream->origin.authority, r->status,
        where.len > 200 ? 200 : (int)where.len, (const char *)where.data);
}

/* A body that ends with the connection cannot be told from one that was cut. */
static enum sp_err check_framing(struct sp_fetch *f, const struct sp_http_response *r)
{
    bool bodyless = r->status == 204 || r->status == 304;
    if (!bodyless && !r->has_length && !r->chunked) {
        return sp_why_set(
            &f->why, SP_E_PROTOCOL,
            "The reply of %s has neither a Content-Length nor chunks, so nobody "
            "can tell whether it is whole",
            f->upstream->origin.authority);
    }
    f->has_expected = r->has_length && !bodyless;
    f->expected = r->content_length;
    return SP_OK;
}

static enum sp_err check_size(struct sp_fetch *f, uint64_t size)
{
    if (size <= f->reply_limit) {
        return SP_OK;
    }
    return sp_why_set(
        &f->why, SP_E_LIMIT, "The reply of %s is over the limit of %llu bytes",
        f->upstream->origin.authority, (unsigned long long)f->reply_limit);
}

static enum sp_err refuse_head(struct sp_fetch *f, const char *reason)
{
    return sp_why_set(&f->why, SP_E_PROTOCOL, "The reply of %s is refused: %s",
                      f->upstream->origin.authority, reason);
}

static enum sp_err take_head(struct sp_fetch *f)
{
    struct sp_http_response r;
    size_t used = 0;
    enum sp_http_refusal refusal = SP_HTTP_ACCEPTED;
    enum sp_err e = sp_http_response_parse(sp_buf_view(&f->head), &r, &used, &refusal);
    if (e != SP_OK || used != f->head.len) {
        return refuse_head(f, e == SP_E_PROTOCOL ? sp_http_refusal_text(refusal)
                                                 : "its head ends in the wrong place");
    }
    if (r.status / 100 == 1) {
        sp_buf_clear(&f->head);
        return r.status != 101 && ++f->interim <= INTERIM_MAX
                   ? SP_OK
                   : refuse_head(f, "it switches protocols or has too many 1xx heads");
    }
    SP_TRY(check_redirect(f, &r));
    SP_TRY(check_framing(f, &r));
    SP_TRY(check_size(f, f->has_expected ? f->expected : 0));
    f->has_head = true;
    e = f->handler.head(f->handler.ctx, &r);
    sp_buf_fini(&f->head);
    return e;
}

static enum sp_err take_head_line(struct sp_fetch *f, struct sp_view line)
{
    if (f->has_head) {
        return refuse_head(f, "it has trailers");
    }
    if (sp_buf_append(&f->head, line) != SP_OK) {
        return refuse_head(f, "its head is too long");
    }
    bool is_last = sp_view_eq_str(line, "\r\n") || sp_view_eq_str(line, "\n");
    return is_last ? take_head(f) : SP_OK;
}

static size_t on_head_line(char *data, size_t one, size_t len, void *fetch)
{
    struct sp_fetch *f = fetch;
    f->last_ms = sp_loop_now_ms(f->pool->loop);
    if (f->cancelled || fail(f, take_head_line(f, sp_view(data, one * len))) != SP_OK) {
        return 0;
    }
    return one * len;
}

static enum sp_err take_body(struct sp_fetch *f, struct sp_view bytes)
{
    if (!f->has_head) {
        return refuse_head(f, "its body comes before its head");
    }
    SP_TRY(check_size(f, f->received + bytes.len));
    SP_TRY(f->handler.data(f->handler.ctx, bytes));
    f->received += bytes.len;
    return SP_OK;
}

/* libcurl keeps what it was about to hand over, and lets the peer wait. */
static size_t rest(struct sp_fetch *f)
{
    f->rests = true;
    uv_timer_stop(&f->patience);
    return CURL_WRITEFUNC_PAUSE;
}

/* libcurl reads on as long as something comes, and a fast peer would have the loop for
 * itself: so much, and then the others' turn. */
static bool has_had_its_turn(struct sp_fetch *f, size_t len)
{
    struct sp_upstream_pool *p = f->pool;
    if (p->turn < (f->received < TURN ? FIRST_TURN : TURN)) {
        p->turn += len;
        return false;
    }
    f->resumes = true;
    sp_pool_kick(p);
    return true;
}

static size_t on_body(char *data, size_t one, size_t len, void *fetch)
{
    struct sp_fetch *f = fetch;
    f->last_ms = sp_loop_now_ms(f->pool->loop);
    if (!f->cancelled && has_had_its_turn(f, one * len)) {
        return rest(f);
    }
    enum sp_err e =
        f->cancelled ? SP_E_CANCELLED : take_body(f, sp_view(data, one * len));
    if (e == SP_E_AGAIN) {
        return rest(f);
    }
    if (f->cancelled || fail(f, e) != SP_OK) {
        return len ? 0 : 1; /* anything but len ends the transfer */
    }
    return one * len;
}

static bool set_callbacks(struct sp_fetch *f)
{
    CURL *e = f->easy;
    return curl_easy_setopt(e, CURLOPT_PRIVATE, f) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_ERRORBUFFER, f->detail) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_SSL_CTX_FUNCTION, on_context) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_SSL_CTX_DATA, f) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_PREREQFUNCTION, on_ready) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_PREREQDATA, f) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_head_line) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_HEADERDATA, f) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_WRITEDATA, f) == CURLE_OK;
}

/* ---- life ---------------------------------------------------------------- */

static void on_closed(uv_handle_t *h)
{
    free(h->data);
}

/* Frees all that is held; the struct itself goes when the loop has let go of its timer.
 */
static void release(struct sp_fetch *f)
{
    curl_easy_cleanup(f->easy);
    curl_slist_free_all(f->fields);
    sp_buf_fini(&f->head);
    if (f->proof) {
        sp_ahead_rest(&f->proof->ahead);
    }
    sp_proof_unref(&f->proof);
    sp_upstream_unref(&f->upstream);
    uv_close((uv_handle_t *)&f->patience, on_closed);
}

static void attach(struct sp_fetch *f, struct sp_lane *l)
{
    struct sp_upstream_pool *p = f->pool;
    f->lane = l;
    l->fetches++;
    atomic_fetch_add(&f->upstream->asked, f->kind == SP_FETCH_SOAP);
    f->next = p->fetches;
    f->link_to_me = &p->fetches;
    if (f->next) {
        f->next->link_to_me = &f->next;
    }
    p->fetches = f;
}

static void detach(struct sp_fetch *f)
{
    if (f->started) {
        curl_multi_remove_handle(f->lane->multi, f->easy);
    }
    *f->link_to_me = f->next;
    if (f->next) {
        f->next->link_to_me = f->link_to_me;
    }
    f->lane->fetches--;
    atomic_fetch_sub(&f->upstream->asked, f->kind == SP_FETCH_SOAP);
}

static enum sp_err fetch_new(struct sp_upstream_pool *p, struct sp_upstream *u,
                             const struct sp_fetch_ask *ask, struct sp_fetch **out)
{
    struct sp_fetch *f = calloc(1, sizeof *f);
    if (!f || uv_timer_init(sp_loop_uv(p->loop), &f->patience) != 0) {
        free(f);
        return SP_E_NOMEM;
    }
    f->patience.data = f;
    f->pool = p;
    f->upstream = sp_upstream_ref(u);
    f->kind = ask->kind;
    f->over_http = ask->over_http;
    f->patience_ms = (uint64_t)ask->patience_ms;
    f->reply_limit = ask->reply_limit;
    sp_buf_init(&f->head, SP_LIMIT_HEAD);
    *out = f;
    return SP_OK;
}

enum sp_err sp_fetch_start(struct sp_upstream_pool *p, struct sp_upstream *u,
                           const struct sp_fetch_ask *ask,
                           const struct sp_fetch_handler *handler,
                           struct sp_fetch **out)
{
    struct sp_fetch *f = NULL;
    struct sp_lane *lane = NULL;
    if (p->closing) {
        return SP_E_CANCELLED;
    }
    SP_TRY(sp_request_check(u, ask));
    SP_TRY(fetch_new(p, u, ask, &f));
    f->easy = curl_easy_init();
    bool is_ready = f->easy && set_callbacks(f);
    enum sp_err e = is_ready ? sp_request_set(f, ask) : SP_E_NOMEM;
    e = e == SP_OK ? sp_lane_of(p, u, &lane) : e;
    if (e != SP_OK) {
        release(f);
        return e;
    }
    f->handler = *handler;
    attach(f, lane);
    if (f->kind != SP_FETCH_CONTENT) {
        start_patience(f);
    }
    sp_pool_kick(p);
    *out = f;
    return SP_OK;
}

void sp_fetch_cancel(struct sp_fetch *f)
{
    f->cancelled = true;
    sp_pool_kick(f->pool);
}

const struct sp_link_report *sp_fetch_link(const struct sp_fetch *f)
{
    return f->proof ? &f->proof->link : NULL;
}

void sp_fetch_resume(struct sp_fetch *f)
{
    if (f->rests) {
        f->resumes = true;
        sp_pool_kick(f->pool);
    }
}

/* May well rest again at once. */
static void go_on(struct sp_fetch *f)
{
    f->rests = f->resumes = false;
    start_patience(f);
    CURLcode result = curl_easy_pause(f->easy, CURLPAUSE_CONT);
    if (result != CURLE_OK) {
        sp_fetch_settle(f, result);
    }
}

void sp_fetch_advance(struct sp_fetch *f)
{
    if (f->cancelled) {
        sp_fetch_settle(f, CURLE_OK);
        return;
    }
    if (f->resumes) {
        go_on(f);
        return;
    }
    if (!f->started) {
        f->started = curl_multi_add_handle(f->lane->multi, f->easy) == CURLM_OK;
        if (!f->started) {
            sp_fetch_settle(f, CURLE_OUT_OF_MEMORY);
        }
    }
}

/* ---- the end ------------------------------------------------------------- */

/* libcurl's results in our words; what is not here is SP_E_PROTOCOL. */
static const struct outcome {
    CURLcode code;
    enum sp_err e;
    const char *text;
} outcomes[] = {
    {CURLE_COULDNT_RESOLVE_HOST, SP_E_UNAVAILABLE, "its name is not known; check DNS"},
    {CURLE_COULDNT_RESOLVE_PROXY, SP_E_UNAVAILABLE, "the proxy's name is not known"},
    {CURLE_COULDNT_CONNECT, SP_E_UNAVAILABLE,
     "no connection; is the service running and the way open?"},
    {CURLE_OPERATION_TIMEDOUT, SP_E_TIMEOUT, "no connection in time"},
    {CURLE_PARTIAL_FILE, SP_E_CLOSED,
     "the connection was closed before the reply was whole"},
    {CURLE_GOT_NOTHING, SP_E_CLOSED, "the connection was closed without a reply"},
    {CURLE_SEND_ERROR, SP_E_CLOSED, "the connection broke while the request was sent"},
    {CURLE_RECV_ERROR, SP_E_CLOSED, "the connection broke before the reply was whole"},
    {CURLE_OUT_OF_MEMORY, SP_E_NOMEM, "memory ran out"},
    {CURLE_SSL_CONNECT_ERROR, SP_E_TLS, "the TLS handshake failed"},
    {CURLE_SSL_CIPHER, SP_E_TLS, "the TLS handshake failed"},
    {CURLE_PEER_FAILED_VERIFICATION, SP_E_UNPROVEN, "the certificate is not accepted"},
};

static struct outcome outcome_of(CURLcode code)
{
    for (size_t i = 0; i < sizeof outcomes / sizeof outcomes[0]; i++) {
        if (outcomes[i].code == code) {
            return outcomes[i];
        }
    }
    return (struct outcome){code, SP_E_PROTOCOL, "the reply breaks HTTP/1.1"};
}

/* An alert instead of a reply: with TLS 1.3 a server refuses our certificate that late.
 */
static bool is_late_refusal(const struct sp_fetch *f)
{
    return !f->has_head && f->proof && f->proof->alert > 0;
}

static enum sp_err explain(struct sp_fetch *f, CURLcode code)
{
    struct outcome o = outcome_of(code);
    if (f->proof && f->proof->decided && !f->proof->link.proven) {
        return SP_E_UNPROVEN;
    }
    if (!f->proof && o.e == SP_E_CLOSED && *f->upstream->proxy) {
        o = (struct outcome){code, SP_E_UNAVAILABLE,
                             "the proxy does not let us through"};
    }
    if (f->proof && (o.e == SP_E_TLS || (o.e == SP_E_CLOSED && is_late_refusal(f)))) {
        sp_why_handshake(f->proof, f->detail);
        return SP_E_TLS;
    }
    const char *detail = *f->detail ? f->detail : curl_easy_strerror(code);
    return sp_why_set(&f->why, o.e, "%s: %s (%s)", f->upstream->origin.authority,
                      o.text, detail);
}

static enum sp_err verdict(struct sp_fetch *f, CURLcode code)
{
    if (f->cancelled) {
        return SP_E_CANCELLED;
    }
    if (f->error != SP_OK) {
        return f->error;
    }
    if (code != CURLE_OK) {
        return explain(f, code);
    }
    if (!f->has_head) {
        return refuse_head(f, "it has no head");
    }
    return !f->has_expected || f->received == f->expected
               ? SP_OK
               : explain(f, CURLE_PARTIAL_FILE);
}

void sp_fetch_settle(struct sp_fetch *f, CURLcode result)
{
    enum sp_err e = verdict(f, result);
    struct sp_link_report link = {.plain = f->over_http};
    if (f->proof) {
        link = f->proof->link;
    }
    if (e != SP_OK) {
        e = sp_why_set(&link.why, e, "%s", sp_why_text(&f->why, e));
    }
    detach(f);
    f->handler.done(f->handler.ctx, e, &link);
    release(f);
}
