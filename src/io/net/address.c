#include "io/net/address.h"

#include <string.h>

static const uint8_t v4_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

bool sp_address_bytes(const struct sockaddr *a, uint8_t out[16])
{
    if (a->sa_family == AF_INET) {
        const struct sockaddr_in *v4 = (const void *)a;
        memcpy(out, v4_prefix, sizeof v4_prefix);
        memcpy(out + 12, &v4->sin_addr, 4);
        return true;
    }
    const struct sockaddr_in6 *v6 = (const void *)a;
    if (a->sa_family == AF_INET6) {
        memcpy(out, &v6->sin6_addr, 16);
    }
    return a->sa_family == AF_INET6;
}

bool sp_address_is_v4(const uint8_t bytes[16])
{
    return memcmp(bytes, v4_prefix, sizeof v4_prefix) == 0;
}

uint64_t sp_address_key(const uint8_t bytes[16])
{
    uint64_t key = 0;
    memcpy(&key, sp_address_is_v4(bytes) ? bytes + 8 : bytes, sizeof key);
    return key;
}

uint64_t sp_address_hash(uint64_t key, uint64_t seed)
{
    uint64_t h = (key ^ seed) * 0x9e3779b97f4a7c15u;
    h = (h ^ h >> 32) * 0xd6e8feb86659fd93u;
    return h >> 32;
}

void sp_address_format(const uint8_t bytes[16], char out[INET6_ADDRSTRLEN])
{
    bool is_v4 = sp_address_is_v4(bytes);
    inet_ntop(is_v4 ? AF_INET : AF_INET6, is_v4 ? bytes + 12 : bytes, out,
              INET6_ADDRSTRLEN);
}
