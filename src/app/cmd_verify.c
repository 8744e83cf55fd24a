#include "app/cmd.h"
#include "core/base/text.h"
#include "core/crypto/crypto.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct digest {
    bool sha256;
    uint8_t bytes[32];
};
struct wanted {
    struct digest at[32];
    size_t count;
};

/* "sha256:HEX", "sha1:HEX", or a bare hex or base64 digest of either length. */
static enum sp_err digest_parse(const char *text, struct digest *out)
{
    struct sp_view v = sp_view_str(text);
    if (sp_view_starts(v, SP_VIEW("sha256:"))) {
        v = sp_view_slice(v, 7, v.len);
    } else if (sp_view_starts(v, SP_VIEW("sha1:"))) {
        v = sp_view_slice(v, 5, v.len);
    }
    out->sha256 = v.len == 64 || v.len == 44;
    size_t n = out->sha256 ? 32 : 20;
    return v.len == 64 || v.len == 40 ? sp_hex_parse(v, out->bytes, n)
                                      : sp_base64_parse_exact(v, out->bytes, n);
}

static enum sp_err digest_file(const char *path, uint64_t *size, uint8_t sha1[20],
                               uint8_t sha256[32], struct sp_why *why)
{
    enum { PIECE = 256 * 1024 };
    SP_AUTO(sp_digester_free) struct sp_digester *d = NULL;
    SP_TRY(sp_digester_new(&d));
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    uint8_t *piece = fd >= 0 ? malloc(PIECE) : NULL;
    ssize_t n = piece ? 0 : -1;
    enum sp_err e = SP_OK;
    *size = 0;
    while (piece && e == SP_OK && (n = read(fd, piece, PIECE)) > 0) {
        *size += (uint64_t)n;
        e = sp_digester_update(d, sp_view(piece, (size_t)n));
    }
    int err = errno;
    free(piece);
    if (fd >= 0) {
        close(fd);
    }
    if (n < 0) {
        return sp_why_set(why, SP_E_IO, "%s: %s", path, strerror(err));
    }
    return e == SP_OK ? sp_digester_finish(d, sha1, sha256) : e;
}

static void print_hex(const uint8_t *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        printf("%02x", bytes[i]);
    }
}

static int verify_file(const char *path, const struct wanted *w)
{
    uint64_t size = 0;
    uint8_t sha1[20], sha256[32];
    struct sp_why why = {0};
    enum sp_err e = digest_file(path, &size, sha1, sha256, &why);
    if (e != SP_OK) {
        fprintf(stderr, "sallyport: %s\n", sp_why_text(&why, e));
        return SP_EXIT_UNKNOWN;
    }
    bool failed = false;
    for (size_t i = 0; i < w->count; i++) {
        failed = failed || (w->at[i].sha256 ? memcmp(w->at[i].bytes, sha256, 32)
                                            : memcmp(w->at[i].bytes, sha1, 20)) != 0;
    }
    printf("%s  %s  %" PRIu64 " bytes  sha1 ",
           w->count == 0 ? "unproven"
           : failed      ? "refused"
                         : "passed",
           path, size);
    print_hex(sha1, 20);
    printf("  sha256 ");
    print_hex(sha256, 32);
    printf("%s\n", failed ? "  a digest differs from the one that was named" : "");
    return failed ? SP_EXIT_REFUSED : SP_EXIT_PASSED;
}

int sp_cmd_verify(int argc, char **argv)
{
    struct wanted w = {0};
    int left = 0, status = SP_EXIT_PASSED;
    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--digest") != 0) {
            argv[left++] = argv[i];
            continue;
        }
        if (i + 1 == argc || w.count == sizeof w.at / sizeof w.at[0] ||
            digest_parse(argv[++i], &w.at[w.count++]) != SP_OK) {
            fprintf(stderr,
                    "sallyport: --digest takes sha1:HEX or sha256:HEX (or base64), "
                    "at most 32 times\n");
            return SP_EXIT_USAGE;
        }
    }
    if (left == 0) {
        fprintf(stderr,
                "usage: sallyport verify [--digest ALGORITHM:HEX]... FILE...\n");
        return SP_EXIT_USAGE;
    }
    for (int i = 0; i < left; i++) {
        int one = verify_file(argv[i], &w);
        status = one > status ? one : status;
    }
    return status;
}
