/* Inside of the configuration: what its files share. */
#ifndef SP_APP_CONFIG_CONFIG_PARTS_H
#define SP_APP_CONFIG_CONFIG_PARTS_H

#include "app/config/config.h"

#include <confuse.h>

/* Line of a section's head, or of a key inside it, in the text; 0 when it is not there.
 * section NULL: the top level. title NULL: a section without title. */
int sp_config_line(struct sp_view text, const char *section, const char *title,
                   const char *key);

/* Refuses what libconfuse would read otherwise than it looks: config_text.c. */
enum sp_err sp_config_check_text(const char *file, struct sp_view text,
                                 struct sp_why *why) SP_MUST_USE;
/* config_twice.c: no key stands twice in a section, where the last would silently win.
 * The text is one that was read already. */
enum sp_err sp_config_check_twice(const char *file, struct sp_view text,
                                  struct sp_why *why) SP_MUST_USE;
/* config_pins.c: the pins of a section, among them those of shipped sets that are
 * named. SP_E_CONFIG with *what. */
enum sp_err sp_config_take_pins(cfg_t *sec, struct sp_config_upstream *u,
                                const char **what) SP_MUST_USE;
/* config_ahead.c: the prefetch keys of an upstream section. SP_E_CONFIG: *key and *what say
 * which is wrong and why. */
enum sp_err sp_config_take_ahead(cfg_t *sec, struct sp_ahead_conf *out, const char **key,
                                 const char **what) SP_MUST_USE;
/* config_witness.c: a witness section, the same way; catalog and upstreams are known. */
enum sp_err sp_config_take_witness(const struct sp_config *c, cfg_t *sec,
                                   struct sp_config_witness *w, const char **key,
                                   const char **what) SP_MUST_USE;
void sp_config_witness_fini(struct sp_config_witness *w);
/* config_cosign.c: a list of public keys, of ledgers or of cosigners, the same way. */
enum sp_err sp_config_take_keys(cfg_t *sec, const char *key, bool of_cosigners,
                                struct sp_config_keys *out,
                                const char **what) SP_MUST_USE;
/* The same of what only a cosigner section has; the others of c are known. */
enum sp_err sp_config_take_cosigner(const struct sp_config *c, cfg_t *sec,
                                    struct sp_config_cosigner *out, const char **key,
                                    const char **what) SP_MUST_USE;
void sp_config_keys_fini(struct sp_config_keys *k);
/* config_admin.c: what the admin section says of looking from elsewhere, the same way. */
enum sp_err sp_config_take_admin(cfg_t *sec, struct sp_config_admin *out,
                                 const char **key, const char **what) SP_MUST_USE;
/* "0.0.0.0:8531", "[::]:8531" */
bool sp_config_is_address(const char *bind);
/* Turns a parsed tree into c. text is for line numbers. */
enum sp_err sp_config_take(struct sp_config *c, cfg_t *cfg, struct sp_view text,
                           struct sp_why *why) SP_MUST_USE;
/* The keys of a section of config.def, in order; *count of them. */
const char *const *sp_config_keys(const char *section, size_t *count);

#endif
