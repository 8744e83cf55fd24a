#include "io/net/tls_secret.h"

#include "sallyport/bytes.h"

#include <malloc.h>
#include <openssl/crypto.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* A handshake has a key of 32 bytes there as long as its connection lives: room for a
 * quarter of a million of them. Only what is used takes memory. */
enum { HEAP = 8 << 20, SMALLEST = 32 };

/* OpenSSL takes a buffer for each record and gives it back behind it; malloc would join
 * and divide its free memory for that. Of these a thread keeps one. */
enum { RECORD_MIN = 16 << 10, RECORD_ROOM = 17 << 10 };

static pthread_key_t kept_record; /* frees it with its thread */

static void *give_record(void)
{
    void *kept = pthread_getspecific(kept_record);
    if (kept) {
        pthread_setspecific(kept_record, NULL);
    }
    return kept ? kept : malloc(RECORD_ROOM);
}

static bool keep_record(void *p)
{
    return malloc_usable_size(p) - RECORD_ROOM < SMALLEST &&
           !pthread_getspecific(kept_record) &&
           pthread_setspecific(kept_record, p) == 0;
}

static _Thread_local unsigned wiping;

static void *give(size_t n, const char *file, int line)
{
    (void)file, (void)line;
    if (n > RECORD_MIN && n <= RECORD_ROOM) {
        return give_record();
    }
    return n ? malloc(n) : NULL;
}

static void take_back(void *p, const char *file, int line)
{
    (void)file, (void)line;
    if (p && wiping) {
        sp_bytes_wipe(p, malloc_usable_size(p));
    }
    if (p && !keep_record(p)) {
        free(p);
    }
}

/* realloc leaves a copy behind where it moves. */
static void *move(void *p, size_t n)
{
    size_t old = malloc_usable_size(p);
    void *to = malloc(n);
    if (to) {
        memcpy(to, p, old < n ? old : n);
        sp_bytes_wipe(p, old);
        free(p);
    }
    return to;
}

static void *give_other(void *p, size_t n, const char *file, int line)
{
    if (!p) {
        return give(n, file, line);
    }
    if (n == 0) {
        take_back(p, file, line);
        return NULL;
    }
    return wiping ? move(p, n) : realloc(p, n);
}

bool sp_tls_secrets_start(void)
{
    int has_key = pthread_key_create(&kept_record, free);
    int ours = CRYPTO_set_mem_functions(give, give_other, take_back);
    SP_ASSERT(ours && has_key == 0); /* nobody was here before */
    return CRYPTO_secure_malloc_init(HEAP, SMALLEST) == 1;
}

void sp_tls_secret_begin(void)
{
    wiping++;
}

void sp_tls_secret_end(void)
{
    SP_ASSERT(wiping);
    wiping--;
}
