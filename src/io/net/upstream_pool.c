#include "io/net/upstream_parts.h"

/* One socket that libcurl wants to be watched. */
struct watch {
    uv_poll_t poll;
    struct sp_lane *lane; /* borrowed */
    curl_socket_t socket;
};

static void lane_handle_closed(struct sp_lane *l)
{
    if (--l->handles == 0) {
        sp_upstream_unref(&l->upstream);
        free(l);
    }
}

/* ---- libcurl asks, the loop answers -------------------------------------- */

static void act(struct sp_lane *l, curl_socket_t s, int what)
{
    int running = 0;
    sp_pool_enter(l->pool);
    l->broken |= curl_multi_socket_action(l->multi, s, what, &running) != CURLM_OK;
    sp_pool_leave(l->pool);
}

static void on_readiness(uv_poll_t *h, int status, int events)
{
    struct watch *w = h->data;
    int what = (events & UV_READABLE ? CURL_CSELECT_IN : 0) |
               (events & UV_WRITABLE ? CURL_CSELECT_OUT : 0) |
               (status < 0 ? CURL_CSELECT_ERR : 0);
    act(w->lane, w->socket, what);
}

static void on_lane_timer(uv_timer_t *h)
{
    act(h->data, CURL_SOCKET_TIMEOUT, 0);
}

static void on_watch_closed(uv_handle_t *h)
{
    struct watch *w = h->data;
    lane_handle_closed(w->lane);
    free(w);
}

static struct watch *watch_new(struct sp_lane *l, curl_socket_t s)
{
    struct watch *w = calloc(1, sizeof *w);
    if (!w || uv_poll_init_socket(sp_loop_uv(l->pool->loop), &w->poll, s) != 0) {
        free(w);
        return NULL;
    }
    w->poll.data = w;
    w->lane = l;
    w->socket = s;
    l->handles++;
    curl_multi_assign(l->multi, s, w);
    return w;
}

static int want_socket(CURL *easy, curl_socket_t s, int what, void *lane, void *watch)
{
    struct sp_lane *l = lane;
    struct watch *w = watch;
    struct sp_fetch *f = NULL;
    if (curl_easy_getinfo(easy, CURLINFO_PRIVATE, &f) == CURLE_OK && f) {
        sp_ahead_watch(f, s, what != CURL_POLL_REMOVE);
    }
    if (what == CURL_POLL_REMOVE) {
        if (w) {
            /* libcurl closes the descriptor after this call: uv_close forgets it at
             * once */
            curl_multi_assign(l->multi, s, NULL);
            uv_close((uv_handle_t *)&w->poll, on_watch_closed);
        }
        return 0;
    }
    w = w ? w : watch_new(l, s);
    int events = (what & CURL_POLL_IN ? UV_READABLE : 0) |
                 (what & CURL_POLL_OUT ? UV_WRITABLE : 0);
    return w && uv_poll_start(&w->poll, events, on_readiness) == 0 ? 0 : -1;
}

static int want_timer(CURLM *multi, long timeout_ms, void *lane)
{
    (void)multi;
    struct sp_lane *l = lane;
    if (timeout_ms < 0) {
        return uv_timer_stop(&l->timer) == 0 ? 0 : -1;
    }
    return uv_timer_start(&l->timer, on_lane_timer, (uint64_t)timeout_ms, 0) == 0 ? 0
                                                                                  : -1;
}

/* ---- lanes --------------------------------------------------------------- */

static bool set_multi(struct sp_lane *l)
{
    CURLM *m = l->multi;
    return curl_multi_setopt(m, CURLMOPT_SOCKETFUNCTION, want_socket) == CURLM_OK &&
           curl_multi_setopt(m, CURLMOPT_SOCKETDATA, l) == CURLM_OK &&
           curl_multi_setopt(m, CURLMOPT_TIMERFUNCTION, want_timer) == CURLM_OK &&
           curl_multi_setopt(m, CURLMOPT_TIMERDATA, l) == CURLM_OK &&
           curl_multi_setopt(m, CURLMOPT_PIPELINING, CURLPIPE_NOTHING) == CURLM_OK &&
           curl_multi_setopt(m, CURLMOPT_MAXCONNECTS,
                             (long)SP_LIMIT_UPSTREAM_CONNECTIONS) == CURLM_OK &&
           curl_multi_setopt(m, CURLMOPT_MAX_TOTAL_CONNECTIONS,
                             (long)SP_LIMIT_UPSTREAM_CONNECTIONS) == CURLM_OK;
}

