#include "app/base/say.h"
#include "app/cmd/cmd.h"
#include "app/config/config.h"
#include "app/config/shown_chain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void print_paste(const struct sp_shown_chain *chain, const struct sp_address *at)
{
    char url[300];
    sp_address_url(at, url);
    printf(
        _("\nTo paste into the configuration, after you have compared a pin with the "
          "server's "
          "own console:\n\n    url  = \"%s\"\n    pins = {"),
        url);
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
        printf(
            _("\nAt least two pins are needed. The server shows one certificate only: "
              "add the "
              "pin of its CA\nor of a spare key that is kept for the day this one has "
              "to go.\n"));
    }
}

static int show(const struct sp_address *at, struct sp_view ca)
{
    struct sp_shown_chain chain = {0};
    struct sp_why why = {0};
    SP_AUTO(sp_arena_free) struct sp_arena *arena = NULL;
    enum sp_err e = sp_arena_new(SP_MIB(1), &arena);
    if (e == SP_OK) {
        e = sp_upstream_show_chain(at->host, at->port, ca, arena, &chain, &why);
    }
    if (e != SP_OK) {
        return sp_cmd_failed(e, &why);
    }
    printf(_("%s:%u speaks %s and shows %zu certificate%s:\n\n"), at->host, at->port,
           chain.tls, chain.count, chain.count == 1 ? "" : "s");
    sp_shown_chain_print(&chain);
    if (ca.len == 0) {
        printf(_("\nNot checked against any authority: name one with --ca FILE.\n"));
    } else {
        printf("\n%s%s\n",
               chain.verified ? _("The chain and the name are good.")
                              : _("NOT VERIFIED: "),
               chain.verified ? "" : chain.why.text);
    }
    print_paste(&chain, at);
    return ca.len && !chain.verified ? SP_EXIT_REFUSED : 0;
}

int sp_cmd_pin(int argc, char **argv)
{
    const char *ca_file = NULL;
    const struct sp_option options[] = {{"--ca", &ca_file, NULL}};
    char **words = NULL;
    struct sp_address at;
    int left = sp_options(argc, argv, options, 1, &words);
    if (left != 1 || !sp_address_read(words[0], &at)) {
        return sp_cmd_usage("pin", left);
    }
    struct sp_why why = {0};
    SP_AUTO(sp_buf_fini) struct sp_buf ca;
    sp_buf_init(&ca, SP_MIB(1));
    enum sp_err e = sp_upstream_global_init(&why);
    if (e == SP_OK && ca_file) {
        e = sp_authorities_load(ca_file, &ca, &why);
    }
    if (e != SP_OK) {
        return sp_cmd_failed(e, &why);
    }
    return show(&at, sp_buf_view(&ca));
}
