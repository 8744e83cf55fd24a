#include "core/wsus/reply_listed.h"

#include <stdlib.h>
#include <string.h>

#define BLANKS " \t\r\n"

static enum sp_err grow(void **list, size_t count, size_t *room, size_t size)
{
    if (count < *room) {
        return SP_OK;
    }
    size_t more = *room ? *room * 2 : 64;
    void *grown = reallocarray(*list, more, size);
    if (!grown) {
        return SP_E_NOMEM;
    }
    *list = grown;
    *room = more;
    return SP_OK;
}

enum sp_err sp_listed_add(struct sp_reply *reply, struct sp_view id,
                          struct sp_view number, struct sp_place place,
                          struct sp_why *why)
{
    struct sp_listed l = {.place = place};
    int64_t n = 0;
    void *list = reply->listed;
    if (sp_guid_parse(sp_view_trim(id, BLANKS), &l.id.id) != SP_OK ||
        sp_i64_parse(sp_view_trim(number, BLANKS), 0, INT32_MAX, &n) != SP_OK) {
        return sp_why_set(why, SP_E_MALFORMED,
                          "a listed revision has no UpdateID or RevisionNumber");
    }
    l.id.number = (int32_t)n;
    SP_TRY(grow(&list, reply->listed_count, &reply->listed_room, sizeof l));
    reply->listed = list;
    reply->listed[reply->listed_count++] = l;
    return SP_OK;
}

enum sp_err sp_file_url_add(struct sp_reply *reply, struct sp_view digest,
                            struct sp_view url, struct sp_place place,
                            struct sp_why *why)
{
    struct sp_file_url u = {.place = place};
    void *list = reply->urls;
    if (sp_base64_parse_exact(sp_view_trim(digest, BLANKS), u.sha1, 20) != SP_OK) {
        return sp_why_set(why, SP_E_MALFORMED, "a file's address has no SHA-1");
    }
    SP_TRY(sp_arena_copy(reply->arena, sp_view_trim(url, BLANKS), &u.url));
    SP_TRY(grow(&list, reply->url_count, &reply->url_room, sizeof u));
    reply->urls = list;
    reply->urls[reply->url_count++] = u;
    return SP_OK;
}

/* ---- what addresses are like --------------------------------------------------- */

bool sp_url_names_digest(struct sp_view url, const uint8_t sha1[20])
{
    uint8_t named[20];
    size_t dot = url.len;
    while (dot > 0 && url.data[dot - 1] != '.' && url.data[dot - 1] != '/') {
        dot--;
    }
    if (dot < 42 || url.data[dot - 1] != '.' || url.data[dot - 42] != '_') {
        return false;
    }
    struct sp_view hex = sp_view_slice(url, dot - 41, dot - 1);
    return sp_hex_parse(hex, named, sizeof named) == SP_OK &&
           memcmp(named, sha1, sizeof named) == 0;
}

/* What stands between the scheme and the path: host, port and whatever else. */
static struct sp_view authority(struct sp_view url)
{
    size_t colon = sp_view_find(url, ':');
    struct sp_view rest = sp_view_slice(url, colon + 1, url.len);
    if (!sp_view_starts(rest, SP_VIEW("//"))) {
        return url;
    }
    rest = sp_view_slice(rest, 2, rest.len);
    return sp_view_slice(rest, 0, sp_view_find(rest, '/'));
}

static enum sp_err state_url(struct sp_facts *f, const struct sp_file_url *u)
{
    if (u->url.len == 0) {
        return SP_OK;
    }
    SP_TRY(sp_facts_text(f, SP_FACT_UPDATE_URL_HOST, authority(u->url)));
    return sp_url_names_digest(u->url, u->sha1)
               ? SP_OK
               : sp_facts_text(f, SP_FACT_UPDATE_URL_ODD, u->url);
}

static int by_digest(const void *a, const void *b)
{
    const struct sp_file_url *x = a, *y = b;
    return memcmp(x->sha1, y->sha1, sizeof x->sha1);
}

/* All addresses of a digest: there may be several. */
static enum sp_err state_claim(const struct sp_reply *reply, struct sp_facts *f,
                               const uint8_t sha1[20])
{
    size_t low = 0, high = reply->url_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (memcmp(reply->urls[middle].sha1, sha1, 20) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    for (; low < reply->url_count && memcmp(reply->urls[low].sha1, sha1, 20) == 0;
         low++) {
        SP_TRY(state_url(f, &reply->urls[low]));
    }
    return SP_OK;
}

enum sp_err sp_file_urls_state(struct sp_reply *reply)
{
    if (reply->url_count) {
        qsort(reply->urls, reply->url_count, sizeof *reply->urls, by_digest);
    }
    for (size_t i = 0; i < reply->revision_count; i++) {
        struct sp_revision *rev = &reply->revisions[i];
        for (size_t c = 0; c < rev->claim_count; c++) {
            SP_TRY(state_claim(reply, rev->facts, rev->claims[c].sha1));
        }
    }
    return SP_OK;
}