static enum sp_err lane_new(struct sp_upstream_pool *p, struct sp_upstream *u,
                            struct sp_lane **out)
{
    struct sp_lane *l = calloc(1, sizeof *l);
    if (!l) {
        return SP_E_NOMEM;
    }
    l->multi = curl_multi_init();
    if (!l->multi || !set_multi(l) ||
        uv_timer_init(sp_loop_uv(p->loop), &l->timer) != 0) {
        curl_multi_cleanup(l->multi);
        free(l);
        return SP_E_NOMEM;
    }
    l->timer.data = l;
    l->handles = 1;
    l->pool = p;
    l->upstream = sp_upstream_ref(u);
    atomic_fetch_add(&u->lanes, 1);
    *out = l;
    return SP_OK;
}

static void on_lane_timer_closed(uv_handle_t *h)
{
    lane_handle_closed(h->data);
}

/* Without fetches. Closes its connections; memory follows when the loop has let go. */
static void lane_close(struct sp_lane *l)
{
    SP_ASSERT(l->fetches == 0);
    curl_multi_cleanup(l->multi);
    atomic_fetch_sub(&l->upstream->lanes, 1);
    uv_close((uv_handle_t *)&l->timer, on_lane_timer_closed);
}

enum sp_err sp_lane_of(struct sp_upstream_pool *p, struct sp_upstream *u,
                       struct sp_lane **out)
{
    for (struct sp_lane *l = p->lanes; l; l = l->next) {
        if (l->upstream == u && !l->broken) {
            *out = l;
            return SP_OK;
        }
    }
    struct sp_lane *l = NULL;
    SP_TRY(lane_new(p, u, &l));
    l->next = p->lanes;
    p->lanes = l;
    *out = l;
    return SP_OK;
}

/* Closes the idle lanes nobody will ask for again, or all of them. */
static void sweep(struct sp_upstream_pool *p, bool all)
{
    struct sp_lane **at = &p->lanes;
    while (*at) {
        struct sp_lane *l = *at;
        if (l->fetches > 0 ||
            !(all || l->broken || sp_upstream_is_retired(l->upstream))) {
            at = &l->next;
            continue;
        }
        *at = l->next;
        lane_close(l);
    }
}

/* ---- the pool ------------------------------------------------------------ */

static void settle_finished(struct sp_lane *l)
{
    int left = 0;
    for (CURLMsg *m = curl_multi_info_read(l->multi, &left); m;
         m = curl_multi_info_read(l->multi, &left)) {
        struct sp_fetch *f = NULL;
        CURLcode result = m->data.result;
        curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &f);
        sp_fetch_settle(f, result);
    }
}

static void settle_stranded(struct sp_upstream_pool *p)
{
    for (struct sp_fetch *f = p->fetches, *next = NULL; f; f = next) {
        next = f->next;
        if (f->lane->broken) {
            sp_fetch_settle(f, CURLE_OUT_OF_MEMORY);
        }
    }
}

static void on_pool_closed(uv_handle_t *h)
{
    free(h->data);
}

static void shut(struct sp_upstream_pool *p)
{
    while (p->fetches) {
        p->fetches->cancelled = true;
        sp_fetch_settle(p->fetches, CURLE_OK);
    }
    sweep(p, true);
    uv_close((uv_handle_t *)&p->kick, on_pool_closed);
}

void sp_pool_enter(struct sp_upstream_pool *p)
{
    p->turn = p->depth++ > 0 ? p->turn : 0;
}

void sp_pool_leave(struct sp_upstream_pool *p)
{
    if (p->depth > 1) {
        p->depth--;
        return;
    }
    bool stranded = false;
    sp_ahead_read(p);
    for (struct sp_lane *l = p->lanes; l; l = l->next) {
        settle_finished(l);
        stranded |= l->broken;
    }
    if (stranded) {
        settle_stranded(p);
    }
    if (p->closing) {
        shut(p);
        return;
    }
    sweep(p, false);
    p->depth--;
}

static void on_kick(uv_idle_t *h)
{
    struct sp_upstream_pool *p = h->data;
    uv_idle_stop(h);
    sp_pool_enter(p);
    for (struct sp_fetch *f = p->fetches, *next = NULL; f; f = next) {
        next = f->next;
        sp_fetch_advance(f);
    }
    sp_pool_leave(p);
}

void sp_pool_kick(struct sp_upstream_pool *p)
{
    uv_idle_start(&p->kick, on_kick);
}

enum sp_err sp_upstream_pool_new(struct sp_loop *l, struct sp_upstream_pool **out)
{
    struct sp_upstream_pool *p = calloc(1, sizeof *p);
    if (!p || uv_idle_init(sp_loop_uv(l), &p->kick) != 0) {
        free(p);
        return SP_E_NOMEM;
    }
    p->kick.data = p;
    p->loop = l;
    *out = p;
    return SP_OK;
}

void sp_upstream_pool_close(struct sp_upstream_pool **p)
{
    struct sp_upstream_pool *pool = *p;
    *p = NULL;
    if (pool) {
        sp_pool_enter(pool);
        pool->closing = true;
        sp_pool_leave(pool);
    }
}
