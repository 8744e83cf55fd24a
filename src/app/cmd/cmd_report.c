/* sallyport report: what the ledger says of updates, their users and their makers.
 * Reads the ledger's files beside a running daemon or without one; asks nobody
 * but, for plain HTTP, the running daemon. */
#include "app/base/bar.h"
#include "app/base/say.h"
#include "app/base/terminal.h"
#include "app/cmd/admin_ask.h"
#include "app/cmd/cmd.h"
#include "app/cmd/imported.h"
#include "app/config/config.h"
#include "core/base/limits.h"
#include "core/report/report.h"
#include "io/store/ledger_files.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct ask {
    const char *config, *dir, *format, *section;
    bool json, quiet;
    enum sp_format as;
    struct sp_view kb;
    char *state_dir, *admin_bind; /* owned; admin_bind: NULL, nobody is asked */
    enum sp_report report;
};

/* ---- words --------------------------------------------------------------------- */

static int usage(const char *what)
{
    fprintf(stderr, _("sallyport: %s; see --help\n"), what);
    return SP_EXIT_USAGE;
}

static bool format_of(const char *word, enum sp_format *out)
{
    static const char *const words[] = {"table", "json", "csv"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(word, words[i]) == 0) {
            *out = (enum sp_format)i;
            return true;
        }
    }
    return false;
}

/* "5031356", "KB5031356" */
static bool kb_of(const char *word, struct sp_view *out)
{
    struct sp_view v = sp_view_str(word);
    if (sp_view_eq_fold(sp_view_slice(v, 0, 2), SP_VIEW("KB"))) {
        v = sp_view_slice(v, 2, v.len);
    }
    *out = v;
    return v.len > 0 && v.len < 16 &&
           strspn((const char *)v.data, "0123456789") == v.len;
}

static int read_words(int argc, char **argv, struct ask *a)
{
    const struct sp_option options[] = {
        {"-c", &a->config, NULL},         {"-d", &a->dir, NULL},
        {"--format", &a->format, NULL},   {"--json", NULL, &a->json},
        {"--section", &a->section, NULL}, {"--quiet", NULL, &a->quiet},
    };
    char **words = NULL;
    int wanted = sp_report_wants_argument(a->report);
    int left =
        sp_options(argc, argv, options, sizeof options / sizeof options[0], &words);
    if (left < 0) {
        return SP_EXIT_USAGE;
    }
    if (left != wanted) {
        return usage(left > wanted ? _("there is a word too many")
                                   : _("the number of a KB is needed"));
    }
    if (wanted && !kb_of(words[0], &a->kb)) {
        return usage(_("a KB is a number, as KB5031356"));
    }
    a->as = a->json ? SP_FORMAT_JSON : SP_FORMAT_TABLE;
    if (a->format && !format_of(a->format, &a->as)) {
        return usage(_("--format takes table, json or csv"));
    }
    return 0;
}

static enum sp_err find_state(struct ask *a, struct sp_why *why)
{
    struct sp_config *config = NULL;
    if (!a->dir) {
        SP_TRY(sp_config_load(a->config ? a->config : SP_CONFIG_DEFAULT, &config, why));
    }
    a->state_dir = strdup(a->dir ? a->dir : config->state_dir);
    bool asks = config && a->report == SP_REPORT_PLAIN_HTTP && config->admin_bind[0];
    a->admin_bind = asks ? strdup(config->admin_bind) : NULL;
    sp_config_free(&config);
    return a->state_dir ? SP_OK : SP_E_NOMEM;
}

/* ---- the ledger ---------------------------------------------------------------- */

static enum sp_err take(struct sp_book *b, struct sp_ledger_files *l, uint64_t n,
                        struct sp_buf *text, struct sp_why *why)
{
    SP_AUTO(sp_facts_free) struct sp_facts *f = NULL;
    struct sp_why inner = {0};
    sp_buf_clear(text);
    enum sp_err e = sp_ledger_read(l, n, text, &inner);
    e = e == SP_OK ? sp_facts_decode(sp_buf_view(text), &f, &inner) : e;
    e = e == SP_OK ? sp_book_take(b, n, f) : e;
    return e == SP_OK
               ? SP_OK
               : sp_why_set(why, e, _("entry %ju: %s"), n, sp_why_text(&inner, e));
}

static enum sp_err read_ledger(const struct ask *a, struct sp_book *b,
                               struct sp_why *why)
{
    struct sp_ledger_files *l = NULL;
    struct sp_bar bar;
    SP_AUTO(sp_buf_fini) struct sp_buf text;
    sp_buf_init(&text, SP_LIMIT_LEDGER_ENTRY);
    SP_TRY(sp_ledger_open_view(a->state_dir, &l, why));
    uint64_t size = sp_ledger_size(l);
    enum sp_err e = SP_OK;
    sp_bar_init(&bar, _("entries read"), size);
    bar.is_quiet = a->quiet || !bar.is_terminal; /* quick: no lines */
    for (uint64_t n = 0; e == SP_OK && n < size; n++) {
        e = take(b, l, n, &text, why);
        sp_bar_at(&bar, n + 1);
    }
    sp_bar_end(&bar);
    sp_ledger_close(&l);
    return e == SP_OK ? sp_book_finish(b) : e;
}

/* ---- the running daemon -------------------------------------------------------- */

enum { PLAIN_MOST = 4096 };
struct now {
    json_t *root;              /* owned: the texts are its */
    struct sp_plain_now *rows; /* owned */
    size_t count;
};

static void now_fini(struct now *n)
{
    json_decref(n->root);
    free(n->rows);
}

static struct sp_view member(const json_t *row, const char *key)
{
    return sp_view_str(json_string_value(json_object_get(row, key)));
}

