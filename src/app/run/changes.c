#include "app/run/changes.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* ---- snapshots ------------------------------------------------------------------ */

struct file {
    char *path; /* owned */
    dev_t device;
    ino_t inode;
    off_t size;
    struct timespec changed;
};
struct sp_snapshot {
    char *dump;         /* owned */
    struct file *files; /* owned, count of them */
    size_t count, room;
    bool failed;
};

void sp_snapshot_free(struct sp_snapshot **ps)
{
    struct sp_snapshot *s = *ps;
    for (size_t i = 0; s && i < s->count; i++) {
        free(s->files[i].path);
    }
    if (s) {
        free(s->files);
        free(s->dump);
        free(s);
    }
    *ps = NULL;
}

static bool make_room(struct sp_snapshot *s)
{
    if (s->count == s->room) {
        size_t room = s->room ? 2 * s->room : 16;
        struct file *files = realloc(s->files, room * sizeof *files);
        if (!files) {
            return false;
        }
        s->files = files;
        s->room = room;
    }
    return true;
}

/* A path without a file is one that names something else. */
static void note_file(void *ctx, const char *path)
{
    struct sp_snapshot *s = ctx;
    struct stat st;
    if (s->failed || stat(path, &st) != 0 || !S_ISREG(st.st_mode)) {
        return;
    }
    char *copy = make_room(s) ? strdup(path) : NULL;
    s->failed = copy == NULL;
    if (copy) {
        s->files[s->count++] = (struct file){.path = copy,
                                             .device = st.st_dev,
                                             .inode = st.st_ino,
                                             .size = st.st_size,
                                             .changed = st.st_mtim};
    }
}

enum sp_err sp_snapshot_take(const struct sp_config *c, struct sp_snapshot **out)
{
    SP_AUTO(sp_snapshot_free) struct sp_snapshot *s = calloc(1, sizeof *s);
    if (!s || !(s->dump = strdup(sp_config_dump(c)))) {
        return SP_E_NOMEM;
    }
    sp_config_each_path(c, note_file, s);
    if (s->failed) {
        return SP_E_NOMEM;
    }
    *out = s;
    s = NULL;
    return SP_OK;
}

static const struct file *file_of(const struct sp_snapshot *s, struct sp_view path)
{
    for (size_t i = 0; i < s->count; i++) {
        if (sp_view_eq_str(path, s->files[i].path)) {
            return &s->files[i];
        }
    }
    return NULL;
}

static bool same_file(const struct file *a, const struct file *b)
{
    return a == b || (a && b && a->device == b->device && a->inode == b->inode &&
                      a->size == b->size && a->changed.tv_sec == b->changed.tv_sec &&
                      a->changed.tv_nsec == b->changed.tv_nsec);
}

/* ---- the dump, line by line -------------------------------------------------------
 */

struct at { /* a walk */
    struct sp_view rest;
    struct sp_view section;    /* its head without the brace; empty: the top level */
    struct sp_view key, value; /* of the line; empty key: a section begins */
};

static struct at walk(const struct sp_snapshot *s)
{
    return (struct at){.rest = sp_view_str(s->dump)};
}

static void take_key(struct at *a, struct sp_view line)
{
    size_t sign = sp_view_find(line, '=');
    a->key = sp_view_trim(sp_view_slice(line, 0, sign), " ");
    a->value = sp_view_trim(sp_view_slice(line, sign + 1, line.len), " ");
}

static bool step(struct at *a)
{
    while (a->rest.len) {
        size_t n = sp_view_find(a->rest, '\n');
        struct sp_view line = sp_view_slice(a->rest, 0, n);
        a->rest = sp_view_slice(a->rest, n + 1, a->rest.len);
        if (sp_view_eq(line, SP_VIEW("}"))) {
            a->section = sp_view(NULL, 0);
            continue;
        }
        bool inside = a->section.len > 0;
        bool head = !inside && sp_view_ends(line, SP_VIEW(" {"));
        a->section = head ? sp_view_slice(line, 0, line.len - 2) : a->section;
        a->key = a->value = sp_view(NULL, 0);
        if (!head) {
            take_key(a, line);
        }
        return true;
    }
    return false;
}

/* Where s says something of the same section and key. */
static bool find(const struct sp_snapshot *s, const struct at *like, struct at *out)
{
    struct at a = walk(s);
    while (step(&a)) {
        if (sp_view_eq(a.section, like->section) && sp_view_eq(a.key, like->key)) {
            *out = a;
            return true;
        }
    }
    return false;
}

/* ---- what is different ---------------------------------------------------------- */

/* Sockets are opened, folders locked and the sandbox is entered once. An empty key is
 * the section's coming and going. The certificate is here for a listener's having one.
 */
static const struct {
    const char *section, *key;
    enum sp_change_when when;
} once[] = {
    {"", "state_dir", SP_CHANGE_NEVER},
    {"", "cache_dir", SP_CHANGE_NEVER},
    {"", "workers", SP_CHANGE_NEVER},
    {"", "user", SP_CHANGE_NEVER},
    {"", "group", SP_CHANGE_NEVER},
    {"", "sandbox", SP_CHANGE_LATER},
    {"", "ledger_name", SP_CHANGE_LATER},
    {"listener", "", SP_CHANGE_NEVER},
    {"listener", "bind", SP_CHANGE_NEVER},
    {"listener", "allow", SP_CHANGE_NEVER},
    {"catalog", "", SP_CHANGE_NEVER},
    {"admin", "bind", SP_CHANGE_NEVER},
    {"admin", "remote_bind", SP_CHANGE_NEVER},
};

