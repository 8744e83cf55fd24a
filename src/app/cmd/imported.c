#include "app/base/say.h"
#include "app/cmd/imported.h"

#include "io/store/files.h"

#include <stdlib.h>
#include <string.h>

/* ---- the tree ------------------------------------------------------------------ */

static json_t *empty(void)
{
    return json_pack("{s:i, s:{}, s:[]}", "version", 1, "advisories", "notes");
}

static enum sp_err parse(struct sp_view text, json_t **out, struct sp_why *why)
{
    json_error_t error;
    json_t *root =
        json_loadb((const char *)text.data, text.len, JSON_REJECT_DUPLICATES, &error);
    if (!root || json_integer_value(json_object_get(root, "version")) != 1 ||
        !json_is_object(json_object_get(root, "advisories")) ||
        !json_is_array(json_object_get(root, "notes"))) {
        json_decref(root);
        return sp_why_set(
            why, SP_E_CORRUPT,
            _("%s in the state directory is damaged: remove it and import "
              "again"),
            SP_IMPORTED_FILE);
    }
    *out = root;
    return SP_OK;
}

enum sp_err sp_imported_open(const char *state_dir, json_t **out, struct sp_why *why)
{
    SP_AUTO(sp_fd_close) int dir = -1;
    SP_AUTO(sp_buf_fini) struct sp_buf text;
    sp_buf_init(&text, SP_LIMIT_IMPORTED);
    SP_TRY(sp_dir_open(state_dir, &dir, why));
    enum sp_err e = sp_file_read_at(dir, SP_IMPORTED_FILE, &text);
    if (e == SP_OK) {
        return parse(sp_buf_view(&text), out, why);
    }
    if (e != SP_E_NOTFOUND) {
        return sp_why_set(why, e, _("cannot read %s/%s: %s"), state_dir,
                          SP_IMPORTED_FILE, sp_err_text(e));
    }
    json_t *root = empty();
    *out = root ? root : *out;
    return root ? SP_OK : SP_E_NOMEM;
}

static json_t *text_json(struct sp_view v)
{
    return json_stringn(v.data ? (const char *)v.data : "", v.len);
}

enum sp_err sp_imported_add(json_t *root, const struct sp_advisory *a)
{
    char cve[SP_ADVISORY_CVE];
    json_t *all = json_object_get(root, "advisories");
    json_t *kbs = json_array();
    bool good = kbs != NULL;
    memcpy(cve, a->cve.data, a->cve.len); /* sp_cve_is: it fits */
    cve[a->cve.len] = 0;
    if (json_object_size(all) >= SP_LIMIT_ADVISORIES && !json_object_get(all, cve)) {
        json_decref(kbs);
        return SP_E_LIMIT;
    }
    for (size_t i = 0; good && i < a->kb_count; i++) {
        good = json_array_append_new(kbs, text_json(a->kbs[i])) == 0;
    }
    json_t *row = json_object();
    good =
        good && row && json_object_set_new(row, "title", text_json(a->title)) == 0 &&
        json_object_set_new(row, "severity", text_json(a->severity)) == 0 &&
        json_object_set(row, "kbs", kbs) == 0 &&
        (a->cvss < 0 || json_object_set_new(row, "cvss", json_integer(a->cvss)) == 0) &&
        json_object_set(all, cve, row) == 0;
    json_decref(kbs);
    json_decref(row);
    return good ? SP_OK : SP_E_NOMEM;
}

void sp_imported_drop_notes(json_t *root)
{
    json_array_clear(json_object_get(root, "notes"));
}

enum sp_err sp_imported_add_note(json_t *root, const struct sp_kb_note *n)
{
    json_t *all = json_object_get(root, "notes"), *row = json_object();
    if (json_array_size(all) >= SP_LIMIT_KNOWN_ISSUES) {
        json_decref(row);
        return SP_E_LIMIT;
    }
    bool good = row && json_object_set_new(row, "kb", text_json(n->kb)) == 0 &&
                json_object_set_new(row, "text", text_json(n->text)) == 0 &&
                json_array_append(all, row) == 0;
    json_decref(row);
    return good ? SP_OK : SP_E_NOMEM;
}

