/* Texts of a configuration, taken or refused. */
#ifndef TESTS_UNIT_CONFIG_RIG_H
#define TESTS_UNIT_CONFIG_RIG_H

#include "unit.h"

#include "app/config/config.h"

#define PIN(c) "sha256//" c "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

#define LEDGER_KEY                                                                     \
    "\"PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW\""

/* Line 1 takes top-level keys, line 2 those of the upstream, line 3 of the listener,
 * line 4, where there is one, of the catalogue. */
#define TEXT_OF(top, upstream, listener)                                               \
    top "\n"                                                                           \
        "upstream \"u\" { url = \"https://u\" ca_file = \"/ca\" pins = { \"" PIN(      \
            "A") "\", \"" PIN("B") "\" } " upstream " }\n"                             \
                                   "listener \"l\" { bind = \"127.0.0.1:8530\" "       \
                                   "upstream = \"u\" " listener " }\n"
#define TEXT_WITH(top, upstream, listener, catalog)                                    \
    TEXT_OF(top, upstream, listener)                                                   \
    "catalog \"k\" { url = \"https://k/w.cab\" ca_file = \"/ca\" pins = { \"" PIN(     \
        "A") "\", \"" PIN("B") "\" } " catalog " }\n"
#define LEAST TEXT_OF("", "", "")

static struct sp_why why;

static enum sp_err parse_bytes(struct sp_view text, struct sp_config **out)
{
    why = (struct sp_why){0};
    return sp_config_parse("x.conf", text, out, &why);
}

static struct sp_config *parse(const char *text)
{
    struct sp_config *c = NULL;
    if (parse_bytes(sp_view_str(text), &c) != SP_OK) {
        fail_msg("%s", why.text);
    }
    return c;
}

static void refused(const char *text, const char *start, const char *part)
{
    struct sp_config *c = NULL;
    assert_err(parse_bytes(sp_view_str(text), &c), SP_E_CONFIG);
    assert_null(c);
    if (strncmp(why.text, start, strlen(start)) != 0 || !strstr(why.text, part)) {
        fail_msg("\"%s\" is not \"%s...%s\"", why.text, start, part);
    }
}

#endif
