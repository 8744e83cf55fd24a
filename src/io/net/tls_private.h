/* Shared by the files of the TLS transport; nobody else includes OpenSSL here. */
#ifndef SP_IO_NET_TLS_PRIVATE_H
#define SP_IO_NET_TLS_PRIVATE_H

#include "io/net/transport.h"

#include <openssl/ssl.h>

/* A new SSL of the listener's identity, in accept state, or NULL. */
SSL *sp_tls_server_session(struct sp_tls_server *t);

/* A BIO whose bytes come from and go to t. offer_kernel: keys that OpenSSL offers go to the
 * kernel. NULL when memory ran out. */
BIO *sp_tls_bio_new(struct sp_transport *t, bool offer_kernel);
/* Reads the socket into the window when nothing received is left to read. */
enum sp_err sp_tls_bio_fill(struct sp_transport *t);
/* Sends what was gathered. SP_E_AGAIN: a rest waits in t->unsent. */
enum sp_err sp_tls_bio_flush(struct sp_transport *t);
/* Moves received bytes that were not read to memory of the connection. */
enum sp_err sp_tls_bio_park(struct sp_transport *t);

#endif
