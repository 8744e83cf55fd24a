/* sallyport import: advisories and known issues for the reports, from files that an
 * administrator got from somewhere; nothing is fetched. */
#include "app/base/bar.h"
#include "app/base/say.h"
#include "app/cmd/cmd.h"
#include "app/cmd/imported.h"
#include "app/cmd/store_ask.h"
#include "app/config/config.h"
#include "core/base/limits.h"

#include <stdio.h>

struct ask {
    const char *config, *dir;
    bool dry;
    char **files;
    int count;
    struct sp_config *config_read; /* owned */
    const char *state_dir;         /* borrowed */
    json_t *root;                  /* owned */
    size_t added;
};

static int read_words(int argc, char **argv, struct ask *a)
{
    bool quiet = false;
    const struct sp_option options[] = {{"-c", &a->config, NULL},
                                        {"-d", &a->dir, NULL},
                                        {"--dry-run", NULL, &a->dry},
                                        {"--quiet", NULL, &quiet}};
    a->count = sp_options(argc, argv, options, 4, &a->files);
    if (quiet) {
        sp_bars_off();
    }
    if (a->count == 0) {
        fprintf(stderr, _("sallyport: a file is needed; see --help\n"));
    }
    return a->count > 0 ? 0 : SP_EXIT_USAGE;
}

static enum sp_err find_state(struct ask *a, struct sp_why *why)
{
    if (!a->dir) {
        SP_TRY(sp_config_load(a->config ? a->config : SP_CONFIG_DEFAULT,
                              &a->config_read, why));
    }
    a->state_dir = a->dir ? a->dir : a->config_read->state_dir;
    return sp_imported_open(a->state_dir, &a->root, why);
}

static enum sp_err on_advisory(void *ctx, const struct sp_advisory *advisory)
{
    struct ask *a = ctx;
    a->added++;
    return sp_imported_add(a->root, advisory);
}

static enum sp_err on_note(void *ctx, const struct sp_kb_note *note)
{
    struct ask *a = ctx;
    a->added++;
    return sp_imported_add_note(a->root, note);
}

/* JSON begins with a brace, XML with anything else. */
static enum sp_err read_advisories(struct ask *a, struct sp_view text,
                                   struct sp_why *why)
{
    const struct sp_advisory_sink sink = {a, on_advisory};
    struct sp_view front = sp_view_trim(text, " \t\r\n\xEF\xBB\xBF");
    bool is_json = front.len && front.data[0] == '{';
    return is_json ? sp_csaf_read(front, &sink, why) : sp_cvrf_read(text, &sink, why);
}

static enum sp_err read_notes(struct ask *a, struct sp_view text, struct sp_why *why)
{
    const struct sp_note_sink sink = {a, on_note};
    return sp_notes_read(text, &sink, why);
}

static enum sp_err read_file(struct ask *a, const char *file,
                             enum sp_err (*read)(struct ask *, struct sp_view,
                                                 struct sp_why *),
                             struct sp_why *why)
{
    struct sp_why inner = {0};
    SP_AUTO(sp_buf_fini) struct sp_buf text;
    sp_buf_init(&text, 1);
    SP_TRY(sp_file_read_most(file, SP_LIMIT_CVRF, &text, why));
    enum sp_err e = read(a, sp_buf_view(&text), &inner);
    return e == SP_OK ? SP_OK
                      : sp_why_set(why, e, "%s: %s", file, sp_why_text(&inner, e));
}

/* All files are read before anything is written, as whoever may read them. */
static enum sp_err import(struct ask *a,
                          enum sp_err (*read)(struct ask *, struct sp_view,
                                              struct sp_why *),
                          struct sp_why *why)
{
    struct sp_bar bar;
    enum sp_err e = SP_OK;
    sp_bar_init(&bar, _("files read"), a->count > 1 ? (uint64_t)a->count : 0);
    for (int i = 0; e == SP_OK && i < a->count; i++) {
        e = read_file(a, a->files[i], read, why);
        sp_bar_at(&bar, (uint64_t)i + 1);
    }
    sp_bar_end(&bar);
    SP_TRY(e);
    SP_TRY(a->dry ? SP_OK : sp_become_owner(a->state_dir, why));
    return a->dry ? SP_OK : sp_imported_save(a->state_dir, a->root, why);
}

static int finish(struct ask *a, enum sp_err e, const struct sp_why *why)
{
    json_decref(a->root);
    sp_config_free(&a->config_read);
    return e == SP_OK ? 0 : sp_cmd_failed(e, why);
}

int sp_cmd_import_advisories(int argc, char **argv)
{
    struct ask a = {0};
    struct sp_why why = {0};
    int status = read_words(argc, argv, &a);
    if (status != 0) {
        return status;
    }
    enum sp_err e = find_state(&a, &why);
    e = e == SP_OK ? import(&a, read_advisories, &why) : e;
    if (e == SP_OK) {
        printf(_("%zu advisories read; there are %zu now%s\n"), a.added,
               json_object_size(json_object_get(a.root, "advisories")),
               a.dry ? _(" (nothing was written)") : "");
    }
    return finish(&a, e, &why);
}

int sp_cmd_import_notes(int argc, char **argv)
{
    struct ask a = {0};
    struct sp_why why = {0};
    int status = read_words(argc, argv, &a);
    if (status != 0) {
        return status;
    }
    if (a.count > 1) { /* one file is all that is known */
        return sp_cmd_usage("import notes", a.count);
    }
    enum sp_err e = find_state(&a, &why);
    if (e == SP_OK) {
        sp_imported_drop_notes(a.root);
        e = import(&a, read_notes, &why);
    }
    if (e == SP_OK) {
        printf(_("%zu known issues read, in place of those there were%s\n"), a.added,
               a.dry ? _(" (nothing was written)") : "");
    }
    return finish(&a, e, &why);
}
