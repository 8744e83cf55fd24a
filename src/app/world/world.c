#include "app/world/world.h"

#include "app/config/trust_files.h"
#include "app/world/witness_books.h"
#include "io/loop/loop.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum sp_err read_optional(const char *path, struct sp_buf *out,
                                 struct sp_why *why)
{
    sp_buf_init(out, SP_MIB(1));
    return path && path[0] ? sp_file_read(path, out, why) : SP_OK;
}

/* What may hold a key. */
static enum sp_err read_secret(const char *path, struct sp_secret *out,
                               struct sp_why *why)
{
    return path && path[0] ? sp_file_read_secret(path, out, why) : SP_OK;
}

static enum sp_err make_upstream(const struct sp_config *c, const char *section,
                                 const struct sp_config_upstream *u,
                                 struct sp_upstream **out, struct sp_why *why)
{
    SP_AUTO(sp_buf_fini) struct sp_buf ca;
    SP_AUTO(sp_secret_fini) struct sp_secret cert = {0}, key = {0};
    struct sp_why inner = {0};
    enum sp_err e = read_optional(u->ca_file, &ca, &inner);
    if (e == SP_OK) {
        e = read_secret(u->client_certificate, &cert, &inner);
    }
    if (e == SP_OK) {
        e = read_secret(u->client_key, &key, &inner);
    }
    if (e == SP_OK) {
        struct sp_upstream_conf conf = {
            .name = u->name,
            .url = u->url,
            .ca_pem = sp_buf_view(&ca),
            .pins = u->pins,
            .pin_count = u->pin_count,
            .proxy = u->proxy,
            .client_pem = sp_secret_view(&cert),
            .client_key_pem = sp_secret_view(&key),
            .content_over_http = u->content_over_http,
        };
        e = sp_upstream_new(&conf, out, &inner);
    }
    return e == SP_OK ? SP_OK
                      : sp_why_set(why, SP_E_CONFIG, "%s:%d: %s \"%s\": %s", c->file,
                                   u->line, section, u->name, sp_why_text(&inner, e));
}

struct first_cert {
    const struct sp_config_listener *listener;
    bool seen;
    int64_t not_after;
    struct sp_why *why;
};

static enum sp_err check_leaf(void *ctx, struct sp_view der)
{
    struct first_cert *f = ctx;
    if (f->seen) {
        return SP_OK;
    }
    struct sp_cert_facts facts;
    SP_TRY(sp_cert_read(der, &facts));
    f->seen = true;
    f->not_after = facts.not_after;
    for (size_t i = 0; i < f->listener->name_count; i++) {
        bool covers = false;
        SP_TRY(sp_cert_covers(der, f->listener->names[i], &covers));
        if (!covers) {
            return sp_why_set(
                f->why, SP_E_CONFIG,
                "%s does not cover the name \"%s\"; it covers: %s. Downstream "
                "servers that use this name would refuse the connection",
                f->listener->certificate, f->listener->names[i],
                facts.names[0] ? facts.names : "no name");
        }
    }
    return SP_OK;
}

static enum sp_err make_tls(const struct sp_config *c,
                            const struct sp_config_listener *l, struct sp_world_door *d,
                            struct sp_why *why)
{
    SP_AUTO(sp_secret_fini) struct sp_secret cert = {0}, key = {0};
    SP_AUTO(sp_buf_fini) struct sp_buf ca;
    struct sp_why inner = {0};
    sp_buf_init(&ca, 1);
    enum sp_err e = read_secret(l->certificate, &cert, &inner);
    if (e == SP_OK) {
        e = read_secret(l->key, &key, &inner);
    }
    if (e == SP_OK) {
        e = read_optional(l->client_ca, &ca, &inner);
    }
    if (e == SP_OK) {
        struct first_cert first = {.listener = l, .why = &inner};
        size_t count = 0;
        e = sp_pem_certs(sp_secret_view(&cert), check_leaf, &first, &count);
        d->not_after = first.not_after;
    }
    if (e == SP_OK) {
        struct sp_tls_server_conf conf = {.certificate_pem = sp_secret_view(&cert),
                                          .key_pem = sp_secret_view(&key),
                                          .client_ca_pem = sp_buf_view(&ca),
                                          .kernel =
                                              c->kernel_tls && sp_tls_kernel_can(),
                                          .own = c->own_records};
        e = sp_tls_server_new(&conf, &d->tls, &inner);
    }
    return e == SP_OK ? SP_OK
                      : sp_why_set(why, SP_E_CONFIG, "%s:%d: listener \"%s\": %s",
                                   c->file, l->line, l->name, sp_why_text(&inner, e));
}

