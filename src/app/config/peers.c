#include "app/config/peers.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RETRY_MOST_S = 3600, RETRY_BUSY_S = 5, UNIT = 1000 };

/* What was spent, in thousandths: a rate a second is then one a millisecond. */
struct bucket {
    uint64_t spent;
};
struct sp_peer_row {
    struct sp_peer_name name;
    bool used, told;
    unsigned at_once[SP_PEER_KINDS];
    struct bucket requests, bytes[SP_PEER_KINDS];
    uint64_t seen_ms; /* the buckets are as of then */
    uint64_t told_ms, refused_ms;
    uint64_t refused[SP_PEER_LIMITS];
    bool is_server;
    uint32_t asked, plain;
    uint8_t address[16];
    char tls[SP_PEER_TLS];
};
struct sp_peer_set {
    pthread_mutex_t lock;
    struct sp_peer_row *rows; /* SP_PEER_WAYS and one that is shared; borrowed */
};
struct sp_peers {
    size_t sets;
    uint64_t seed;
    struct sp_peer_row *rows; /* owned: of all sets; takes memory where somebody came */
    struct sp_peer_set at[];
};

/* ---- names ----------------------------------------------------------------------- */

/* Whole, or its /64. */
static void take_address(const uint8_t *address, uint8_t out[32])
{
    struct in6_addr v6;
    memcpy(&v6, address, sizeof v6);
    memcpy(out, &v6, IN6_IS_ADDR_V4MAPPED(&v6) ? 16 : 8);
}

struct sp_peer_name sp_peer_name_of(const uint8_t *address, const struct sp_pin *pin)
{
    struct sp_peer_name n = {.is_pin = pin != NULL};
    if (pin) {
        memcpy(n.bytes, pin->sha256, 32);
    } else {
        take_address(address, n.bytes);
    }
    return n;
}

void sp_peer_name_format(const struct sp_peer_name *n, char out[SP_PEER_TEXT])
{
    struct sp_pin pin;
    struct in6_addr v6;
    memcpy(pin.sha256, n->bytes, 32);
    memcpy(&v6, n->bytes, 16);
    if (n->is_pin) {
        sp_pin_format(&pin, out);
    } else if (IN6_IS_ADDR_V4MAPPED(&v6)) {
        inet_ntop(AF_INET, n->bytes + 12, out, SP_PEER_TEXT);
    } else {
        inet_ntop(AF_INET6, &v6, out, SP_PEER_TEXT);
        memcpy(out + strlen(out), "/64", sizeof "/64");
    }
}

