#include "app/base/say.h"
#include "app/base/terminal.h"
#include "app/cmd/cmd.h"
#include "app/cmd/doctor.h"
#include "app/config/config.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SEVERITY_BAD  SP_SEVERITY_BAD
#define SEVERITY_WARN SP_SEVERITY_WARN
#define SEVERITY_NOTE SP_SEVERITY_NOTE
static const struct meaning {
    const char *code;
    enum sp_severity severity;
    const char *why, *mend;
} meanings[] = {
#define FINDING(name, code, severity, why, mend) {code, SEVERITY_##severity, why, mend},
#include "app/cmd/doctor.def"
#undef FINDING
};
static const char *const severities[] = {N_("bad"), N_("warning"), N_("note")};

void sp_doctor_find(struct sp_doctor *d, enum sp_finding_code code, const char *what,
                    ...)
{
    va_list args;
    if (d->count == SP_DOCTOR_FINDINGS) {
        return;
    }
    d->found[d->count].code = code;
    va_start(args, what);
    vsnprintf(d->found[d->count].what, sizeof d->found[0].what, what, args);
    va_end(args);
    d->count++;
}

static const struct meaning *meaning_of(const struct sp_doctor *d, size_t i)
{
    return &meanings[d->found[i].code];
}

static size_t count_of(const struct sp_doctor *d, enum sp_severity severity)
{
    size_t n = 0;
    for (size_t i = 0; i < d->count; i++) {
        n += meaning_of(d, i)->severity == severity;
    }
    return n;
}

/* ---- how it is said -------------------------------------------------------------- */

/* Behind its severity; as wide as the terminal. */
static void print_finding(const struct meaning *m, const char *what)
{
    enum { INDENT = 9 };
    printf(" %s: ", m->code);
    sp_terminal_wrap(stdout, what, INDENT + strlen(m->code) + 2, INDENT);
    printf("%*s", INDENT, "");
    sp_terminal_wrap(stdout, sp_say(m->why), INDENT, INDENT);
    printf("%*s-> ", INDENT, "");
    sp_terminal_wrap(stdout, sp_say(m->mend), INDENT + 3, INDENT + 3);
    printf("\n");
}

static void print_text(const struct sp_doctor *d)
{
    for (int severity = SP_SEVERITY_BAD; severity <= SP_SEVERITY_NOTE; severity++) {
        for (size_t i = 0; i < d->count; i++) {
            const struct meaning *m = meaning_of(d, i);
            if ((int)m->severity == severity) {
                sp_terminal_pad(sp_say(severities[severity]), 8);
                print_finding(m, d->found[i].what);
            }
        }
    }
    printf(_("looked at: %zu; bad: %zu, warnings: %zu, notes: %zu\n"), d->looked_at,
           count_of(d, SP_SEVERITY_BAD), count_of(d, SP_SEVERITY_WARN),
           count_of(d, SP_SEVERITY_NOTE));
}

enum sp_err sp_doctor_json(const struct sp_doctor *d, struct sp_buf *out)
{
    json_t *rows = json_array();
    for (size_t i = 0; i < d->count; i++) {
        const struct meaning *m = meaning_of(d, i);
        json_array_append_new(
            rows, json_pack("{s:s, s:s, s:s, s:s, s:s}", "code", m->code, "severity",
                            severities[m->severity], "what", d->found[i].what, "why",
                            m->why, "mend", m->mend));
    }
    json_t *root = json_pack("{s:I, s:o}", "looked_at", (json_int_t)d->looked_at,
                             "findings", rows);
    char *text = root ? json_dumps(root, JSON_INDENT(2) | JSON_PRESERVE_ORDER) : NULL;
    json_decref(root);
    if (!text) {
        return SP_E_NOMEM;
    }
    enum sp_err e = sp_buf_append_str(out, text);
    free(text);
    return e == SP_OK ? sp_buf_append_str(out, "\n") : e;
}

static enum sp_err print_json(const struct sp_doctor *d)
{
    SP_AUTO(sp_buf_fini) struct sp_buf text;
    sp_buf_init(&text, SP_MIB(1));
    SP_TRY(sp_doctor_json(d, &text));
    fwrite(text.data, 1, text.len, stdout);
    return SP_OK;
}

static int status_of(const struct sp_doctor *d)
{
    if (d->looked_at == 0) {
        return SP_EXIT_UNKNOWN;
    }
    return d->count > count_of(d, SP_SEVERITY_NOTE) ? SP_EXIT_REFUSED : SP_EXIT_PASSED;
}

/* ---- all of it ------------------------------------------------------------------- */

struct words {
    const char *config, *ca, *url;
    bool json;
};

static enum sp_err examine(struct sp_doctor *d, const struct words *w,
                           struct sp_why *why)
{
    struct sp_address at;
    SP_AUTO(sp_buf_fini) struct sp_buf ca;
    sp_buf_init(&ca, 1);
    SP_TRY(sp_upstream_global_init(why));
    if (w->ca) {
        SP_TRY(sp_authorities_load(w->ca, &ca, why));
    }
    if (w->url) {
        if (!sp_address_read(w->url, &at)) {
            return sp_why_set(
                why, SP_E_USAGE,
                _("\"%.200s\" is no address; write wsus.corp.example:8531"), w->url);
        }
        sp_doctor_outside(d, &at, sp_buf_view(&ca));
    }
    if (w->config || !w->url) {
        sp_doctor_inside(d, w->config ? w->config : SP_CONFIG_DEFAULT);
    }
    return SP_OK;
}

int sp_cmd_doctor(int argc, char **argv)
{
    struct words w = {0};
    const struct sp_option options[] = {
        {"-c", &w.config, NULL}, {"--ca", &w.ca, NULL}, {"--json", NULL, &w.json}};
    char **words = NULL;
    struct sp_why why = {0};
    int left = sp_options(argc, argv, options, 3, &words);
    if (left < 0 || left > 1) {
        return sp_cmd_usage("doctor", left);
    }
    if (w.json) {
        sp_say_in_english();
    }
    w.url = left ? words[0] : NULL;
    struct sp_doctor *d = calloc(1, sizeof *d);
    if (!d) {
        return sp_cmd_failed(SP_E_NOMEM, NULL);
    }
    d->now = sp_clock_wall_s();
    enum sp_err e = examine(d, &w, &why);
    if (e == SP_OK && w.json) {
        e = print_json(d);
    } else if (e == SP_OK) {
        print_text(d);
    }
    int status = e == SP_OK ? status_of(d) : sp_cmd_failed(e, &why);
    free(d);
    return status;
}
