/* Keys inside of OpenSSL: they live in its secure heap, and what it frees while it reads
 * one is wiped.
 *
 * OpenSSL keeps the numbers of private keys in that heap by itself once it is there; what
 * it does not care about are the texts and the DER it decodes on the way, which it gives
 * back as they are. So its allocator is ours, and wipes between begin and end. Kept
 * outside of that heap: the Montgomery forms of an RSA key's primes, made at the first
 * signature; they are wiped with the key. ECDSA and Ed25519 have none. */
#ifndef SP_IO_NET_TLS_SECRET_H
#define SP_IO_NET_TLS_SECRET_H

#include <stdbool.h>

/* Once, before anything of OpenSSL runs and before threads; without it all else here does
 * nothing, and keys are in ordinary memory. False: the heap is there, and could not be
 * locked into memory (RLIMIT_MEMLOCK). */
bool sp_tls_secrets_start(void);

/* On this thread; they nest. */
void sp_tls_secret_begin(void);
void sp_tls_secret_end(void);

#endif
