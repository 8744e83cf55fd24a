/* Asks the running daemon's admin listener and shows the answer to a person. */
#include "app/base/say.h"
#include "app/base/terminal.h"
#include "app/cmd/admin_ask.h"
#include "app/cmd/cmd.h"
#include "core/report/width.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char *text(const json_t *o, const char *key)
{
    const char *s = json_string_value(json_object_get(o, key));
    return s ? s : "";
}

static long long count(const json_t *o, const char *key)
{
    return (long long)json_integer_value(json_object_get(o, key));
}

/* ---- rows ------------------------------------------------------------------------ */

static const char *const labels[] = {N_("LOCKDOWN"), "sallyport",      N_("upstream"),
                                     N_("listener"), N_("downstream"), N_("clients"),
                                     N_("ledger"),   N_("content"),    N_("plain HTTP"),
                                     N_("observed"), N_("refused"),    N_("refusals")};

enum { NARROW = 76, INDENT = 4 }; /* columns; a pin has 52 */

/* Columns that the widest label and a blank take, in the language that is spoken; of a
 * narrow terminal few. */
static size_t label_columns(void)
{
    size_t most = 0, width = sp_terminal_width(STDOUT_FILENO);
    if (width && width < NARROW) {
        return INDENT;
    }
    for (size_t i = 0; i < sizeof labels / sizeof *labels; i++) {
        size_t wide = sp_width(sp_view_str(_(labels[i])));
        most = wide > most ? wide : most;
    }
    return most + 1;
}

/* Label, or "" below the one before, and a text in lines as wide as the terminal. */
SP_PRINTF(2, 3) static void say(const char *label, const char *fmt, ...)
{
    char line[4096], head[64];
    size_t columns = label_columns();
    bool runs_on = columns == INDENT && label[0]; /* the text begins right behind it */
    snprintf(head, sizeof head, "%s%s", label, runs_on ? ": " : "");
    size_t wide = sp_width(sp_view_str(head));
    size_t first = wide < columns ? columns : wide;
    va_list args;
    va_start(args, fmt);
    vsnprintf(line, sizeof line, fmt, args);
    va_end(args);
    sp_terminal_pad(head, (int)first);
    sp_terminal_wrap(stdout, line, first, columns);
}

static const char *said(const char *state)
{
    return strcmp(state, "good") == 0            ? _("good")
           : strcmp(state, "failing") == 0       ? _("failing")
           : strcmp(state, "not asked yet") == 0 ? _("not asked yet")
                                                 : state;
}

static void print_upstreams(const json_t *root)
{
    size_t i;
    const json_t *row;
    json_array_foreach(json_object_get(root, "upstreams"), i, row)
    {
        say(_("upstream"), "%s (%s): %s", text(row, "name"), text(row, "host"),
            said(text(row, "state")));
        if (text(row, "last_good")[0]) {
            say("", _("last good answer %s"), text(row, "last_good"));
        }
        if (text(row, "why")[0]) {
            say("", "%s", text(row, "why"));
        }
    }
}

static void print_listeners(const json_t *root)
{
    size_t i;
    const json_t *row;
    json_array_foreach(json_object_get(root, "listeners"), i, row)
    {
        say(_("listener"), _("%s on %s (%s) for %s; connections: %lld"),
            text(row, "name"), text(row, "bind"), text(row, "transport"),
            text(row, "upstream"), count(row, "connections"));
    }
}

/* As the status page has them: how each of them came last, and who it says it is. */
static void print_downstreams(const json_t *root)
{
    size_t i;
    const json_t *row, *all = json_object_get(root, "downstreams");
    const json_t *servers = json_object_get(all, "servers");
    const json_t *clients = json_object_get(all, "clients");
    json_array_foreach(servers, i, row)
    {
        bool tls = strcmp(text(row, "transport"), "tls") == 0;
        say(_("downstream"), _("%s over %s, last seen %s; requests: %lld"),
            text(row, "address"), tls ? text(row, "tls") : _("plain HTTP"),
            text(row, "last"), count(row, "requests"));
        if (count(row, "plain_http")) {
            say("", _("over plain HTTP: %lld"), count(row, "plain_http"));
        }
        if (text(row, "pin")[0]) {
            say("", _("certificate %s"), text(row, "pin"));
        } else if (tls) {
            say("", _("no client certificate"));
        }
    }
    if (json_array_size(servers) == 0) {
        say(_("downstream"), _("no server has asked since the start"));
    }
    if (count(all, "more")) {
        say("", _("and %lld more servers"), count(all, "more"));
    }
    if (count(clients, "count")) {
        say(_("clients"), _("%lld; requests: %lld, over plain HTTP: %lld"),
            count(clients, "count"), count(clients, "requests"),
            count(clients, "plain_http"));
    }
}

