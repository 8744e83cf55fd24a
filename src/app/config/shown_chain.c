#include "app/config/shown_chain.h"

#include "app/base/say.h"
#include "app/config/config.h"

#include "core/base/text.h"

#include <stdio.h>
#include <string.h>

bool sp_address_read(const char *text, struct sp_address *out)
{
    if (strncmp(text, "https://", 8) == 0) {
        text += 8;
    }
    size_t n = strcspn(text, "/");
    const char *end = text + n, *colon = NULL;
    for (const char *p = text; p < end; p++) {
        colon = *p == ':' ? p : *p == ']' ? NULL : colon;
    }
    uint64_t port = SP_WSUS_TLS_PORT;
    if (colon && sp_u64_parse(sp_view(colon + 1, (size_t)(end - colon - 1)), 65535,
                              &port) != SP_OK) {
        return false;
    }
    n = (size_t)((colon ? colon : end) - text);
    if (n >= 2 && text[0] == '[' && text[n - 1] == ']') {
        text++;
        n -= 2;
    }
    if (n == 0 || n >= sizeof out->host || port == 0) {
        return false;
    }
    memcpy(out->host, text, n);
    out->host[n] = 0;
    out->port = (unsigned)port;
    return true;
}

void sp_address_url(const struct sp_address *a, char text[300])
{
    bool bare = strchr(a->host, ':') != NULL;
    snprintf(text, 300, "https://%s%s%s:%u", bare ? "[" : "", a->host, bare ? "]" : "",
             a->port);
}

static enum sp_err pass_over(void *ctx, struct sp_view der)
{
    (void)ctx;
    (void)der;
    return SP_OK;
}

enum sp_err sp_authorities_load(const char *file, struct sp_buf *out,
                                struct sp_why *why)
{
    size_t count = 0;
    SP_TRY(sp_file_read(file, out, why));
    if (sp_pem_certs(sp_buf_view(out), pass_over, NULL, &count) != SP_OK ||
        count == 0) {
        return sp_why_set(why, SP_E_CONFIG,
                          _("%s has no certificate as PEM, or a broken one"), file);
    }
    return SP_OK;
}

static void print_cert(size_t i, const struct sp_cert_facts *c)
{
    char pin[SP_PIN_TEXT], from[SP_TIME_TEXT], to[SP_TIME_TEXT];
    sp_pin_format(&c->spki, pin);
    sp_time_format(c->not_before, from);
    sp_time_format(c->not_after, to);
    printf(_("%zu  %s\n   issued by  %s\n"), i, c->subject, c->issuer);
    if (c->names[0]) {
        printf(_("   names      %s\n"), c->names);
    }
    printf(_("   key        %s, signed with %s\n   valid      %s to %s\n   pin        "
             "%s\n"),
           c->key, c->signature, from, to, pin);
}

void sp_shown_chain_print(const struct sp_shown_chain *chain)
{
    for (size_t i = 0; i < chain->count; i++) {
        struct sp_cert_facts c;
        if (sp_cert_read(chain->der[i], &c) == SP_OK) {
            print_cert(i, &c);
        }
    }
}
