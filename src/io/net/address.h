/* Socket addresses in one form: 16 bytes, IPv4 as ::ffff:a.b.c.d. */
#ifndef SP_IO_NET_ADDRESS_H
#define SP_IO_NET_ADDRESS_H

#include "sallyport/err.h"

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
struct sp_place { /* where a listener is */
    union sp_socket_address at;
    bool both; /* at is [::], and IPv4 is meant as well */
};
/* listen.c: "0.0.0.0:8531", "[::]:8531" (IPv6 only), "*:8531" (both). SP_E_CONFIG. */
enum sp_err sp_place_parse(const char *text, struct sp_place *out,
                           struct sp_why *why) SP_MUST_USE;
unsigned sp_place_port(const struct sp_place *p);
/* A socket that is bound there and does not listen. Where the machine has no IPv6, both
 * become IPv4, also in p. text is for why. SP_E_DENIED, SP_E_IO. */
enum sp_err sp_place_bind(struct sp_place *p, const char *text, int *out,
                          struct sp_why *why) SP_MUST_USE;
struct sp_sockets;
/* One that is bound to p, each once; more of them than there are: the last one again, as
 * another descriptor. -1 when there is none, or s is NULL. The caller closes it. */
int sp_sockets_take(struct sp_sockets *s, const struct sp_place *p);
/* How many there are that nobody took. */
size_t sp_sockets_count(const struct sp_sockets *s, const struct sp_place *p);

bool sp_address_is_v4(const uint8_t bytes[16]);
/* What counts as one peer: who has one IPv6 address has its /64, of IPv4 every bit counts. */
uint64_t sp_address_key(const uint8_t bytes[16]);
/* For tables that nobody outside can aim at: seed is random. */
uint64_t sp_address_hash(uint64_t key, uint64_t seed);
void sp_address_format(const uint8_t bytes[16], char out[INET6_ADDRSTRLEN]);

#endif
