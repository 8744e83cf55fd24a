/* FileLocation, [MS-WUSP] 3.1.5.10: where a client is told to get a file. Only
 * addresses of the kind this server has itself are of interest: /Content/XX/SHA1.ext of
 * that file. */
#include "core/wsus/reply_reader.h"

#include <string.h>

#define BLANKS " \t\r\n"

static enum sp_err make_room(struct sp_location_reader *l, struct sp_why *why)
{
    struct sp_reply *reply = l->reply;
    if (reply->location_count == SP_LIMIT_LOCATIONS) {
        return sp_why_set(why, SP_E_LIMIT, "the reply holds more than %d FileLocation",
                          SP_LIMIT_LOCATIONS);
    }
    if (reply->location_count < l->room) {
        return SP_OK;
    }
    size_t room = l->room ? l->room * 2 : 64;
    void *grown = NULL;
    SP_TRY(sp_arena_alloc(reply->arena, room * sizeof *reply->locations, &grown));
    if (reply->location_count) {
        memcpy(grown, reply->locations,
               reply->location_count * sizeof *reply->locations);
    }
    reply->locations = grown;
    l->room = room;
    return SP_OK;
}

/* The target of http://authority/target; empty where it is no such address. */
static struct sp_view target_of(struct sp_view url)
{
    struct sp_view head = sp_view_slice(url, 0, sp_view_find(url, ':'));
    struct sp_view rest = sp_view_slice(url, head.len, url.len);
    if ((!sp_view_eq_fold(head, SP_VIEW("http")) &&
         !sp_view_eq_fold(head, SP_VIEW("https"))) ||
        !sp_view_starts(rest, SP_VIEW("://"))) {
        return (struct sp_view){0};
    }
    rest = sp_view_slice(rest, 3, rest.len);
    return sp_view_slice(rest, sp_view_find(rest, '/'), rest.len);
}

void sp_location_begin(struct sp_location_reader *l)
{
    l->at = (struct sp_location){0};
    l->has_digest = l->has_url = false;
}

void sp_location_digest(struct sp_location_reader *l, struct sp_view text)
{
    l->has_digest = sp_base64_parse_exact(sp_view_trim(text, BLANKS), l->at.file.sha1,
                                          sizeof l->at.file.sha1) == SP_OK;
}

void sp_location_url(struct sp_location_reader *l, struct sp_view text,
                     struct sp_place place)
{
    struct sp_route route = sp_route(target_of(sp_view_trim(text, BLANKS)));
    l->has_url = route.kind == SP_ROUTE_CONTENT && !l->has_url;
    l->at.place = place;
    l->url = route.content;
}

enum sp_err sp_location_end(struct sp_location_reader *l, struct sp_why *why)
{
    if (!l->has_digest || !l->has_url ||
        memcmp(l->url.sha1, l->at.file.sha1, sizeof l->url.sha1) != 0) {
        return SP_OK;
    }
    SP_TRY(make_room(l, why));
    l->at.file = l->url;
    l->reply->locations[l->reply->location_count++] = l->at;
    return SP_OK;
}
