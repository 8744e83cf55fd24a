#include "app/offline/catalog_place.h"

#include "core/base/text.h"
#include "io/store/catalog.h"
#include "io/store/files.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define CURRENT "current"
#define TITLE   "sallyport catalogue 1"

enum { INDEX_NAME = sizeof "index-.db" + 64 };

enum sp_err sp_catalog_place(const char *cache_dir, char out[SP_CATALOG_PATH],
                             struct sp_why *why)
{
    int n = snprintf(out, SP_CATALOG_PATH, "%s/catalog", cache_dir);
    return n > 0 && n < SP_CATALOG_PATH
               ? SP_OK
               : sp_why_set(why, SP_E_LIMIT, "the path of the cache is too long");
}

/* ---- current --------------------------------------------------------------------- */

/* The rest of the next line, which begins with key and a blank. */
static bool take_line(struct sp_view *text, const char *key, struct sp_view *out)
{
    size_t end = sp_view_find(*text, '\n'), n = strlen(key);
    struct sp_view line = sp_view_slice(*text, 0, end);
    if (end == text->len || !sp_view_starts(line, sp_view_str(key)) || line.len <= n ||
        line.data[n] != ' ') {
        return false;
    }
    *out = sp_view_slice(line, n + 1, line.len);
    *text = sp_view_slice(*text, end + 1, text->len);
    return true;
}

static bool take_hex(struct sp_view *text, const char *key, uint8_t *out, size_t n)
{
    struct sp_view v;
    return take_line(text, key, &v) && sp_hex_parse(v, out, n) == SP_OK;
}

static bool take_time(struct sp_view *text, const char *key, int64_t *out)
{
    struct sp_view v;
    return take_line(text, key, &v) && sp_time_parse(v, out) == SP_OK;
}

static bool take_text(struct sp_view *text, const char *key,
                      char out[SP_CATALOG_VALIDATOR])
{
    struct sp_view v;
    if (!take_line(text, key, &v) || v.len >= SP_CATALOG_VALIDATOR) {
        return false;
    }
    memcpy(out, v.len ? (const void *)v.data : "", v.len);
    out[v.len] = 0;
    return true;
}

static bool parse(struct sp_view text, struct sp_catalog_good *g)
{
    struct sp_view size;
    size_t n = sizeof TITLE - 1;
    if (!sp_view_starts(text, SP_VIEW(TITLE "\n"))) {
        return false;
    }
    text = sp_view_slice(text, n + 1, text.len);
    return take_hex(&text, "sha256", g->sha256, sizeof g->sha256) &&
           take_hex(&text, "sha1", g->sha1, sizeof g->sha1) &&
           take_line(&text, "size", &size) &&
           sp_u64_parse(size, INT64_MAX, &g->size) == SP_OK &&
           take_time(&text, "signed", &g->signed_at) &&
           take_time(&text, "fetched", &g->fetched_at) &&
           take_text(&text, "etag", g->etag) &&
           take_text(&text, "modified", g->modified) && text.len == 0;
}

enum sp_err sp_catalog_place_read(const char *place, struct sp_catalog_good *out,
                                  struct sp_why *why)
{
    SP_AUTO(sp_fd_close) int dir = -1;
    SP_AUTO(sp_buf_fini) struct sp_buf text;
    struct sp_catalog_good g = {0};
    struct sp_why inner = {0};
    sp_buf_init(&text, SP_CATALOG_PATH);
    enum sp_err e = sp_dir_open(place, &dir, &inner);
    if (e == SP_OK) {
        e = sp_file_read_at(dir, CURRENT, &text);
    }
    if (e == SP_E_NOTFOUND) {
        return sp_why_set(why, e, "there is no offline catalogue in %s yet", place);
    }
    if (e == SP_OK && !parse(sp_buf_view(&text), &g)) {
        e = SP_E_CORRUPT;
    }
    if (e != SP_OK) {
        return sp_why_set(why, e, "cannot read %s/" CURRENT ": %s", place,
                          sp_err_text(e));
    }
    *out = g;
    return SP_OK;
}

static enum sp_err print(const struct sp_catalog_good *g, struct sp_buf *out)
{
    char signed_at[SP_TIME_TEXT], fetched_at[SP_TIME_TEXT];
    sp_time_format(g->signed_at, signed_at);
    sp_time_format(g->fetched_at, fetched_at);
    SP_TRY(sp_buf_append_str(out, TITLE "\nsha256 "));
    SP_TRY(sp_hex_append(out, sp_view(g->sha256, sizeof g->sha256)));
    SP_TRY(sp_buf_append_str(out, "\nsha1 "));
    SP_TRY(sp_hex_append(out, sp_view(g->sha1, sizeof g->sha1)));
    return sp_buf_printf(
        out, "\nsize %llu\nsigned %s\nfetched %s\netag %s\nmodified %s\n",
        (unsigned long long)g->size, signed_at, fetched_at, g->etag, g->modified);
}

