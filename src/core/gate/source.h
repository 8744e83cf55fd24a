/* A content source: a host besides the upstream that a file may be fetched from. The
 * addresses (MUUrl of GetUpdateData) come from metadata; which hosts may be asked is
 * the configuration's alone, and there are none by default. Bytes of a source are
 * proven as the upstream's are: by digest, size and signature.
 *
 * Refuses to know: whether a host is Microsoft's. Pure. */
#ifndef SP_CORE_GATE_SOURCE_H
#define SP_CORE_GATE_SOURCE_H

#include "core/wsus/wsus.h"

enum {
    SP_SOURCE_HOST = 272, /* "host" or "host:port", with the NUL */
    SP_SOURCE_HOSTS = 32  /* patterns an upstream may have */
};

/* "name", "name:port", "*.name.name" or that with a port; the port is that of TLS. */
bool sp_source_is_pattern(struct sp_view text);

struct sp_source_hosts {
    char **at; /* borrowed: patterns; see above */
    size_t count;
};
struct sp_source {
    char host[SP_SOURCE_HOST]; /* lower case */
    char path[SP_FILE_URL];
};
/* The address of the file with this SHA-1: http or https, a host of the list with its
 * very port or without one, a plain path whose last part is named by the digest, no
 * query. The scheme does not matter: how a host is asked is the fill's to say.
 * SP_E_MALFORMED, SP_E_DENIED (another host). */
enum sp_err sp_source_read(struct sp_view url, const uint8_t sha1[20],
                           const struct sp_source_hosts *hosts,
                           struct sp_source *out) SP_MUST_USE;

#endif
