#include "app/cmd.h"
#include "app/config.h"
#include "core/base/text.h"
#include "io/net/upstream.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "host:port", "[2001:db8::1]:8531", "https://host:port/"; 8531 where no port is named.
 */
static bool split(const char *text, char *host, size_t size, unsigned *port)
{
    if (strncmp(text, "https://", 8) == 0) {
        text += 8;
    }
    size_t n = strcspn(text, "/");
    const char *end = text + n, *colon = NULL;
    for (const char *p = text; p < end; p++) {
        colon = *p == ':' ? p : *p == ']' ? NULL : colon;
    }
    uint64_t number = 8531;
    if (colon && sp_u64_parse(sp_view(colon + 1, (size_t)(end - colon - 1)), 65535,
                              &number) != SP_OK) {
        return false;
    }
    n = (size_t)((colon ? colon : end) - text);
    if (n >= 2 && text[0] == '[' && text[n - 1] == ']') {
        text++;
        n -= 2;
    }
    if (n == 0 || n >= size || number == 0) {
        return false;
    }
    memcpy(host, text, n);
    host[n] = 0;
    *port = (unsigned)number;
    return true;
}

static void print_cert(size_t i, const struct sp_cert_facts *c)
{
    char pin[SP_PIN_TEXT], from[SP_TIME_TEXT], to[SP_TIME_TEXT];
    sp_pin_format(&c->spki, pin);
    sp_time_format(c->not_before, from);
    sp_time_format(c->not_after, to);
    printf("%zu  %s\n   issued by  %s\n", i, c->subject, c->issuer);
    if (c->names[0]) {
        printf("   names      %s\n", c->names);
    }
    printf(
        "   key        %s, signed with %s\n   valid      %s to %s\n   pin        %s\n",
        c->key, c->signature, from, to, pin);
}

static void print_paste(const struct sp_shown_chain *chain, const char *host,
                        unsigned port)
{
    printf("\nTo paste into the configuration, after you have compared a pin with the "
           "server's "
           "own console:\n\n    url  = \"https://%s:%u\"\n    pins = {",
           host, port);
    for (size_t i = 0; i < chain->count; i++) {
        struct sp_cert_facts c;
        char pin[SP_PIN_TEXT];
        if (sp_cert_read(chain->der[i], &c) == SP_OK) {
            sp_pin_format(&c.spki, pin);
            printf("%s\"%s\"", i ? ", " : " ", pin);
        }
    }
    printf(" }\n");
    if (chain->count < 2) {
        printf("\nAt least two pins are needed. The server shows one certificate only: "
               "add the "
               "pin of its CA\nor of a spare key that is kept for the day this one has "
               "to go.\n");
    }
}

static int show(const char *host, unsigned port, struct sp_view ca)
{
    struct sp_shown_chain chain = {0};
    struct sp_why why = {0};
    SP_AUTO(sp_arena_free) struct sp_arena *arena = NULL;
    enum sp_err e = sp_arena_new(SP_MIB(1), &arena);
    if (e == SP_OK) {
        e = sp_upstream_show_chain(host, port, ca, arena, &chain, &why);
    }
    if (e != SP_OK) {
        return sp_cmd_failed(e, &why);
    }
    printf("%s:%u speaks %s and shows %zu certificate%s:\n\n", host, port, chain.tls,
           chain.count, chain.count == 1 ? "" : "s");
    for (size_t i = 0; i < chain.count; i++) {
        struct sp_cert_facts c;
        if (sp_cert_read(chain.der[i], &c) == SP_OK) {
            print_cert(i, &c);
        }
    }
    if (ca.len == 0) {
        printf("\nNot checked against any authority: name one with --ca FILE.\n");
    } else {
        printf("\n%s%s\n",
               chain.verified ? "The chain and the name are good." : "NOT VERIFIED: ",
               chain.verified ? "" : chain.why.text);
    }
    print_paste(&chain, host, port);
    return ca.len && !chain.verified ? SP_EXIT_REFUSED : 0;
}

int sp_cmd_pin(int argc, char **argv)
{
    const char *ca_file = NULL;
    const struct sp_option options[] = {{"--ca", &ca_file, NULL}};
    char **words = NULL, host[256];
    unsigned port = 0;
    int left = sp_options(argc, argv, options, 1, &words);
    if (left != 1 || !split(words[0], host, sizeof host, &port)) {
        if (left >= 0) {
            fprintf(stderr, "usage: sallyport pin HOST:PORT [--ca FILE]\n");
        }
        return SP_EXIT_USAGE;
    }
    struct sp_why why = {0};
    SP_AUTO(sp_buf_fini) struct sp_buf ca;
    sp_buf_init(&ca, SP_MIB(1));
    enum sp_err e = sp_upstream_global_init(&why);
    if (e == SP_OK && ca_file) {
        e = sp_file_read(ca_file, &ca, &why);
    }
    if (e != SP_OK) {
        return sp_cmd_failed(e, &why);
    }
    return show(host, port, sp_buf_view(&ca));
}