static void print_plain(const json_t *root)
{
    size_t i;
    const json_t *row, *rows = json_object_get(root, "plain_http");
    if (json_array_size(rows) == 0) {
        say(_("plain HTTP"), _("nobody asked for update metadata without TLS"));
        return;
    }
    say(_("plain HTTP"), _("still used for update metadata by:"));
    json_array_foreach(rows, i, row)
    {
        say("", _("%s: %lld passed, %lld refused, last %s %s"), text(row, "peer"),
            count(row, "passed"), count(row, "refused"), text(row, "operation"),
            text(row, "last"));
    }
}

static void print_would_refuse(const json_t *root)
{
    size_t i;
    const json_t *row, *rows = json_object_get(root, "would_refuse");
    if (json_array_size(rows) == 0) {
        return;
    }
    say(_("observed"), _("what rules in observe or audit mode would have refused:"));
    json_array_foreach(rows, i, row)
    {
        say("", _("%s %s %s %lld times, last %s %s"), text(row, "rule"),
            text(row, "mode"), text(row, "peer"), count(row, "count"),
            text(row, "operation"), text(row, "last"));
    }
}

static void print_refusals(const json_t *root)
{
    enum { SHOWN = 5 };
    size_t i;
    const json_t *row, *rows = json_object_get(root, "refusals");
    if (json_array_size(rows) == 0) {
        say(_("refusals"), _("none since the start"));
        return;
    }
    json_array_foreach(rows, i, row)
    {
        if (i == SHOWN) {
            say("", _("... more in `sallyport ledger list`"));
            return;
        }
        say(_("refused"), _("%s %s %s by rule %s: %s"), text(row, "at"),
            text(row, "what"), text(row, "operation"), text(row, "rule"),
            text(row, "why"));
    }
}

static void print_ledger(const json_t *root)
{
    const json_t *ledger = json_object_get(root, "ledger");
    say(_("ledger"), _("%lld entries, %lld revisions, %lld files"),
        count(ledger, "entries"), count(ledger, "revisions"), count(ledger, "files"));
    if (json_is_false(json_object_get(ledger, "writable"))) {
        say("", _("CANNOT BE WRITTEN: %s"), text(ledger, "why"));
    }
}

static void print_status(const json_t *root)
{
    const json_t *counters = json_object_get(root, "counters");
    if (json_is_true(json_object_get(root, "lockdown"))) {
        say(_("LOCKDOWN"), _("all update metadata is stopped: sallyport lockdown off"));
    }
    say("sallyport", _("%s, up since %s, policy %s"), text(root, "version"),
        text(root, "started"), text(root, "policy"));
    print_upstreams(root);
    print_listeners(root);
    print_downstreams(root);
    print_ledger(root);
    say(_("content"),
        _("%lld from the cache, %lld fetched; %lld files verified, %lld refused"),
        count(counters, "content_hits"), count(counters, "content_fills"),
        count(counters, "files_verified"), count(counters, "refused_content"));
    print_plain(root);
    print_would_refuse(root);
    print_refusals(root);
}

static enum sp_err show(const char *file, bool json, struct sp_why *why)
{
    SP_AUTO(sp_buf_fini) struct sp_buf body;
    sp_buf_init(&body, SP_MIB(8));
    SP_TRY(sp_admin_expect(file, "GET", "/status.json", 200, &body, why));
    if (json) {
        fwrite(body.data, 1, body.len, stdout);
        return SP_OK;
    }
    json_t *root =
        json_loadb((const char *)body.data, body.len, JSON_REJECT_DUPLICATES, NULL);
    if (!root) {
        return sp_why_set(why, SP_E_PROTOCOL, _("the daemon's answer is not JSON"));
    }
    print_status(root);
    json_decref(root);
    return SP_OK;
}

int sp_cmd_status(int argc, char **argv)
{
    const char *file = SP_CONFIG_DEFAULT;
    bool json = false;
    const struct sp_option options[] = {{"-c", &file, NULL}, {"--json", NULL, &json}};
    char **words = NULL;
    struct sp_why why = {0};
    int left = sp_options(argc, argv, options, 2, &words);
    if (left != 0) {
        return sp_cmd_usage("status", left);
    }
    enum sp_err e = show(file, json, &why);
    return e == SP_OK ? 0 : sp_cmd_failed(e, &why);
}
