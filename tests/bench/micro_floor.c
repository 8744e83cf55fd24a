/* What no proxy of this kind can go below: each step that a file takes through it,
 * alone, in ms of a thread's CPU for 64 MiB, by OpenSSL's own record layer over
 * loopback, TLS 1.3 with AES-128-GCM. A hit is read and sent; a file that comes is
 * received, written and digested too. The best of several rounds, because whatever
 * disturbs makes it slower. Nothing passes or fails here. micro_floor DIRECTORY, for a
 * file of 64 MiB. */
#include "core/crypto/crypto.h"
#include "io/net/transport.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BYTES = 64 << 20, SLICE = 128 << 10, AHEAD = 256 << 10, ROUNDS = 7 };

static double cpu_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void must(bool holds, const char *what)
{
    if (!holds) {
        perror(what);
        exit(1);
    }
}

/* As the server's, whose pages are there already. */
static uint8_t *buffer(size_t size)
{
    uint8_t *made = sp_wire_buffer_new(size);
    must(made, "memory");
    memset(made, 'x', size);
    return made;
}

/* --- a connection over loopback, both ends in this process --- */

struct end {
    SSL *ssl;
    int fd;
    uint8_t *bytes; /* where slices are put: SLICE */
    int file;       /* what is sent is read from here; -1: memory */
    double ms;
};

static SSL_CTX *context(bool is_server)
{
    SSL_CTX *made = SSL_CTX_new(is_server ? TLS_server_method() : TLS_client_method());
    must(made && SSL_CTX_set_ciphersuites(made, "TLS_AES_128_GCM_SHA256") == 1, "TLS");
    SSL_CTX_set_min_proto_version(made, TLS1_3_VERSION);
    SSL_CTX_set_read_ahead(made, 1);
    SSL_CTX_set_default_read_buffer_len(made, AHEAD);
    return made;
}

/* A certificate that nobody checks. */
static void certify(SSL_CTX *server)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = X509_new();
    must(key && cert && X509_set_pubkey(cert, key) == 1, "certificate");
    X509_gmtime_adj(X509_getm_notBefore(cert), 0);
    X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
    must(X509_sign(cert, key, EVP_sha256()) > 0 &&
             SSL_CTX_use_certificate(server, cert) == 1 &&
             SSL_CTX_use_PrivateKey(server, key) == 1,
         "certificate");
    X509_free(cert);
    EVP_PKEY_free(key);
}

static void sockets(int fds[2])
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(at);
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    must(bind(listener, (struct sockaddr *)&at, len) == 0 && listen(listener, 1) == 0 &&
             getsockname(listener, (struct sockaddr *)&at, &len) == 0,
         "listen");
    fds[1] = socket(AF_INET, SOCK_STREAM, 0);
    must(connect(fds[1], (struct sockaddr *)&at, len) == 0, "connect");
    fds[0] = accept(listener, NULL, NULL);
    must(fds[0] >= 0, "accept");
    close(listener);
}

static SSL *tls(SSL_CTX *context, int fd)
{
    SSL *made = SSL_new(context);
    must(made && SSL_set_fd(made, fd) == 1, "TLS");
    return made;
}

static void *send_all(void *arg)
{
    struct end *e = arg;
    must(SSL_accept(e->ssl) == 1, "handshake");
    double start = cpu_ms();
    for (size_t at = 0; at < BYTES; at += SLICE) {
        must(e->file < 0 || pread(e->file, e->bytes, SLICE, (off_t)at) == SLICE,
             "read");
        must(SSL_write(e->ssl, e->bytes, SLICE) == SLICE, "send");
    }
    e->ms = cpu_ms() - start;
    return NULL;
}

static void *receive_all(void *arg)
{
    struct end *e = arg;
    must(SSL_connect(e->ssl) == 1, "handshake");
    double start = cpu_ms();
    for (size_t had = 0; had < BYTES;) {
        int got = SSL_read(e->ssl, e->bytes, SLICE);
        must(got > 0, "receive");
        had += (size_t)got;
    }
    e->ms = cpu_ms() - start;
    return NULL;
}