static enum sp_change_when when_of(const struct at *a)
{
    size_t n = sp_view_find(a->section, ' ');
    struct sp_view kind = sp_view_slice(a->section, 0, n);
    for (size_t i = 0; i < sizeof once / sizeof once[0]; i++) {
        if (sp_view_eq_str(kind, once[i].section) &&
            sp_view_eq_str(a->key, once[i].key)) {
            return once[i].when;
        }
    }
    return SP_CHANGE_NOW;
}

static void add(struct sp_changes *out, const struct at *a, enum sp_change_how how,
                enum sp_change_when when)
{
    out->never = out->never || when == SP_CHANGE_NEVER;
    if (out->count == SP_CHANGES) {
        out->more++;
        return;
    }
    struct sp_change *c = &out->at[out->count++];
    *c = (struct sp_change){.how = how, .when = when};
    snprintf(c->section, sizeof c->section, "%.*s", (int)a->section.len,
             (const char *)a->section.data);
    snprintf(c->key, sizeof c->key, "%.*s", (int)a->key.len, (const char *)a->key.data);
}

/* Some path in value has another file behind it. */
static bool other_file(const struct sp_snapshot *old, const struct sp_snapshot *now,
                       struct sp_view value)
{
    bool other = false;
    while (!other && value.len) {
        size_t from = sp_view_find(value, '"');
        value = sp_view_slice(value, from + 1, value.len);
        size_t n = sp_view_find(value, '"');
        struct sp_view path = sp_view_slice(value, 0, n);
        other = !same_file(file_of(old, path), file_of(now, path));
        value = sp_view_slice(value, n + 1, value.len);
    }
    return other;
}

/* A listener that gets or loses its certificate is another one. */
static bool becomes_another(const struct at *was, const struct at *is)
{
    return sp_view_starts(is->section, SP_VIEW("listener ")) &&
           sp_view_eq_str(is->key, "certificate") &&
           (was->value.len == 2) != (is->value.len == 2);
}

static void compare(const struct sp_snapshot *old, const struct sp_snapshot *now,
                    const struct at *was, const struct at *is, struct sp_changes *out)
{
    if (!sp_view_eq(was->value, is->value)) {
        add(out, is, SP_CHANGE_VALUE,
            becomes_another(was, is) ? SP_CHANGE_NEVER : when_of(is));
    } else if (other_file(old, now, is->value)) {
        add(out, is, SP_CHANGE_FILE, SP_CHANGE_NOW);
    }
}

void sp_changes_find(const struct sp_snapshot *old, const struct sp_snapshot *now,
                     struct sp_changes *out)
{
    struct at is = walk(now), was = walk(old), other;
    *out = (struct sp_changes){.count = 0};
    while (step(&is)) {
        if (find(old, &is, &other)) {
            compare(old, now, &other, &is, out);
        } else if (!is.key.len) {
            add(out, &is, SP_CHANGE_NEW, when_of(&is));
        }
    }
    while (step(&was)) {
        if (!was.key.len && !find(now, &was, &other)) {
            add(out, &was, SP_CHANGE_GONE, when_of(&was));
        }
    }
}

/* ---- in words ------------------------------------------------------------------- */

static const char *const hows[] = {[SP_CHANGE_VALUE] = "value",
                                   [SP_CHANGE_FILE] = "file",
                                   [SP_CHANGE_NEW] = "new",
                                   [SP_CHANGE_GONE] = "gone"};

size_t sp_changes_count(const struct sp_changes *c, enum sp_change_when when)
{
    size_t n = 0;
    for (size_t i = 0; i < c->count; i++) {
        n += c->at[i].when == when;
    }
    return n;
}

enum sp_err sp_changes_say(const struct sp_changes *c, enum sp_change_when when,
                           struct sp_buf *out)
{
    const char *comma = "";
    for (size_t i = 0; i < c->count; i++) {
        const struct sp_change *x = &c->at[i];
        if (x->when != when) {
            continue;
        }
        SP_TRY(sp_buf_printf(out, "%s%s%s%s", comma, x->section,
                             x->section[0] && x->key[0] ? " " : "", x->key));
        if (x->how != SP_CHANGE_VALUE) {
            SP_TRY(sp_buf_printf(out, " (%s)", hows[x->how]));
        }
        comma = ", ";
    }
    return sp_buf_append_byte(out, 0);
}

static json_t *list(const struct sp_changes *c, enum sp_change_when when)
{
    json_t *rows = json_array();
    for (size_t i = 0; i < c->count; i++) {
        const struct sp_change *x = &c->at[i];
        if (x->when == when) {
            json_array_append_new(rows, json_pack("{s:s, s:s, s:s}", "item", x->section,
                                                  "key", x->key, "how", hows[x->how]));
        }
    }
    return rows;
}

enum sp_err sp_changes_json(const struct sp_changes *c, const char *policy,
                            const char *why, struct sp_buf *out)
{
    bool done = why == NULL;
    enum sp_change_when left = done ? SP_CHANGE_LATER : SP_CHANGE_NEVER;
    json_t *changed = done ? list(c, SP_CHANGE_NOW) : json_array();
    json_t *root =
        json_pack("{s:b, s:s, s:s, s:o, s:o, s:I}", "reloaded", (int)done, "policy",
                  policy, "why", done ? "" : why, "changed", changed, "left",
                  list(c, left), "more", (json_int_t)c->more);
    char *text = root ? json_dumps(root, JSON_INDENT(2) | JSON_PRESERVE_ORDER) : NULL;
    json_decref(root);
    enum sp_err e = text ? sp_buf_append_str(out, text) : SP_E_NOMEM;
    free(text);
    return e;
}
