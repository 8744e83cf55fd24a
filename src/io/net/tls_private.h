/* Shared by the files of the TLS transport; nobody else includes OpenSSL here. */
#ifndef SP_IO_NET_TLS_PRIVATE_H
#define SP_IO_NET_TLS_PRIVATE_H

#include "io/net/transport.h"

#include <openssl/ssl.h>

/* A new SSL of the listener's identity, in accept state, or NULL. */
SSL *sp_tls_server_session(struct sp_tls_server *t);

/* Who may have the keys of what is sent. */
struct sp_tls_senders {
    bool kernel, own;
};
struct sp_tls_senders sp_tls_server_senders(const struct sp_tls_server *t);

/* A BIO whose bytes come from and go to t. Keys that OpenSSL offers go to the first of
 * the senders that takes them. NULL when memory ran out. */
BIO *sp_tls_bio_new(struct sp_transport *t, struct sp_tls_senders senders);
/* Gathers a record of what is sent, made with t->records. */
enum sp_err sp_tls_bio_seal(struct sp_transport *t, uint8_t type,
                            struct sp_view payload) SP_MUST_USE;
/* Reads the socket into the window when nothing received is left to read. */
enum sp_err sp_tls_bio_fill(struct sp_transport *t);
/* Sends what was gathered. SP_E_AGAIN: a rest waits in t->unsent. */
enum sp_err sp_tls_bio_flush(struct sp_transport *t);
/* Moves received bytes that were not read to memory of the connection. */
enum sp_err sp_tls_bio_park(struct sp_transport *t);

#endif