static int64_t count_of(const json_t *row, const char *key)
{
    return json_integer_value(json_object_get(row, key));
}

/* Nothing when no daemon answers: the ledger is what the report is about. */
static enum sp_err ask_daemon(const struct ask *a, struct now *n)
{
    int status = 0;
    struct sp_why why = {0};
    SP_AUTO(sp_buf_fini) struct sp_buf body;
    sp_buf_init(&body, SP_MIB(8));
    if (!a->admin_bind || sp_admin_ask(a->admin_bind, "GET", "/status.json", &body,
                                       &status, &why) != SP_OK) {
        return SP_OK;
    }
    n->root =
        json_loadb((const char *)body.data, body.len, JSON_REJECT_DUPLICATES, NULL);
    const json_t *rows = json_object_get(n->root, "plain_http");
    size_t count = json_array_size(rows);
    count = count < PLAIN_MOST ? count : PLAIN_MOST;
    n->rows = calloc(count + 1, sizeof *n->rows);
    for (; n->rows && n->count < count; n->count++) {
        const json_t *row = json_array_get(rows, n->count);
        n->rows[n->count] = (struct sp_plain_now){.peer = member(row, "peer"),
                                                  .operation = member(row, "operation"),
                                                  .last = member(row, "last"),
                                                  .passed = count_of(row, "passed"),
                                                  .refused = count_of(row, "refused")};
    }
    return n->rows ? SP_OK : SP_E_NOMEM;
}

/* ---- the report ---------------------------------------------------------------- */

/* Leaves only the section that was asked for. */
static enum sp_err pick_section(const struct ask *a, struct sp_sheet *sheet,
                                struct sp_why *why)
{
    for (size_t i = 0; a->section && i < sheet->part_count; i++) {
        if (strcmp(sp_section_key(sheet->parts[i].section), a->section) == 0) {
            struct sp_sheet_part first = sheet->parts[0];
            sheet->parts[0] = sheet->parts[i];
            sheet->parts[i] = first;
            while (sheet->part_count > 1) {
                free(sheet->parts[--sheet->part_count].rows);
            }
            return SP_OK;
        }
    }
    return a->section ? sp_why_set(why, SP_E_USAGE,
                                   _("this report has no section \"%s\"; --json names "
                                     "them"),
                                   a->section)
                      : SP_OK;
}

static enum sp_err put(void *ctx, struct sp_view bytes)
{
    return fwrite(bytes.data, 1, bytes.len, ctx) == bytes.len ? SP_OK : SP_E_IO;
}

static enum sp_err show(const struct ask *a, const struct sp_sheet *sheet)
{
    struct sp_sheet_style style = {.format = a->as,
                                   .width = sp_terminal_width(STDOUT_FILENO),
                                   .bold = sp_terminal_has_colour(),
                                   .say = sp_say,
                                   .ctx = stdout,
                                   .put = put};
    SP_TRY(sp_sheet_write(sheet, &style));
    return fflush(stdout) == 0 ? SP_OK : SP_E_IO;
}

static void drop_json(json_t **root)
{
    json_decref(*root);
}

static enum sp_err join_and_show(const struct ask *a, const struct sp_book *b,
                                 struct sp_sheet *sheet, struct sp_why *why)
{
    struct sp_imported imported;
    struct sp_join join;
    SP_AUTO(drop_json) json_t *root = NULL;
    SP_TRY(sp_imported_open(a->state_dir, &root, why));
    SP_TRY(sp_imported_list(root, sheet->arena, &imported, why));
    SP_AUTO(now_fini) struct now running = {0};
    SP_TRY(ask_daemon(a, &running));
    struct sp_report_ask ask = {.book = b,
                                .join = &join,
                                .kb = a->kb,
                                .now = time(NULL),
                                .plain = running.rows,
                                .plain_count = running.count};
    enum sp_err e = sp_join_init(&join, &imported, sheet->arena);
    e = e == SP_OK ? sp_report_make(a->report, &ask, sheet) : e;
    if (e == SP_E_NOTFOUND) {
        e = sp_why_set(why, e, _("no update of the ledger is KB%.*s"),
                       SP_VIEW_ARG(a->kb));
    }
    e = e == SP_OK ? pick_section(a, sheet, why) : e;
    e = e == SP_OK ? show(a, sheet) : e;
    sp_join_fini(&join);
    return e;
}

static enum sp_err make(struct ask *a, struct sp_why *why)
{
    SP_AUTO(sp_book_fini) struct sp_book b;
    SP_AUTO(sp_sheet_fini) struct sp_sheet sheet = {0};
    SP_TRY(sp_book_init(&b, SP_LIMIT_REPORT));
    SP_TRY(find_state(a, why));
    SP_TRY(read_ledger(a, &b, why));
    SP_TRY(sp_sheet_init(&sheet, sp_report_word(a->report), SP_LIMIT_REPORT));
    return join_and_show(a, &b, &sheet, why);
}

static int report(enum sp_report which, int argc, char **argv)
{
    struct ask a = {.report = which};
    struct sp_why why = {0};
    int status = read_words(argc, argv, &a);
    if (status == 0) {
        enum sp_err e = make(&a, &why);
        status = e == SP_OK ? 0 : sp_cmd_failed(e, &why);
    }
    free(a.state_dir);
    free(a.admin_bind);
    return status;
}

#define REPORT(name, function, word, argument)                                         \
    int sp_cmd_report_##function(int argc, char **argv)                                \
    {                                                                                  \
        return report(SP_REPORT_##name, argc, argv);                                   \
    }
#include "core/report/reports.def"
#undef REPORT
