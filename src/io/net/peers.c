/* Connections by address. Buckets chain the connections themselves: an address has few.
 */
#include "io/net/address.h"
#include "io/net/conn.h"

#include <string.h>

/* Who has one IPv6 address has its /64; of IPv4 every bit counts. */
static uint64_t peer_key(const uint8_t address[16])
{
    uint64_t key = 0;
    memcpy(&key, sp_address_is_v4(address) ? address + 8 : address, sizeof key);
    return key;
}

/* A bucket nobody outside can aim at. */
static struct sp_conn **bucket_of(struct sp_server *s, uint64_t key)
{
    uint64_t h = (key ^ s->peer_seed) * 0x9e3779b97f4a7c15u;
    h = (h ^ h >> 32) * 0xd6e8feb86659fd93u;
    return &s->peers[(h >> 32) % SP_PEER_BUCKETS];
}

unsigned sp_peers_count(struct sp_server *s, const uint8_t address[16])
{
    uint64_t key = peer_key(address);
    unsigned count = 0;
    for (struct sp_conn *c = *bucket_of(s, key); c; c = c->peer_next) {
        count += peer_key(c->address) == key;
    }
    return count;
}

void sp_peers_add(struct sp_server *s, struct sp_conn *c)
{
    struct sp_conn **bucket = bucket_of(s, peer_key(c->address));
    c->peer_next = *bucket;
    *bucket = c;
}

void sp_peers_remove(struct sp_server *s, struct sp_conn *c)
{
    struct sp_conn **at = bucket_of(s, peer_key(c->address));
    while (*at != c) {
        at = &(*at)->peer_next;
    }
    *at = c->peer_next;
}
