/* What status.json shows of the recent past: small tables on the main loop, fed by
 * messages. Old rows make room for new ones. */
#include "app/shared/desk_json.h"

#include "app/shared/observed.h"
#include "core/base/text.h"
#include "core/crypto/crypto.h"
#include "io/net/upstream.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PLAIN_PEERS = 256, REFUSALS = 50, UPSTREAMS = 64 };

struct plain_peer {
    char peer[64], operation[40];
    uint64_t passed, refused;
    int64_t last;
};
struct link {
    char tls[16], pin[SP_PIN_TEXT];
    int64_t ends; /* unix seconds; 0: it was not proven yet */
};
struct upstream_state {
    char name[64], result[32], why[SP_WHY_MAX];
    bool good;
    int64_t last_good, last_bad;
    struct link link; /* as it was proven last */
};
struct refusal {
    struct sp_desk_refusal what;
    int64_t at;
};

struct sp_desk {
    struct sp_loop *loop; /* borrowed: the main loop */
    struct plain_peer plain[PLAIN_PEERS];
    size_t plain_count;
    struct sp_observed observed;
    struct refusal refusals[REFUSALS]; /* a ring */
    uint64_t refusal_count;
    struct upstream_state upstreams[UPSTREAMS];
    size_t upstream_count;
};

struct note { /* a message to the desk */
    struct sp_msg msg;
    struct sp_desk *desk; /* borrowed */
    bool refused;
    enum sp_err err;
    struct link link;
    struct sp_observation observation;
    struct sp_desk_refusal
        refusal; /* peer, operation and why serve the other kinds too */
};

enum sp_err sp_desk_new(struct sp_loop *main_loop, struct sp_desk **out)
{
    struct sp_desk *d = calloc(1, sizeof *d);
    if (!d) {
        return SP_E_NOMEM;
    }
    d->loop = main_loop;
    *out = d;
    return SP_OK;
}

void sp_desk_free(struct sp_desk **d)
{
    free(*d);
    *d = NULL;
}

static void post(struct sp_desk *d, void (*run)(struct sp_msg *),
                 const struct note *from)
{
    struct note *n = malloc(sizeof *n);
    if (!n) {
        return; /* status misses a row; nothing depends on it */
    }
    *n = *from;
    n->desk = d;
    n->msg.run = run;
    sp_loop_post(d->loop, &n->msg);
}

/* ---- plain HTTP ------------------------------------------------------------------ */

static struct plain_peer *plain_row(struct sp_desk *d, const char *peer)
{
    struct plain_peer *oldest = d->plain;
    for (size_t i = 0; i < d->plain_count; i++) {
        if (strcmp(d->plain[i].peer, peer) == 0) {
            return &d->plain[i];
        }
        oldest = d->plain[i].last < oldest->last ? &d->plain[i] : oldest;
    }
    struct plain_peer *row =
        d->plain_count < PLAIN_PEERS ? &d->plain[d->plain_count++] : oldest;
    *row = (struct plain_peer){0};
    snprintf(row->peer, sizeof row->peer, "%s", peer);
    return row;
}

static void on_plain(struct sp_msg *msg)
{
    struct note *n = SP_HOLDER(msg, struct note, msg);
    struct plain_peer *row = plain_row(n->desk, n->refusal.peer);
    snprintf(row->operation, sizeof row->operation, "%s", n->refusal.operation);
    row->passed += !n->refused;
    row->refused += n->refused;
    row->last = sp_clock_wall_s();
    free(n);
}

void sp_desk_plain_http(struct sp_desk *d, const char *peer, const char *operation,
                        bool refused)
{
    struct note n = {.refused = refused};
    snprintf(n.refusal.peer, sizeof n.refusal.peer, "%s", peer);
    snprintf(n.refusal.operation, sizeof n.refusal.operation, "%s", operation);
    post(d, on_plain, &n);
}

/* ---- what would have been refused ---------------------------------------------- */

static void on_observed(struct sp_msg *msg)
{
    struct note *n = SP_HOLDER(msg, struct note, msg);
    sp_observed_add(&n->desk->observed, &n->observation, sp_clock_wall_s());
    free(n);
}

void sp_desk_observed(struct sp_desk *d, const struct sp_observation *o)
{
    post(d, on_observed, &(struct note){.observation = *o});
}

json_t *sp_desk_observed_json(const struct sp_desk *d)
{
    return sp_observed_json(&d->observed);
}

/* ---- refusals -------------------------------------------------------------------- */

static void on_refused(struct sp_msg *msg)
{
    struct note *n = SP_HOLDER(msg, struct note, msg);
    struct sp_desk *d = n->desk;
    d->refusals[d->refusal_count++ % REFUSALS] =
        (struct refusal){.what = n->refusal, .at = sp_clock_wall_s()};
    free(n);
}

void sp_desk_refused(struct sp_desk *d, const struct sp_desk_refusal *r)
{
    post(d, on_refused, &(struct note){.refusal = *r});
}