enum sp_err sp_imported_save(const char *state_dir, const json_t *root,
                             struct sp_why *why)
{
    SP_AUTO(sp_fd_close) int dir = -1;
    SP_TRY(sp_dir_open(state_dir, &dir, why));
    char *text = json_dumps(root, JSON_SORT_KEYS | JSON_INDENT(1));
    if (!text) {
        return SP_E_NOMEM;
    }
    struct sp_view bytes = sp_view_str(text);
    enum sp_err e =
        bytes.len > SP_LIMIT_IMPORTED
            ? SP_E_LIMIT
            : sp_file_replace_at(dir, SP_IMPORTED_FILE, bytes, 0600, SP_FILE_DURABLE);
    free(text);
    return e == SP_OK ? SP_OK
                      : sp_why_set(why, e, _("cannot write %s/%s: %s"), state_dir,
                                   SP_IMPORTED_FILE, sp_err_text(e));
}

/* ---- for reports --------------------------------------------------------------- */

static struct sp_view text_of(const json_t *o, const char *key)
{
    const json_t *s = json_object_get(o, key);
    return sp_view(json_string_value(s), json_string_length(s));
}

static bool is_kb(struct sp_view v)
{
    struct sp_view digits;
    return sp_kb_in(v, &digits) && digits.len == v.len;
}

static enum sp_err list_kbs(const json_t *kbs, struct sp_arena *arena,
                            struct sp_advisory *out)
{
    void *at = NULL;
    size_t i;
    const json_t *kb;
    SP_TRY(sp_arena_alloc(arena, (json_array_size(kbs) + 1) * sizeof *out->kbs, &at));
    struct sp_view *list = at;
    json_array_foreach(kbs, i, kb)
    {
        list[i] = sp_view(json_string_value(kb), json_string_length(kb));
        if (!is_kb(list[i])) {
            return SP_E_CORRUPT;
        }
    }
    out->kbs = list;
    out->kb_count = json_array_size(kbs);
    return SP_OK;
}

static enum sp_err list_one(const char *cve, const json_t *row, struct sp_arena *arena,
                            struct sp_advisory *out)
{
    const json_t *cvss = json_object_get(row, "cvss");
    *out = (struct sp_advisory){.cve = sp_view_str(cve),
                                .title = text_of(row, "title"),
                                .severity = text_of(row, "severity"),
                                .cvss = -1};
    if (!sp_cve_is(out->cve) || json_integer_value(cvss) < 0 ||
        json_integer_value(cvss) > 100) {
        return SP_E_CORRUPT;
    }
    out->cvss = json_is_integer(cvss) ? (int)json_integer_value(cvss) : -1;
    return list_kbs(json_object_get(row, "kbs"), arena, out);
}

static enum sp_err list_advisories(const json_t *all, struct sp_arena *arena,
                                   struct sp_imported *out)
{
    void *at = NULL;
    size_t room = json_object_size(all) + 1;
    SP_TRY(sp_arena_alloc(arena, room * sizeof *out->advisories, &at));
    struct sp_advisory *list = at;
    json_t *tree = NULL;
    const char *cve;
    json_t *row;
    memcpy(&tree, &all, sizeof tree); /* the macro wants it so, and changes nothing */
    json_object_foreach(tree, cve, row)
    {
        SP_TRY(list_one(cve, row, arena, &list[out->advisory_count]));
        out->advisory_count++;
    }
    out->advisories = list;
    return SP_OK;
}

static enum sp_err list_notes(const json_t *all, struct sp_arena *arena,
                              struct sp_imported *out)
{
    void *at = NULL;
    size_t i;
    const json_t *row;
    SP_TRY(sp_arena_alloc(arena, (json_array_size(all) + 1) * sizeof *out->notes, &at));
    struct sp_kb_note *list = at;
    json_array_foreach(all, i, row)
    {
        list[i] = (struct sp_kb_note){text_of(row, "kb"), text_of(row, "text")};
        if (!is_kb(list[i].kb) || !list[i].text.len) {
            return SP_E_CORRUPT;
        }
    }
    out->notes = list;
    out->note_count = json_array_size(all);
    return SP_OK;
}

enum sp_err sp_imported_list(const json_t *root, struct sp_arena *arena,
                             struct sp_imported *out, struct sp_why *why)
{
    *out = (struct sp_imported){0};
    enum sp_err e = list_advisories(json_object_get(root, "advisories"), arena, out);
    e = e == SP_OK ? list_notes(json_object_get(root, "notes"), arena, out) : e;
    return e == SP_OK
               ? SP_OK
               : sp_why_set(why, e, _("%s in the state directory is damaged: %s"),
                            SP_IMPORTED_FILE, sp_err_text(e));
}