enum sp_err sp_catalog_place_write(const char *place, const struct sp_catalog_good *g,
                                   struct sp_why *why)
{
    SP_AUTO(sp_fd_close) int dir = -1;
    SP_AUTO(sp_buf_fini) struct sp_buf text;
    sp_buf_init(&text, SP_CATALOG_PATH);
    SP_TRY(sp_dir_open(place, &dir, why));
    enum sp_err e = print(g, &text);
    if (e == SP_OK) {
        e = sp_file_replace_at(dir, CURRENT, sp_buf_view(&text), 0600, SP_FILE_DURABLE);
    }
    return e == SP_OK ? SP_OK
                      : sp_why_set(why, e, "cannot write %s/" CURRENT ": %s", place,
                                   sp_err_text(e));
}

/* ---- indexes --------------------------------------------------------------------- */

static void index_name(const uint8_t sha256[32], char out[INDEX_NAME])
{
    size_t at = (size_t)snprintf(out, INDEX_NAME, "index-");
    for (size_t i = 0; i < 32; i++) {
        at += (size_t)snprintf(out + at, INDEX_NAME - at, "%02x", sha256[i]);
    }
    snprintf(out + at, INDEX_NAME - at, ".db");
}

enum sp_err sp_catalog_index_path(const char *place, const uint8_t sha256[32],
                                  char out[SP_CATALOG_PATH])
{
    char name[INDEX_NAME];
    index_name(sha256, name);
    int n = snprintf(out, SP_CATALOG_PATH, "%s/%s", place, name);
    return n > 0 && n < SP_CATALOG_PATH ? SP_OK : SP_E_LIMIT;
}

enum sp_err sp_catalog_place_index(const char *cache_dir, char out[SP_CATALOG_PATH],
                                   struct sp_why *why)
{
    char place[SP_CATALOG_PATH];
    struct sp_catalog_good g;
    SP_TRY(sp_catalog_place(cache_dir, place, why));
    SP_TRY(sp_catalog_place_read(place, &g, why));
    return sp_catalog_index_path(place, g.sha256, out);
}

bool sp_catalog_place_has_index(const char *place, const struct sp_catalog_good *g)
{
    SP_AUTO(sp_catalog_close) struct sp_catalog *c = NULL;
    char path[SP_CATALOG_PATH];
    return sp_catalog_index_path(place, g->sha256, path) == SP_OK &&
           sp_catalog_open(path, &c, NULL) == SP_OK &&
           memcmp(sp_catalog_about(c)->sha256, g->sha256, 32) == 0;
}

/* ---- in force, and out of it ----------------------------------------------------- */

enum sp_err sp_catalog_place_commit(const char *place, struct sp_stage **stage,
                                    const struct sp_catalog_good *g,
                                    struct sp_object **out, struct sp_why *why)
{
    SP_AUTO(sp_object_unref) struct sp_object *o = NULL;
    SP_TRY(sp_stage_commit(stage, g->sha256, g->sha1, &o, why));
    SP_TRY(sp_catalog_place_write(place, g, why));
    *out = o;
    o = NULL;
    return SP_OK;
}

struct tidying {
    struct sp_objects *objects;       /* borrowed */
    const struct sp_catalog_good *in; /* borrowed: what stays */
    char index[INDEX_NAME];           /* what stays; "": nothing does */
};

static enum sp_err tidy_object(void *ctx, const struct sp_object_seen *seen)
{
    const struct tidying *t = ctx;
    if (!t->index[0] || memcmp(seen->sha256, t->in->sha256, 32) != 0) {
        (void)!sp_objects_remove(t->objects, seen->sha256);
    }
    return SP_OK;
}

static enum sp_err tidy_index(void *ctx, int dir, const char *name)
{
    const struct tidying *t = ctx;
    if (strncmp(name, "index-", 6) == 0 && strcmp(name, t->index) != 0) {
        (void)unlinkat(dir, name, 0);
    }
    return SP_OK;
}

void sp_catalog_place_tidy(struct sp_objects *objects, const char *place,
                           const struct sp_catalog_good *g)
{
    SP_AUTO(sp_fd_close) int dir = -1;
    struct tidying t = {.objects = objects, .in = g};
    uint64_t count = 0;
    if (g->signed_at != 0) {
        index_name(g->sha256, t.index);
    }
    (void)!sp_objects_scan(objects, tidy_object, &t);
    (void)!sp_objects_sweep(objects, false, &count);
    if (sp_dir_open(place, &dir, NULL) == SP_OK) {
        (void)!sp_dir_each(dir, tidy_index, &t);
    }
}

/* A descriptor that is missing at the wrong moment must not cost the catalogue. */
static bool is_known(enum sp_err e)
{
    return e == SP_OK || e == SP_E_NOTFOUND || e == SP_E_CORRUPT;
}

enum sp_err sp_catalog_place_open(struct sp_objects *objects, const char *place,
                                  struct sp_catalog_good *good, struct sp_object **out,
                                  struct sp_why *why)
{
    struct sp_catalog_good g = {0};
    enum sp_err e = sp_catalog_place_read(place, &g, why);
    *good = g;
    *out = NULL;
    if (is_known(e)) {
        sp_catalog_place_tidy(objects, place, &g);
    }
    SP_TRY(e);
    e = sp_objects_get(objects, g.sha256, g.sha1, g.size, out);
    return e == SP_OK ? e
                      : sp_why_set(why, e, "the stored catalogue cannot be used: %s",
                                   sp_err_text(e));
}
