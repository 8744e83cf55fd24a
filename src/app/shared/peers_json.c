#include "app/shared/peers_json.h"

#include "core/base/text.h"

enum { SHOWN = 32 };

static json_t *row_json(const struct sp_peer_report *r, uint64_t now_ms, int64_t now_s)
{
    char name[SP_PEER_TEXT], last[SP_TIME_TEXT];
    uint64_t ago_ms = now_ms > r->last_ms ? now_ms - r->last_ms : 0;
    sp_peer_name_format(&r->name, name);
    sp_time_format(now_s - (int64_t)(ago_ms / 1000), last);
    return json_pack("{s:s, s:i, s:i, s:{s:I, s:I, s:I}, s:s}", "peer",
                     r->shared ? "others" : name, "metadata",
                     (int)r->at_once[SP_PEER_METADATA], "content",
                     (int)r->at_once[SP_PEER_CONTENT], "refused", "at_once",
                     (json_int_t)r->refused[SP_PEER_CONCURRENCY], "rate",
                     (json_int_t)r->refused[SP_PEER_RATE], "bytes",
                     (json_int_t)r->refused[SP_PEER_BYTES], "last", last);
}

json_t *sp_peers_json(struct sp_peers *p, uint64_t now_ms, int64_t now_s)
{
    struct sp_peer_report shown[SHOWN];
    json_t *rows = json_array();
    size_t count = sp_peers_report(p, shown, SHOWN);
    for (size_t i = 0; i < count; i++) {
        json_array_append_new(rows, row_json(&shown[i], now_ms, now_s));
    }
    return rows;
}