/* The token is what stands in the file but for the end of the line. */
static enum sp_err read_token(const struct sp_config *c, uint8_t out[32],
                              struct sp_why *why)
{
    enum { SHORTEST = 20, LONGEST = 512 };
    SP_AUTO(sp_secret_fini) struct sp_secret text = {0};
    SP_TRY(sp_file_read_secret(c->admin.token_file, &text, why));
    struct sp_view token = sp_view_trim(sp_secret_view(&text), " \t\r\n");
    bool good = token.len >= SHORTEST && token.len <= LONGEST;
    for (size_t i = 0; good && i < token.len; i++) {
        good = token.data[i] > ' ' && token.data[i] < 0x7f;
    }
    if (good) {
        sp_sha256(token, out);
    }
    return good ? SP_OK
                : sp_why_set(
                      why, SP_E_CONFIG,
                      "%s:%d: admin: %s is to hold one word of %d to %d printable "
                      "characters: openssl rand -hex 32",
                      c->file, c->admin.remote.line, c->admin.token_file, SHORTEST,
                      LONGEST);
}

static enum sp_err make_admin(struct sp_world *w, struct sp_why *why)
{
    const struct sp_config *c = w->config;
    if (!c->admin.remote.bind[0]) {
        return SP_OK;
    }
    SP_TRY(make_tls(c, &c->admin.remote, &w->admin, why));
    w->has_admin_token = c->admin.token_file[0] != 0;
    return w->has_admin_token ? read_token(c, w->admin_token, why) : SP_OK;
}

static size_t upstream_index(const struct sp_config *c, const char *name)
{
    for (size_t i = 0; i < c->upstream_count; i++) {
        if (strcmp(c->upstreams[i].name, name) == 0) {
            return i;
        }
    }
    SP_ASSERT(false);
    return 0;
}

/* A plain listener's refusals name the TLS listener of the same upstream. */
static void name_tls_door(struct sp_world *w, size_t plain)
{
    const struct sp_config *c = w->config;
    for (size_t i = 0; i < c->listener_count; i++) {
        const struct sp_config_listener *l = &c->listeners[i];
        if (!l->certificate[0] ||
            strcmp(l->upstream, c->listeners[plain].upstream) != 0) {
            continue;
        }
        const char *colon = strrchr(l->bind, ':');
        const char *host = l->name_count ? l->names[0] : "this server";
        snprintf(w->doors[plain].tls_address, sizeof w->doors[plain].tls_address,
                 "https://%.250s%.10s", host, colon ? colon : "");
        return;
    }
}

/* As the gate takes it (request.c), for those who show it. */
static enum sp_err find_plain_mode(const struct sp_world *w,
                                   const struct sp_config_listener *l,
                                   enum sp_mode *out)
{
    static const enum sp_mode said[] = {[SP_PLAIN_POLICY] = SP_MODE_OFF,
                                        [SP_PLAIN_ENFORCE] = SP_MODE_ENFORCE,
                                        [SP_PLAIN_AUDIT] = SP_MODE_AUDIT,
                                        [SP_PLAIN_OBSERVE] = SP_MODE_OBSERVE};
    SP_AUTO(sp_facts_free) struct sp_facts *f = NULL;
    *out = said[l->plain_http];
    if (*out != SP_MODE_OFF) {
        return SP_OK;
    }
    SP_TRY(sp_facts_new(SP_KIB(1), &f));
    SP_TRY(sp_facts_text(f, SP_FACT_PEER_LISTENER, sp_view_str(l->name)));
    enum sp_mode mode = sp_policy_mode_for(w->policy, SP_RULE_TRANSPORT_TLS, f);
    *out = mode == SP_MODE_OFF ? SP_MODE_ENFORCE : mode;
    return SP_OK;
}

