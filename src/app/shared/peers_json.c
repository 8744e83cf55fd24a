#include "app/shared/peers_json.h"

#include "core/base/text.h"

#include <arpa/inet.h>
#include <string.h>

enum { SHOWN = 32, SERVERS_SHOWN = 16 };

static void format_last(const struct sp_peer_report *r, uint64_t now_ms, int64_t now_s,
                        char out[SP_TIME_TEXT])
{
    uint64_t ago_ms = now_ms > r->last_ms ? now_ms - r->last_ms : 0;
    sp_time_format(now_s - (int64_t)(ago_ms / 1000), out);
}

static json_t *row_json(const struct sp_peer_report *r, uint64_t now_ms, int64_t now_s)
{
    char name[SP_PEER_TEXT], last[SP_TIME_TEXT];
    sp_peer_name_format(&r->name, name);
    format_last(r, now_ms, now_s, last);
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

static void format_address(const uint8_t address[16], char out[INET6_ADDRSTRLEN])
{
    struct in6_addr v6;
    memcpy(&v6, address, sizeof v6);
    if (IN6_IS_ADDR_V4MAPPED(&v6)) {
        inet_ntop(AF_INET, address + 12, out, INET6_ADDRSTRLEN);
    } else {
        inet_ntop(AF_INET6, &v6, out, INET6_ADDRSTRLEN);
    }
}

static json_t *server_json(const struct sp_peer_report *r, uint64_t now_ms,
                           int64_t now_s)
{
    char address[INET6_ADDRSTRLEN], pin[SP_PEER_TEXT], last[SP_TIME_TEXT];
    format_address(r->address, address);
    format_last(r, now_ms, now_s, last);
    json_t *row = json_pack("{s:s, s:s, s:s, s:I, s:I, s:s}", "address", address,
                            "transport", r->tls[0] ? "tls" : "http", "tls", r->tls,
                            "requests", (json_int_t)r->asked, "plain_http",
                            (json_int_t)r->plain, "last", last);
    if (r->name.is_pin) {
        sp_peer_name_format(&r->name, pin);
        json_object_set_new(row, "pin", json_string(pin));
    }
    return row;
}

json_t *sp_downstreams_json(struct sp_peers *p, uint64_t now_ms, int64_t now_s)
{
    struct sp_peer_report shown[SERVERS_SHOWN];
    struct sp_peer_downstreams all;
    json_t *rows = json_array();
    size_t count = sp_peers_servers(p, shown, SERVERS_SHOWN, &all);
    for (size_t i = 0; i < count; i++) {
        json_array_append_new(rows, server_json(&shown[i], now_ms, now_s));
    }
    return json_pack("{s:o, s:I, s:{s:I, s:I, s:I}}", "servers", rows, "more",
                     (json_int_t)(all.servers - count), "clients", "count",
                     (json_int_t)all.clients, "requests", (json_int_t)all.client_asked,
                     "plain_http", (json_int_t)all.client_plain);
}
