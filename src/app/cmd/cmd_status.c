/* Asks the running daemon's admin listener and shows the answer to a person. */
#include "app/base/say.h"
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

static long long count(const json_t *o, const char *key)
{
    return (long long)json_integer_value(json_object_get(o, key));
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
        printf(_("upstream   %s (%s): %s\n"), text(row, "name"), text(row, "host"),
               said(text(row, "state")));
        if (text(row, "last_good")[0]) {
            printf(_("           last good answer %s\n"), text(row, "last_good"));
        }
        if (text(row, "why")[0]) {
            printf("           %s\n", text(row, "why"));
        }
    }
    json_array_foreach(json_object_get(root, "listeners"), i, row)
    {
        printf(_("listener   %s on %s (%s) for %s\n"), text(row, "name"),
               text(row, "bind"), text(row, "transport"), text(row, "upstream"));
    }
}

static void print_plain(const json_t *root)
{
    size_t i;
    const json_t *row, *rows = json_object_get(root, "plain_http");
    if (json_array_size(rows) == 0) {
        printf(_("plain HTTP nobody asked for update metadata without TLS\n"));
        return;
    }
    printf(_("plain HTTP still used for update metadata by:\n"));
    json_array_foreach(rows, i, row)
    {
        printf(_("           %-24s %lld passed, %lld refused, last %s %s\n"),
               text(row, "peer"), count(row, "passed"), count(row, "refused"),
               text(row, "operation"), text(row, "last"));
    }
}

static void print_would_refuse(const json_t *root)
{
    size_t i;
    const json_t *row, *rows = json_object_get(root, "would_refuse");
    if (json_array_size(rows) == 0) {
        return;
    }
    printf(_("observed   what rules in observe or audit mode would have refused:\n"));
    json_array_foreach(rows, i, row)
    {
        printf(_("           %-24s %-7s %-24s %lld times, last %s %s\n"),
               text(row, "rule"), text(row, "mode"), text(row, "peer"),
               count(row, "count"), text(row, "operation"), text(row, "last"));
    }
}

static void print_refusals(const json_t *root)
{
    enum { SHOWN = 5 };
    size_t i;
    const json_t *row, *rows = json_object_get(root, "refusals");
    if (json_array_size(rows) == 0) {
        printf(_("refusals   none since the start\n"));
        return;
    }
    json_array_foreach(rows, i, row)
    {
        if (i == SHOWN) {
            printf(_("           ... more in `sallyport ledger list`\n"));
            return;
        }
        printf(_("refused    %s %s %s by rule %s: %s\n"), text(row, "at"),
               text(row, "what"), text(row, "operation"), text(row, "rule"),
               text(row, "why"));
    }
}

static void print_status(const json_t *root)
{
    const json_t *ledger = json_object_get(root, "ledger");
    const json_t *counters = json_object_get(root, "counters");
    if (json_is_true(json_object_get(root, "lockdown"))) {
        printf(
            _("LOCKDOWN   all update metadata is stopped: sallyport lockdown off\n"));
    }
    printf(_("sallyport  %s, up since %s, policy %s\n"), text(root, "version"),
           text(root, "started"), text(root, "policy"));
    print_upstreams(root);
    printf(_("ledger     %lld entries, %lld revisions, %lld files%s%s\n"),
           count(ledger, "entries"), count(ledger, "revisions"), count(ledger, "files"),
           json_is_false(json_object_get(ledger, "writable"))
               ? _("; CANNOT BE WRITTEN: ")
               : "",
           text(ledger, "why"));
    printf(_("content    %lld from the cache, %lld fetched; %lld files verified, %lld "
             "refused\n"),
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
