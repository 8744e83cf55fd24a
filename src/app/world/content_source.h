/* Whom to ask for content besides the upstream: what a configuration says of all of its
 * content hosts, and one of them as a peer.
 *
 * There are no pins to be configured for them: the certificates of their CA file are
 * the only anchors and their keys the pins. Immutable once made. */
#ifndef SP_APP_WORLD_CONTENT_SOURCE_H
#define SP_APP_WORLD_CONTENT_SOURCE_H

#include "app/config/config.h"
#include "io/net/upstream.h"

struct sp_content_sources;
/* Reads the CA file and proves that it can be used. SP_E_CONFIG, and as sp_file_read.
 */
enum sp_err sp_content_sources_new(const struct sp_config_upstream *u,
                                   struct sp_content_sources **out,
                                   struct sp_why *why) SP_MUST_USE;
void sp_content_sources_free(struct sp_content_sources **s);

/* host is sp_source's: "host" or "host:port". */
enum sp_err sp_content_source_open(const struct sp_content_sources *s, const char *host,
                                   struct sp_upstream **out,
                                   struct sp_why *why) SP_MUST_USE;

#endif
