/* posture and recheck: what the running daemon's watch knows. */
#include "app/base/say.h"
#include "app/base/terminal.h"
#include "app/cmd/admin_ask.h"
#include "app/cmd/cmd.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

static const char *text(const json_t *o, const char *key)
{
    const char *s = json_string_value(json_object_get(o, key));
    return s ? s : "";
}

static const char *said(const char *posture)
{
    return strcmp(posture, "conforming") == 0       ? _("conforming")
           : strcmp(posture, "non-conforming") == 0 ? _("non-conforming")
           : strcmp(posture, "unknown") == 0        ? _("unknown")
                                                    : posture;
}

static void print_upstream(const json_t *row)
{
    size_t i;
    const json_t *reason;
    printf(_("%s (%s): %s since %s\n"), text(row, "name"), text(row, "host"),
           said(text(row, "posture")), text(row, "since"));
    json_array_foreach(json_object_get(row, "reasons"), i, reason)
    {
        size_t wide = strlen(text(reason, "reason")) + 6;
        printf("    %s: ", text(reason, "reason"));
        sp_terminal_wrap(stdout, sp_say(text(reason, "meaning")), wide, 4);
    }
    if (text(row, "why")[0]) {
        printf("    ");
        sp_terminal_wrap(stdout, text(row, "why"), 4, 4);
    }
    printf(_("    verified last %s%s\n"),
           text(row, "last_pass")[0] ? text(row, "last_pass") : _("never"),
           json_is_true(json_object_get(row, "passing")) ? _("; under way") : "");
}

static void print_witness(const json_t *row)
{
    static const struct {
        const char *key, *text;
    } counts[] = {{"agrees", N_("agrees to")},
                  {"contradicts", N_("contradicts")},
                  {"does_not_know", N_("does not know")},
                  {"has_not_said", N_("has not said about")}};
    printf(_("witness %s"), text(row, "name"));
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        printf("%s %s %" JSON_INTEGER_FORMAT, i ? "," : "", sp_say(counts[i].text),
               json_integer_value(json_object_get(row, counts[i].key)));
    }
    printf(_(" of what is recorded\n"));
}

static int status_of(const char *posture)
{
    if (strcmp(posture, "conforming") == 0) {
        return SP_EXIT_PASSED;
    }
    return strcmp(posture, "non-conforming") == 0 ? SP_EXIT_REFUSED : SP_EXIT_UNKNOWN;
}

static int show(const struct sp_buf *body, bool json)
{
    size_t i;
    const json_t *row;
    json_t *root =
        json_loadb((const char *)body->data, body->len, JSON_REJECT_DUPLICATES, NULL);
    int status = root ? status_of(text(root, "posture")) : SP_EXIT_UNKNOWN;
    if (json) {
        fwrite(body->data, 1, body->len, stdout);
    } else if (root) {
        printf("%s\n", said(text(root, "posture")));
        json_array_foreach(json_object_get(root, "upstreams"), i, row)
        {
            print_upstream(row);
        }
        json_array_foreach(json_object_get(root, "witnesses"), i, row)
        {
            print_witness(row);
        }
    }
    json_decref(root);
    return status;
}

int sp_cmd_posture(int argc, char **argv)
{
    const char *file = SP_CONFIG_DEFAULT;
    bool json = false;
    const struct sp_option options[] = {{"-c", &file, NULL}, {"--json", NULL, &json}};
    char **words = NULL;
    int http = 0;
    struct sp_why why = {0};
    SP_AUTO(sp_buf_fini) struct sp_buf body;
    sp_buf_init(&body, SP_MIB(8));
    int left = sp_options(argc, argv, options, 2, &words);
    if (left != 0) {
        return sp_cmd_usage("posture", left);
    }
    enum sp_err e = sp_admin_ask_of(file, "GET", "/posture", &body, &http, &why);
    if (e != SP_OK) {
        int status = sp_cmd_failed(e, &why);
        return e == SP_E_CONFIG ? status : SP_EXIT_UNKNOWN;
    }
    return show(&body, json);
}

int sp_cmd_recheck(int argc, char **argv)
{
    const char *file = SP_CONFIG_DEFAULT;
    const struct sp_option options[] = {{"-c", &file, NULL}};
    char **words = NULL;
    struct sp_why why = {0};
    SP_AUTO(sp_buf_fini) struct sp_buf body;
    sp_buf_init(&body, SP_MIB(1));
    int left = sp_options(argc, argv, options, 1, &words);
    if (left != 0) {
        return sp_cmd_usage("recheck", left);
    }
    enum sp_err e = sp_admin_expect(file, "POST", "/recheck", 202, &body, &why);
    if (e != SP_OK) {
        return sp_cmd_failed(e, &why);
    }
    printf(_(
        "every upstream is being verified: sallyport posture says what comes of it\n"));
    return 0;
}