static bool is_same(const struct sp_peer_name *a, const struct sp_peer_name *b)
{
    return a->is_pin == b->is_pin && memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

/* ---- the table ------------------------------------------------------------------- */

enum sp_err sp_peers_new(size_t sets, uint64_t seed, struct sp_peers **out)
{
    SP_ASSERT(sets > 0 && (sets & (sets - 1)) == 0);
    struct sp_peers *p = calloc(1, sizeof *p + sets * sizeof p->at[0]);
    struct sp_peer_row *rows = calloc(sets, (SP_PEER_WAYS + 1) * sizeof *rows);
    if (!p || !rows) {
        free(p);
        free(rows);
        return SP_E_NOMEM;
    }
    p->sets = sets;
    p->seed = seed;
    p->rows = rows;
    for (size_t i = 0; i < sets; i++) {
        pthread_mutex_init(&p->at[i].lock, NULL);
        p->at[i].rows = rows + i * (SP_PEER_WAYS + 1);
    }
    *out = p;
    return SP_OK;
}

void sp_peers_free(struct sp_peers **pp)
{
    struct sp_peers *p = *pp;
    *pp = NULL;
    for (size_t i = 0; p && i < p->sets; i++) {
        pthread_mutex_destroy(&p->at[i].lock);
    }
    if (p) {
        free(p->rows);
    }
    free(p);
}

static struct sp_peer_set *set_of(struct sp_peers *p, const struct sp_peer_name *n)
{
    uint64_t h = p->seed;
    for (size_t i = 0; i < sizeof n->bytes; i += sizeof(uint64_t)) {
        uint64_t word;
        memcpy(&word, n->bytes + i, sizeof word);
        h = (h ^ word) * 0x9e3779b97f4a7c15u;
        h = (h ^ h >> 32) * 0xd6e8feb86659fd93u;
        h ^= h >> 32;
    }
    return &p->at[h & (p->sets - 1)];
}

static bool is_idle(const struct sp_peer_row *r)
{
    return r->at_once[SP_PEER_METADATA] == 0 && r->at_once[SP_PEER_CONTENT] == 0;
}

/* Its own row; else one that can be had; else the one that all others share. */
static struct sp_peer_row *row_of(struct sp_peer_set *s, const struct sp_peer_name *n)
{
    struct sp_peer_row *best = NULL;
    for (size_t i = 0; i < SP_PEER_WAYS; i++) {
        struct sp_peer_row *r = &s->rows[i];
        if (r->used && is_same(&r->name, n)) {
            return r;
        }
        bool is_older =
            !best || (best->used && (!r->used || r->seen_ms < best->seen_ms));
        if (is_idle(r) && is_older) {
            best = r;
        }
    }
    if (!best) {
        return &s->rows[SP_PEER_WAYS];
    }
    *best = (struct sp_peer_row){.name = *n, .used = true};
    return best;
}

/* ---- buckets --------------------------------------------------------------------- */

static void drain(struct bucket *b, uint64_t rate, uint64_t elapsed_ms)
{
    uint64_t gone = 0;
    bool all = rate == 0 || __builtin_mul_overflow(rate, elapsed_ms, &gone);
    b->spent = all || gone >= b->spent ? 0 : b->spent - gone;
}

/* The lanes' clocks are read once an iteration: one may be a little behind another. */
static void pass_time(struct sp_peer_row *r, const struct sp_peer_limits *l,
                      uint64_t now)
{
    uint64_t elapsed = now > r->seen_ms ? now - r->seen_ms : 0;
    drain(&r->requests, l->rate, elapsed);
    drain(&r->bytes[SP_PEER_METADATA], l->bytes[SP_PEER_METADATA], elapsed);
    drain(&r->bytes[SP_PEER_CONTENT], l->bytes[SP_PEER_CONTENT], elapsed);
    r->seen_ms += elapsed;
}

/* Whole seconds until want more fit into the bucket; 0: now. */
static unsigned wait_s(const struct bucket *b, uint64_t rate, uint64_t burst_s,
                       uint64_t want)
{
    uint64_t room = rate * burst_s * UNIT;
    if (rate == 0 || b->spent + want <= room) {
        return 0;
    }
    uint64_t wait = (b->spent + want - room + rate * UNIT - 1) / (rate * UNIT);
    return wait < RETRY_MOST_S ? (unsigned)wait : RETRY_MOST_S;
}

static void spend(struct bucket *b, uint64_t rate, uint64_t amount)
{
    uint64_t more;
    if (rate && (__builtin_mul_overflow(amount, (uint64_t)UNIT, &more) ||
                 __builtin_add_overflow(b->spent, more, &b->spent))) {
        b->spent = UINT64_MAX / 2;
    }
}

/* ---- coming and going ------------------------------------------------------------ */

static bool may_enter(const struct sp_peer_row *r, const struct sp_peer_limits *l,
                      enum sp_peer_kind kind, struct sp_peer_refusal *out)
{
    if (l->at_once[kind] && r->at_once[kind] >= l->at_once[kind]) {
        *out = (struct sp_peer_refusal){.limit = SP_PEER_CONCURRENCY,
                                        .retry_s = RETRY_BUSY_S};
        return false;
    }
    unsigned wait = kind == SP_PEER_METADATA
                        ? wait_s(&r->requests, l->rate, SP_PEER_BURST_S, UNIT)
                        : 0;
    if (wait) {
        *out = (struct sp_peer_refusal){.limit = SP_PEER_RATE, .retry_s = wait};
        return false;
    }
    wait = wait_s(&r->bytes[kind], l->bytes[kind], SP_PEER_BYTES_BURST_S, UNIT);
    *out = (struct sp_peer_refusal){.limit = SP_PEER_BYTES, .retry_s = wait};
    return wait == 0;
}

static void note_refusal(struct sp_peer_row *r, uint64_t now,
                         struct sp_peer_refusal *out)
{
    r->refused[out->limit]++;
    r->refused_ms = now;
    out->tell = !r->told || now >= r->told_ms + SP_PEER_TELL_MS;
    if (out->tell) {
        r->told = true;
        r->told_ms = now;
    }
    for (size_t i = 0; i < SP_PEER_LIMITS; i++) {
        out->refused += r->refused[i];
    }
}

bool sp_peers_enter(struct sp_peers *p, const struct sp_peer_limits *limits,
                    const struct sp_peer_name *name, enum sp_peer_kind kind,
                    uint64_t now_ms, struct sp_peer_lease *lease,
                    struct sp_peer_refusal *refusal)
{
    struct sp_peer_set *s = set_of(p, name);
    pthread_mutex_lock(&s->lock);
    struct sp_peer_row *r = row_of(s, name);
    pass_time(r, limits, now_ms);
    bool may = may_enter(r, limits, kind, refusal);
    if (may) {
        r->at_once[kind]++;
        spend(&r->requests, kind == SP_PEER_METADATA ? limits->rate : 0, 1);
        *lease = (struct sp_peer_lease){.set = s, .row = r, .kind = kind};
    } else {
        note_refusal(r, now_ms, refusal);
    }
    pthread_mutex_unlock(&s->lock);
    return may;
}

void sp_peers_leave(const struct sp_peer_limits *limits, uint64_t bytes,
                    uint64_t now_ms, struct sp_peer_lease *lease)
{
    struct sp_peer_row *r = lease->row;
    if (!r) {
        return;
    }
    pthread_mutex_lock(&lease->set->lock);
    pass_time(r, limits, now_ms);
    r->at_once[lease->kind]--;
    spend(&r->bytes[lease->kind], limits->bytes[lease->kind], bytes);
    pthread_mutex_unlock(&lease->set->lock);
    *lease = (struct sp_peer_lease){0};
}

/* ---- how it came ----------------------------------------------------------------- */

static void count_up(uint32_t *n, bool by)
{
    *n += by && *n < UINT32_MAX;
}

void sp_peers_note(const struct sp_peer_lease *lease, const struct sp_peer_way *way)
{
    struct sp_peer_row *r = lease->row;
    if (!r || r == &lease->set->rows[SP_PEER_WAYS]) {
        return;
    }
    pthread_mutex_lock(&lease->set->lock);
    r->is_server = r->is_server || way->is_server;
    count_up(&r->asked, true);
    count_up(&r->plain, way->tls[0] == 0);
    memcpy(r->address, way->address, sizeof r->address);
    snprintf(r->tls, sizeof r->tls, "%s", way->tls);
    pthread_mutex_unlock(&lease->set->lock);
}

/* ---- what is shown --------------------------------------------------------------- */

static void put_in(struct sp_peer_report *out, size_t room, size_t *count,
                   const struct sp_peer_report *r)
{
    size_t at = *count;
    while (at > 0 && out[at - 1].last_ms < r->last_ms) {
        at--;
    }
    if (at == room) {
        return;
    }
    size_t kept = *count < room ? *count : room - 1;
    memmove(&out[at + 1], &out[at], (kept - at) * sizeof *out);
    out[at] = *r;
    *count = kept + 1;
}

static struct sp_peer_report report_of(const struct sp_peer_row *r, uint64_t last_ms)
{
    struct sp_peer_report shown = {
        .name = r->name, .last_ms = last_ms, .asked = r->asked, .plain = r->plain};
    memcpy(shown.at_once, r->at_once, sizeof shown.at_once);
    memcpy(shown.refused, r->refused, sizeof shown.refused);
    memcpy(shown.address, r->address, sizeof shown.address);
    memcpy(shown.tls, r->tls, sizeof shown.tls);
    return shown;
}

static void report_row(const struct sp_peer_row *r, bool shared,
                       struct sp_peer_report *out, size_t room, size_t *count)
{
    struct sp_peer_report shown = report_of(r, r->refused_ms);
    shown.shared = shared;
    if (r->told) {
        put_in(out, room, count, &shown);
    }
}

size_t sp_peers_report(struct sp_peers *p, struct sp_peer_report *out, size_t room)
{
    size_t count = 0;
    for (size_t i = 0; i < p->sets; i++) {
        pthread_mutex_lock(&p->at[i].lock);
        for (size_t k = 0; k <= SP_PEER_WAYS; k++) {
            report_row(&p->at[i].rows[k], k == SP_PEER_WAYS, out, room, &count);
        }
        pthread_mutex_unlock(&p->at[i].lock);
    }
    return count;
}

static void count_client(const struct sp_peer_row *r, struct sp_peer_downstreams *all)
{
    all->clients += r->asked != 0;
    all->client_asked += r->asked;
    all->client_plain += r->plain;
}

size_t sp_peers_servers(struct sp_peers *p, struct sp_peer_report *out, size_t room,
                        struct sp_peer_downstreams *all)
{
    size_t count = 0;
    *all = (struct sp_peer_downstreams){0};
    for (size_t i = 0; i < p->sets; i++) {
        pthread_mutex_lock(&p->at[i].lock);
        for (size_t k = 0; k < SP_PEER_WAYS; k++) {
            const struct sp_peer_row *r = &p->at[i].rows[k];
            if (r->is_server) {
                struct sp_peer_report shown = report_of(r, r->seen_ms);
                put_in(out, room, &count, &shown);
                all->servers++;
            } else {
                count_client(r, all);
            }
        }
        pthread_mutex_unlock(&p->at[i].lock);
    }
    return count;
}
