#include "app/cmd/doctor.h"

#include "app/base/call.h"
#include "app/base/say.h"
#include "core/base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SOON_S = 30 * 86400, CLOCK_S = 300 };

void sp_doctor_dates(struct sp_doctor *d, const char *whose,
                     const struct sp_cert_facts *cert)
{
    char until[SP_TIME_TEXT];
    sp_time_format(cert->not_after, until);
    d->looked_at++;
    if (cert->not_after < d->now) {
        sp_doctor_find(d, SP_DOCTOR_EXPIRED, _("%s: %s ended %s"), whose, cert->subject,
                       until);
    } else if (cert->not_after - d->now < SOON_S) {
        sp_doctor_find(d, SP_DOCTOR_EXPIRES, _("%s: %s ends %s"), whose, cert->subject,
                       until);
    }
}

/* ---- TLS ------------------------------------------------------------------------- */

static void look_at_chain(struct sp_doctor *d, const struct sp_address *at,
                          const struct sp_shown_chain *c, bool checked)
{
    bool covers = true;
    for (size_t i = 0; i < c->count; i++) {
        struct sp_cert_facts cert;
        if (sp_cert_read(c->der[i], &cert) == SP_OK) {
            sp_doctor_dates(d, at->host, &cert);
        }
    }
    if (c->count && sp_cert_covers(c->der[0], at->host, &covers) == SP_OK && !covers) {
        sp_doctor_find(d, SP_DOCTOR_NAME,
                       _("the certificate of %s:%u does not cover %s"), at->host,
                       at->port, at->host);
    }
    if (c->looks_intercepted) {
        sp_doctor_find(d, SP_DOCTOR_INTERCEPTED,
                       _("the chain of %s:%u is an inspector's"), at->host, at->port);
    }
    if (!checked) {
        sp_doctor_find(d, SP_DOCTOR_UNCHECKED,
                       _("the chain of %s:%u was not checked against any authority"),
                       at->host, at->port);
    } else if (!c->verified) {
        sp_doctor_find(d, SP_DOCTOR_CHAIN, "%s", c->why.text);
    }
}

static void look_at_tls(struct sp_doctor *d, const struct sp_address *at,
                        struct sp_view ca)
{
    struct sp_shown_chain chain = {0};
    struct sp_why why = {0};
    bool old = false;
    SP_AUTO(sp_arena_free) struct sp_arena *arena = NULL;
    enum sp_err e = sp_arena_new(SP_MIB(1), &arena);
    d->looked_at++;
    if (e == SP_OK) {
        e = sp_upstream_show_chain(at->host, at->port, ca, arena, &chain, &why);
    }
    if (e != SP_OK) {
        sp_doctor_find(d, SP_DOCTOR_UNREACHED, "%s", sp_why_text(&why, e));
        return;
    }
    look_at_chain(d, at, &chain, ca.len > 0);
    d->looked_at++;
    if (sp_upstream_speaks_old_tls(at->host, at->port, &old) == SP_OK && old) {
        sp_doctor_find(d, SP_DOCTOR_OLD_TLS, _("%s:%u accepts TLS 1.1 or older"),
                       at->host, at->port);
    }
}

/* ---- the port without TLS -------------------------------------------------------- */

static void look_at_date(struct sp_doctor *d, const struct sp_address *at,
                         const struct sp_http_response *head)
{
    struct sp_view date;
    int64_t theirs = 0;
    if (!sp_http_header(&head->headers, "Date", &date) ||
        sp_http_date_parse(date, &theirs) != SP_OK) {
        return;
    }
    d->looked_at++;
    int64_t apart = theirs > d->now ? theirs - d->now : d->now - theirs;
    if (apart > CLOCK_S) {
        sp_doctor_find(d, SP_DOCTOR_CLOCK,
                       theirs > d->now
                           ? _("the clock of %s is %lld seconds before ours")
                           : _("the clock of %s is %lld seconds behind ours"),
                       at->host, (long long)apart);
    }
}

static void look_at_traces(struct sp_doctor *d, const struct sp_address *at,
                           const struct sp_http_response *head)
{
    static const char *const traces[] = {"Via", "X-Cache", "X-Cache-Lookup",
                                         "X-Squid-Error", "Age"};
    struct sp_view value;
    for (size_t i = 0; i < sizeof traces / sizeof traces[0]; i++) {
        if (sp_http_header(&head->headers, traces[i], &value)) {
            sp_doctor_find(d, SP_DOCTOR_PROXY_SEEN, _("%s:%u answers with %s: %.*s"),
                           at->host, at->port - 1, traces[i],
                           (int)(value.len < 80 ? value.len : 80),
                           (const char *)value.data);
            return;
        }
    }
}

/* The status of a GET without TLS, 0 when nobody answers. */
static int ask(struct sp_doctor *d, const struct sp_address *at, const char *path,
               bool first)
{
    struct sp_http_response head;
    size_t used = 0;
    SP_AUTO(sp_buf_fini) struct sp_buf answer;
    struct sp_call call = {at->host, at->port - 1, "GET", path};
    sp_buf_init(&answer, SP_MIB(1));
    d->looked_at++;
    if (sp_call(&call, &answer, &head, &used) != SP_OK) {
        return 0;
    }
    if (first) {
        look_at_date(d, at, &head);
        look_at_traces(d, at, &head);
    }
    return head.status;
}

/* A service that is shut answers 403, 404 or sends elsewhere. Anything else, and be it
 * a question for a password or a fault, comes from the service. */
static bool is_open(int status)
{
    return status != 0 && status != 403 && status != 404 && status != 410 &&
           status / 100 != 3;
}

static void look_at_plain(struct sp_doctor *d, const struct sp_address *at)
{
    static const char *const roots[] = {
#define SERVICE(name, text, path, ns, limit) path,
#include "core/wsus/services.def"
#undef SERVICE
    };
    if (ask(d, at, "/Content/", true) == 0) {
        sp_doctor_find(d, SP_DOCTOR_NO_CONTENT, _("nothing answers at %s:%u"), at->host,
                       at->port - 1);
        return;
    }
    for (size_t i = 0; i < sizeof roots / sizeof roots[0]; i++) {
        int status = ask(d, at, roots[i], false);
        if (is_open(status)) {
            sp_doctor_find(d, SP_DOCTOR_PLAIN_METADATA,
                           _("http://%s:%u%s answers without TLS (status %d)"),
                           at->host, at->port - 1, roots[i], status);
        }
    }
    int status = ask(d, at, "/ApiRemoting30/WebService.asmx", false);
    if (is_open(status)) {
        sp_doctor_find(d, SP_DOCTOR_API_REMOTING,
                       _("http://%s:%u/ApiRemoting30 answers (status %d)"), at->host,
                       at->port - 1, status);
    }
}

void sp_doctor_outside(struct sp_doctor *d, const struct sp_address *at,
                       struct sp_view ca)
{
    look_at_tls(d, at, ca);
    if (at->port > 1) {
        look_at_plain(d, at);
    }
}