static enum sp_err make_doors(struct sp_world *w, struct sp_why *why)
{
    const struct sp_config *c = w->config;
    for (size_t i = 0; i < c->listener_count; i++) {
        const struct sp_config_listener *l = &c->listeners[i];
        struct sp_world_door *d = &w->doors[i];
        d->upstream = upstream_index(c, l->upstream);
        if (l->certificate[0]) {
            SP_TRY(make_tls(c, l, d, why));
        } else {
            name_tls_door(w, i);
            SP_TRY(find_plain_mode(w, l, &d->plain_http));
        }
        d->door = (struct sp_door){
            .name = l->name,
            .names = l->names,
            .name_count = l->name_count,
            .tls = d->tls != NULL,
            .plain_http = l->plain_http,
            .content_http = l->content_http,
            .tls_address = d->tls_address,
            .catalog_path = c->catalog ? c->catalog->path : "",
            .upstream_name = c->upstreams[d->upstream].name,
            .upstream_host = sp_upstream_host(w->upstreams[d->upstream]),
            .seals_cookies = c->upstreams[d->upstream].seals_cookies,
            .file_locations = l->file_locations,
            .content_address = l->content_address,
            .freshness_days = c->freshness_days,
            .cookie_age = c->upstreams[d->upstream].cookie_age,
        };
    }
    return SP_OK;
}

static enum sp_err make_sources(struct sp_world *w, size_t i, struct sp_why *why)
{
    const struct sp_config_upstream *u = &w->config->upstreams[i];
    struct sp_why inner = {0};
    if (!u->sources.in_use) {
        return SP_OK;
    }
    enum sp_err e = sp_content_sources_new(u, &w->sources[i], &inner);
    if (e != SP_OK) {
        return sp_why_set(why, SP_E_CONFIG, "%s:%d: upstream \"%s\": %s",
                          w->config->file, u->line, u->name, sp_why_text(&inner, e));
    }
    w->fills[i].sources =
        (struct sp_source_hosts){u->sources.hosts, u->sources.host_count};
    return SP_OK;
}

static enum sp_err make_upstreams(struct sp_world *w, struct sp_why *why)
{
    const struct sp_config *c = w->config;
    for (size_t i = 0; i < c->upstream_count; i++) {
        SP_TRY(make_upstream(c, "upstream", &c->upstreams[i], &w->upstreams[i], why));
        w->fills[i] = (struct sp_fill_conf){
            .upstream_name = c->upstreams[i].name,
            .upstream_host = sp_upstream_host(w->upstreams[i]),
            .may_use_http = c->upstreams[i].content_over_http,
            .release = c->release,
        };
        SP_TRY(make_sources(w, i, why));
    }
    for (size_t i = 0; i < c->cosigner_count; i++) {
        SP_TRY(make_upstream(c, "cosigner", &c->cosigners[i].source, &w->cosigners[i],
                             why));
    }
    return c->catalog
               ? make_upstream(c, "catalog", &c->catalog->source, &w->catalog, why)
               : SP_OK;
}

static enum sp_err make_policy(struct sp_world *w, struct sp_why *why)
{
    struct sp_buf text;
    struct sp_why inner = {0};
    sp_buf_init(&text, SP_MIB(1));
    enum sp_err e = sp_file_read(w->config->policy, &text, &inner);
    bool is_read = e == SP_OK; /* else its name is in what is said of it */
    if (is_read) {
        e = sp_policy_parse(sp_buf_view(&text), &w->policy, &inner);
    }
    sp_buf_fini(&text);
    return e == SP_OK ? SP_OK
                      : sp_why_set(why, SP_E_CONFIG, "%s%s: %s",
                                   is_read ? "policy " : w->config->file,
                                   is_read ? w->config->policy : ": policy",
                                   sp_why_text(&inner, e));
}

