/* Socket addresses in one form: 16 bytes, IPv4 as ::ffff:a.b.c.d. */
#ifndef SP_IO_NET_ADDRESS_H
#define SP_IO_NET_ADDRESS_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

union sp_socket_address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

/* False for a family that is neither IPv4 nor IPv6. */
bool sp_address_bytes(const struct sockaddr *a, uint8_t out[16]);
struct sp_sockets;
/* One that is bound to a, each once; more of them than there are: the last one again, as
 * another descriptor. -1 when there is none, or s is NULL. The caller closes it. */
int sp_sockets_take(struct sp_sockets *s, const union sp_socket_address *a);

bool sp_address_is_v4(const uint8_t bytes[16]);
void sp_address_format(const uint8_t bytes[16], char out[INET6_ADDRSTRLEN]);

#endif
