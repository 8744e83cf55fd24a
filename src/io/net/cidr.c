#include "io/net/address.h"
#include "io/net/server.h"

bool sp_cidr_has(const struct sp_cidr *c, const struct sockaddr *a)
{
    uint8_t address[16];
    return sp_address_bytes(a, address) && sp_cidr_holds(c, address);
}
