#include "app/world/content_source.h"

#include <stdio.h>
#include <stdlib.h>

struct sp_content_sources {
    const struct sp_config_upstream *conf; /* borrowed from the world's configuration */
    struct sp_buf ca;                      /* owned: PEM */
    struct sp_pin pins[SP_LIMIT_PINS];
    size_t pin_count;
};

struct taking {
    struct sp_content_sources *into;
    struct sp_why *why;
};

static enum sp_err take_key(void *ctx, struct sp_view der)
{
    struct taking *t = ctx;
    struct sp_content_sources *s = t->into;
    struct sp_cert_facts facts;
    if (s->pin_count == SP_LIMIT_PINS) {
        return sp_why_set(t->why, SP_E_CONFIG,
                          "content_ca_file has more than %d certificates",
                          SP_LIMIT_PINS);
    }
    SP_TRY(sp_cert_read(der, &facts));
    s->pins[s->pin_count++] = facts.spki;
    return SP_OK;
}

/* What is configured makes a peer: tried with a name that nobody asks. */
static enum sp_err load(struct sp_content_sources *s, struct sp_why *why)
{
    struct taking t = {s, why};
    struct sp_upstream *probe = NULL;
    size_t count = 0;
    SP_TRY(sp_file_read(s->conf->sources.ca_file, &s->ca, why));
    enum sp_err e = sp_pem_certs(sp_buf_view(&s->ca), take_key, &t, &count);
    if (e != SP_OK || count == 0) {
        return sp_why_set(why, SP_E_CONFIG,
                          "content_ca_file has no certificate, or a broken one");
    }
    SP_TRY(sp_content_source_open(s, "content.invalid", &probe, why));
    sp_upstream_unref(&probe);
    return SP_OK;
}

enum sp_err sp_content_sources_new(const struct sp_config_upstream *u,
                                   struct sp_content_sources **out, struct sp_why *why)
{
    SP_AUTO(sp_content_sources_free)
    struct sp_content_sources *s = calloc(1, sizeof *s);
    if (!s) {
        return SP_E_NOMEM;
    }
    s->conf = u;
    sp_buf_init(&s->ca, SP_MIB(1));
    SP_TRY(load(s, why));
    *out = s;
    s = NULL;
    return SP_OK;
}

void sp_content_sources_free(struct sp_content_sources **s)
{
    if (*s) {
        sp_buf_fini(&(*s)->ca);
        free(*s);
    }
    *s = NULL;
}

enum sp_err sp_content_source_open(const struct sp_content_sources *s, const char *host,
                                   struct sp_upstream **out, struct sp_why *why)
{
    char url[SP_SOURCE_HOST + 8];
    snprintf(url, sizeof url, "https://%s", host);
    struct sp_upstream_conf conf = {.name = s->conf->name,
                                    .url = url,
                                    .ca_pem = sp_buf_view(&s->ca),
                                    .pins = s->pins,
                                    .pin_count = s->pin_count,
                                    .proxy = s->conf->sources.proxy,
                                    .content_over_http = s->conf->content_over_http};
    return sp_upstream_new(&conf, out, why);
}
