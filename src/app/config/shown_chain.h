/* The chain a server shows, for people: `sallyport pin`, `init` and `doctor`. */
#ifndef SP_APP_CONFIG_SHOWN_CHAIN_H
#define SP_APP_CONFIG_SHOWN_CHAIN_H

#include "io/net/upstream.h"

enum { SP_WSUS_TLS_PORT = 8531 };

struct sp_address {
    char host[256]; /* without brackets */
    unsigned port;  /* 1.. */
};
/* "host:port", "[2001:db8::1]:8531", "https://host:port/"; 8531 where no port is named.
 */
bool sp_address_read(const char *text, struct sp_address *out);
/* "https://host:port", with brackets where they belong; text has room for 300 bytes. */
void sp_address_url(const struct sp_address *a, char text[300]);

/* The authorities of a file; one without a certificate is none. */
enum sp_err sp_authorities_load(const char *file, struct sp_buf *out,
                                struct sp_why *why) SP_MUST_USE;

/* Every certificate: names, issuer, key, dates, pin. On standard output. */
void sp_shown_chain_print(const struct sp_shown_chain *chain);

#endif
