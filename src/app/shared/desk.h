/* The desk: small tables for status.json, on the main loop; posting is from any thread. */
#ifndef SP_APP_SHARED_DESK_H
#define SP_APP_SHARED_DESK_H

#include "io/loop/loop.h"

struct sp_desk;
struct sp_observation; /* observed.h */
struct sp_link_report; /* io/net/upstream.h */

enum sp_err sp_desk_new(struct sp_loop *main_loop, struct sp_desk **out) SP_MUST_USE;
void sp_desk_free(struct sp_desk **d);
void sp_desk_plain_http(struct sp_desk *d, const char *peer, const char *operation,
                        bool refused);
struct sp_desk_refusal {
    char what[16], peer[64], operation[40], rule[40], why[SP_WHY_MAX];
    bool has_entry;
    uint64_t entry;
};
void sp_desk_refused(struct sp_desk *d, const struct sp_desk_refusal *r);
/* Rules in observe or audit mode failed: observed.h. */
void sp_desk_observed(struct sp_desk *d, const struct sp_observation *o);
/* The upstream answered well, or failed: for its state in status. */
void sp_desk_upstream(struct sp_desk *d, const char *name, enum sp_err e,
                      const char *why, const struct sp_link_report *link);
/* On the main loop: unix seconds; 0: not since the daemon started. */
int64_t sp_desk_last_good(const struct sp_desk *d, const char *name);
/* When the first certificate of its proven chain ends; 0: none was proven yet. */
int64_t sp_desk_ends(const struct sp_desk *d, const char *name);

#endif