static void world_free(struct sp_world **pw)
{
    struct sp_world *w = *pw;
    if (!w) {
        return;
    }
    for (size_t i = 0; w->upstreams && i < w->config->upstream_count; i++) {
        sp_upstream_unref(&w->upstreams[i]);
    }
    for (size_t i = 0; w->cosigners && i < w->config->cosigner_count; i++) {
        sp_upstream_unref(&w->cosigners[i]);
    }
    for (size_t i = 0; w->sources && i < w->config->upstream_count; i++) {
        sp_content_sources_free(&w->sources[i]);
    }
    for (size_t i = 0; w->doors && i < w->config->listener_count; i++) {
        sp_tls_server_unref(&w->doors[i].tls);
    }
    sp_tls_server_unref(&w->admin.tls);
    sp_upstream_unref(&w->catalog);
    sp_witness_books_free(&w->books, w->config->witness_count);
    sp_policy_free(&w->policy);
    sp_trust_free(&w->trust);
    sp_config_free(&w->config);
    free(w->upstreams);
    free(w->cosigners);
    free(w->fills);
    free(w->sources);
    free(w->doors);
    free(w);
    *pw = NULL;
}

enum sp_err sp_world_new(struct sp_config **config_take, struct sp_world **out,
                         struct sp_why *why)
{
    SP_AUTO(world_free) struct sp_world *w = calloc(1, sizeof *w);
    if (!w) {
        return SP_E_NOMEM;
    }
    w->config = *config_take;
    *config_take = NULL;
    atomic_init(&w->refs, 1);
    w->loaded = sp_clock_wall_s();
    w->upstreams = calloc(w->config->upstream_count, sizeof(struct sp_upstream *));
    w->cosigners = calloc(w->config->cosigner_count + 1, sizeof(struct sp_upstream *));
    w->fills = calloc(w->config->upstream_count, sizeof *w->fills);
    w->sources = calloc(w->config->upstream_count, sizeof(struct sp_content_sources *));
    w->doors = calloc(w->config->listener_count, sizeof *w->doors);
    if (!w->upstreams || !w->cosigners || !w->fills || !w->sources || !w->doors) {
        return SP_E_NOMEM;
    }
    SP_TRY(make_policy(w, why));
    SP_TRY(sp_trust_load_config(w->config, &w->trust, why));
    SP_TRY(make_upstreams(w, why));
    SP_TRY(make_doors(w, why));
    SP_TRY(make_admin(w, why));
    SP_TRY(sp_witness_books_load(w->config, &w->books, why));
    *out = w;
    w = NULL;
    return SP_OK;
}

void sp_world_count_on(struct sp_world *w, const struct sp_world *old)
{
    for (size_t i = 0; i < w->config->upstream_count; i++) {
        for (size_t n = 0; n < old->config->upstream_count; n++) {
            if (strcmp(w->config->upstreams[i].name, old->config->upstreams[n].name) ==
                0) {
                sp_upstream_count_on(w->upstreams[i], old->upstreams[n]);
            }
        }
    }
}

struct sp_world *sp_world_ref(struct sp_world *w)
{
    atomic_fetch_add(&w->refs, 1);
    return w;
}

void sp_world_unref(struct sp_world **w)
{
    if (*w && atomic_fetch_sub(&(*w)->refs, 1) == 1) {
        world_free(w);
    }
    *w = NULL;
}

struct sp_link sp_link_of(const struct sp_link_report *r)
{
    return (struct sp_link){.proven = r->proven,
                            .plain = r->plain,
                            .tls = r->tls,
                            .chain = &r->chain[0].sha256,
                            .chain_count = r->chain_count,
                            .matched = r->matched.sha256};
}
