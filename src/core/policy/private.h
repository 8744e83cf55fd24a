/* A policy from the inside: what reading, judging and printing share. */
#ifndef SP_CORE_POLICY_PRIVATE_H
#define SP_CORE_POLICY_PRIVATE_H

#include "core/base/limits.h"
#include "core/policy/peer.h"
#include "core/policy/place.h"
#include "core/policy/publisher.h"

struct sp_policy {
    char name[SP_LIMIT_POLICY_NAME + 1]; /* NUL-terminated */
    enum sp_mode modes[SP_RULE_COUNT];
    enum sp_action actions[SP_RULE_COUNT];
    struct sp_place_line places[SP_LIMIT_PLACE_LINES];
    size_t place_count;
    struct sp_peer_line peers[SP_LIMIT_PEER_LINES];
    size_t peer_count;
    struct sp_publisher publishers[SP_LIMIT_PUBLISHERS];
    size_t publisher_count;
};

/* Every name of a kind, for finding one and for the nearest to a wrong one. */
extern const char *const sp_rule_texts[SP_RULE_COUNT];
enum { SP_MODES = SP_MODE_ENFORCE + 1, SP_ACTIONS = SP_ACTION_WITHHOLD + 1 };
extern const char *const sp_mode_texts[SP_MODES];
extern const char *const sp_action_texts[SP_ACTIONS];

struct sp_peer_lines sp_policy_peers(const struct sp_policy *p);

#endif
