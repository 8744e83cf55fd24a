/* Inside of the configuration: what its files share. */
#ifndef SP_APP_CONFIG_CONFIG_PARTS_H
#define SP_APP_CONFIG_CONFIG_PARTS_H

#include "app/config/config.h"
#include "app/config/config_take.h"

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
/* Each takes what is in its section or sections into what its caller owns, also after a
 * failure; c holds what was taken before. */
enum sp_err sp_config_take_upstream(const struct sp_config_place *p, cfg_t *sec,
                                    struct sp_config_upstream *u) SP_MUST_USE;
/* The pins, among them those of shipped sets that are named. */
enum sp_err sp_config_take_pins(const struct sp_config_place *p, cfg_t *sec,
                                struct sp_config_upstream *u) SP_MUST_USE;
/* The prefetch keys. */
enum sp_err sp_config_take_ahead(const struct sp_config_place *p, cfg_t *sec,
                                 struct sp_ahead_conf *out) SP_MUST_USE;
enum sp_err sp_config_take_listener(const struct sp_config_place *p, cfg_t *sec,
                                    struct sp_config *c,
                                    struct sp_config_listener *l) SP_MUST_USE;
/* The url is cut into where the server is and what is asked for there, which has to be
 * simple; wrong says what is wanted else. */
enum sp_err sp_config_take_source(const struct sp_config_place *p, cfg_t *sec,
                                  struct sp_config_upstream *u, char **target,
                                  const char *wrong) SP_MUST_USE;
enum sp_err sp_config_take_catalogs(struct sp_config *c, cfg_t *cfg,
                                    struct sp_config_place p) SP_MUST_USE;
enum sp_err sp_config_take_witnesses(struct sp_config *c, cfg_t *cfg,
                                     struct sp_config_place p) SP_MUST_USE;
enum sp_err sp_config_take_cosigners(struct sp_config *c, cfg_t *cfg,
                                     struct sp_config_place p) SP_MUST_USE;
enum sp_err sp_config_take_admin(struct sp_config *c, cfg_t *cfg,
                                 struct sp_config_place p) SP_MUST_USE;
/* A list of public keys, of ledgers or of cosigners. */
enum sp_err sp_config_take_keys(const struct sp_config_place *p, cfg_t *sec,
                                const char *key, bool of_cosigners,
                                struct sp_config_keys *out) SP_MUST_USE;
void sp_config_witness_fini(struct sp_config_witness *w);
void sp_config_keys_fini(struct sp_config_keys *k);
/* "0.0.0.0:8531", "[::]:8531" */
bool sp_config_is_address(const char *bind);
/* Turns a parsed tree into c. text is for line numbers. */
enum sp_err sp_config_take(struct sp_config *c, cfg_t *cfg, struct sp_view text,
                           struct sp_why *why) SP_MUST_USE;
/* The keys of a section of config.def, in order; *count of them. */
const char *const *sp_config_keys(const char *section, size_t *count);

#endif