/* What both ends took for 64 MiB; file: what is sent is read from it, -1: memory. */
static void pass(SSL_CTX *server, SSL_CTX *client, uint8_t *room, int file,
                 double took[2])
{
    int fds[2];
    pthread_t receiver;
    sockets(fds);
    struct end sends = {.ssl = tls(server, fds[0]), .bytes = room, .file = file},
               takes = {.ssl = tls(client, fds[1]), .bytes = room + 2 * SLICE};
    must(pthread_create(&receiver, NULL, receive_all, &takes) == 0, "thread");
    send_all(&sends);
    pthread_join(receiver, NULL);
    took[0] = sends.ms;
    took[1] = takes.ms;
    SSL_free(sends.ssl);
    SSL_free(takes.ssl);
    close(fds[0]);
    close(fds[1]);
}

/* --- what needs no connection --- */

static double write_all(const char *dir, const uint8_t *bytes)
{
    int fd = open(dir, O_TMPFILE | O_WRONLY, 0600);
    must(fd >= 0, dir);
    double start = cpu_ms();
    for (size_t at = 0; at < BYTES; at += AHEAD) {
        must(pwrite(fd, bytes + at, AHEAD, (off_t)at) == AHEAD, "write");
    }
    double took = cpu_ms() - start;
    close(fd);
    return took;
}

static double digest_all(const uint8_t *bytes)
{
    struct sp_digester *d = NULL;
    uint8_t sha1[20], sha256[32];
    double start = cpu_ms();
    SP_ASSERT(sp_digester_new_in_parts(1 << 20, BYTES >> 20, &d) == SP_OK);
    for (size_t at = 0; at < BYTES; at += SLICE) {
        SP_ASSERT(sp_digester_update(d, sp_view(bytes + at, SLICE)) == SP_OK);
    }
    SP_ASSERT(sp_digester_finish(d, sha1, sha256) == SP_OK);
    double took = cpu_ms() - start;
    sp_digester_free(&d);
    return took;
}

static void keep_least(double *least, double took)
{
    *least = took < *least ? took : *least;
}

static void row(const char *what, double ms)
{
    printf("%-52s %6.1f %8.3f\n", what, ms, ms / 1e3 / (BYTES / 1e9));
}

int main(int argc, char **argv)
{
    const char *dir = argc > 1 ? argv[1] : "/tmp";
    double received = 1e9, sent = 1e9, hit = 1e9, written = 1e9, digested = 1e9;
    SSL_CTX *server = context(true), *client = context(false);
    uint8_t *bytes = buffer(BYTES), *room = buffer(4 * SLICE);
    int file = open(dir, O_TMPFILE | O_RDWR, 0600);
    certify(server);
    must(file >= 0 && write(file, bytes, BYTES) == BYTES, dir);
    for (int i = 0; i < ROUNDS; i++) {
        double ends[2];
        pass(server, client, room, -1, ends);
        keep_least(&sent, ends[0]);
        keep_least(&received, ends[1]);
        pass(server, client, room, file, ends);
        keep_least(&hit, ends[0]);
        keep_least(&written, write_all(dir, bytes));
        keep_least(&digested, digest_all(bytes));
    }
    printf("%-52s     ms     s/GB\n", "64 MiB");
    row("received and decrypted", received);
    row("written to a file", written);
    row("SHA-1, SHA-256, SHA-256 of every MiB", digested);
    row("encrypted and sent", sent);
    row("read from a file, encrypted and sent: a hit", hit);
    row("a file that comes, digests and all", received + written + digested + hit);
    row("the same without digests", received + written + hit);
    close(file);
    sp_wire_buffer_free(bytes);
    sp_wire_buffer_free(room);
    SSL_CTX_free(server);
    SSL_CTX_free(client);
    return 0;
}