/* ---- upstreams ------------------------------------------------------------------- */

static struct upstream_state *upstream_row(struct sp_desk *d, const char *name)
{
    for (size_t i = 0; i < d->upstream_count; i++) {
        if (strcmp(d->upstreams[i].name, name) == 0) {
            return &d->upstreams[i];
        }
    }
    if (d->upstream_count == UPSTREAMS) {
        return NULL;
    }
    struct upstream_state *u = &d->upstreams[d->upstream_count++];
    snprintf(u->name, sizeof u->name, "%s", name);
    return u;
}

static void on_upstream(struct sp_msg *msg)
{
    struct note *n = SP_HOLDER(msg, struct note, msg);
    struct upstream_state *u = upstream_row(n->desk, n->refusal.peer);
    if (u) {
        u->good = n->err == SP_OK;
        *(u->good ? &u->last_good : &u->last_bad) = sp_clock_wall_s();
        snprintf(u->result, sizeof u->result, "%s", sp_err_name(n->err));
        snprintf(u->why, sizeof u->why, "%s", u->good ? "" : n->refusal.why);
        u->link = n->link.ends ? n->link : u->link;
    }
    free(n);
}

void sp_desk_upstream(struct sp_desk *d, const char *name, enum sp_err e,
                      const char *why, const struct sp_link_report *link)
{
    struct note n = {.err = e};
    if (link->proven) {
        n.link.ends = link->ends;
        memcpy(n.link.tls, link->tls, sizeof n.link.tls);
        sp_pin_format(&link->matched, n.link.pin);
    }
    snprintf(n.refusal.peer, sizeof n.refusal.peer, "%s", name);
    snprintf(n.refusal.why, sizeof n.refusal.why, "%s", why ? why : "");
    post(d, on_upstream, &n);
}

/* ---- JSON ------------------------------------------------------------------------ */

static void set_time(json_t *row, const char *key, int64_t at)
{
    char text[SP_TIME_TEXT];
    if (at) {
        sp_time_format(at, text);
        json_object_set_new(row, key, json_string(text));
    }
}

json_t *sp_desk_plain_json(const struct sp_desk *d)
{
    json_t *rows = json_array();
    for (size_t i = 0; i < d->plain_count; i++) {
        const struct plain_peer *p = &d->plain[i];
        json_t *row = json_pack("{s:s, s:s, s:I, s:I}", "peer", p->peer, "operation",
                                p->operation, "passed", (json_int_t)p->passed,
                                "refused", (json_int_t)p->refused);
        set_time(row, "last", p->last);
        json_array_append_new(rows, row);
    }
    return rows;
}

json_t *sp_desk_refusals_json(const struct sp_desk *d)
{
    json_t *rows = json_array();
    uint64_t shown = d->refusal_count < REFUSALS ? d->refusal_count : REFUSALS;
    for (uint64_t i = 0; i < shown; i++) {
        const struct refusal *r = &d->refusals[(d->refusal_count - 1 - i) % REFUSALS];
        json_t *row = json_pack("{s:s, s:s, s:s, s:s, s:s}", "what", r->what.what,
                                "peer", r->what.peer, "operation", r->what.operation,
                                "rule", r->what.rule, "why", r->what.why);
        if (r->what.has_entry) {
            json_object_set_new(row, "entry", json_integer((json_int_t)r->what.entry));
        }
        set_time(row, "at", r->at);
        json_array_append_new(rows, row);
    }
    return rows;
}

json_t *sp_desk_upstream_json(const struct sp_desk *d, const char *name)
{
    json_t *row = json_pack("{s:s}", "name", name);
    for (size_t i = 0; i < d->upstream_count; i++) {
        const struct upstream_state *u = &d->upstreams[i];
        if (strcmp(u->name, name) == 0) {
            json_object_set_new(row, "state",
                                json_string(u->good ? "good" : "failing"));
            json_object_set_new(row, "result", json_string(u->result));
            json_object_set_new(row, "why", json_string(u->why));
            set_time(row, "last_good", u->last_good);
            set_time(row, "last_bad", u->last_bad);
            set_time(row, "chain_until", u->link.ends);
            json_object_set_new(row, "tls", json_string(u->link.tls));
            json_object_set_new(row, "pin", json_string(u->link.pin));
            return row;
        }
    }
    json_object_set_new(row, "state", json_string("not asked yet"));
    return row;
}

int64_t sp_desk_ends(const struct sp_desk *d, const char *name)
{
    for (size_t i = 0; i < d->upstream_count; i++) {
        if (strcmp(d->upstreams[i].name, name) == 0) {
            return d->upstreams[i].link.ends;
        }
    }
    return 0;
}

int64_t sp_desk_last_good(const struct sp_desk *d, const char *name)
{
    for (size_t i = 0; i < d->upstream_count; i++) {
        if (strcmp(d->upstreams[i].name, name) == 0) {
            return d->upstreams[i].last_good;
        }
    }
    return 0;
}
