/* The keys that seal cookies: state_dir/cookie-keys, mode 0600. Whoever runs the daemon
 * turns them once a day; cookies sealed with an old one are good until their time is
 * up, also after a restart. A set of keys is immutable and counted, usable on every
 * loop. */
#ifndef SP_APP_SHARED_SEALS_H
#define SP_APP_SHARED_SEALS_H

#include "core/gate/seal.h"

#include <stdatomic.h>

struct sp_seals {
    atomic_uint refs; /* private */
    struct sp_seal_keys keys;
};
/* Reads the file, makes it where it is missing, turns the keys where that is due. A
 * file that cannot be read as keys is SP_E_CORRUPT: nobody but us writes it. */
enum sp_err sp_seals_open(const char *state_dir, int64_t now, struct sp_seals **out,
                          struct sp_why *why) SP_MUST_USE;
/* New keys where that is due: *out is a fresh set; else it is NULL. */
enum sp_err sp_seals_turn(const char *state_dir, const struct sp_seals *old,
                          int64_t now, struct sp_seals **out,
                          struct sp_why *why) SP_MUST_USE;
struct sp_seals *sp_seals_ref(struct sp_seals *s);
void sp_seals_unref(struct sp_seals **s);

#endif
