/* Who may ask for a service: lines of a policy, which the rules peer-network and
 * peer-identity read. Decision 0060.
 *
 *     peer SERVICE network 10.0.0.0/8
 *     peer SERVICE key     sha256//BASE64=
 *     peer SERVICE name    branch-7.example
 *
 * SERVICE is a service or "any". A service that no line names may be asked by
 * everybody; one with networks from one of them; one with keys or names by who proved,
 * in the TLS handshake, a certificate with such a key or a name among those it is made
 * out to. Pure. */
#ifndef SP_CORE_POLICY_PEER_H
#define SP_CORE_POLICY_PEER_H

#include "core/base/cidr.h"
#include "core/crypto/crypto.h"
#include "core/policy/rules.h"

enum sp_peer_proof { SP_PEER_BY_NETWORK, SP_PEER_BY_KEY, SP_PEER_BY_NAME };

enum { SP_PEER_NAME_MAX = 253 };

struct sp_peer_line {
    const char *service; /* a static text, or NULL: any */
    enum sp_peer_proof proof;
    struct sp_cidr network;
    struct sp_pin key;
    char name[SP_PEER_NAME_MAX + 1];
};
/* The three words behind "peer". SP_E_CONFIG with what is wrong. */
enum sp_err sp_peer_line_read(struct sp_view service, struct sp_view proof,
                              struct sp_view value, struct sp_peer_line *out,
                              struct sp_why *why) SP_MUST_USE;
enum sp_err sp_peer_line_print(const struct sp_peer_line *l,
                               struct sp_buf *out) SP_MUST_USE;

struct sp_peer_lines { /* borrowed */
    const struct sp_peer_line *at;
    size_t count;
};
enum sp_finding sp_rule_peer_network(const struct sp_facts *f,
                                     struct sp_peer_lines lines, struct sp_why *why);
enum sp_finding sp_rule_peer_identity(const struct sp_facts *f,
                                      struct sp_peer_lines lines, struct sp_why *why);

#endif
