#include "app/watch/answers.h"

#include "io/store/files.h"
#include "io/store/journal.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    AT_NUMBER = 16,
    AT_DIGEST = 20,
    AT_CHECK = 52,
    ROWS_AT_ONCE = 1024,
    FILE_ROWS_MAX = 2 * SP_ANSWERS_MAX,
    SLACK = 1024 /* rows that may have been replaced before the file is written anew */
};

static void put32(uint8_t *to, uint32_t n)
{
    for (int i = 0; i < 4; i++) {
        to[i] = (uint8_t)(n >> 8 * (3 - i));
    }
}

static uint32_t get32(const uint8_t *from)
{
    return (uint32_t)from[0] << 24 | (uint32_t)from[1] << 16 | (uint32_t)from[2] << 8 |
           from[3];
}

static void write_row(const struct sp_revision_id *id, const uint8_t sha256[32],
                      uint8_t out[SP_ANSWERS_ROW])
{
    memcpy(out, id->id.bytes, AT_NUMBER);
    put32(out + AT_NUMBER, (uint32_t)id->number);
    memcpy(out + AT_DIGEST, sha256, 32);
    put32(out + AT_CHECK, sp_crc32c(sp_view(out, AT_CHECK)));
}

static bool read_row(const uint8_t row[SP_ANSWERS_ROW], struct sp_revision_id *id)
{
    memcpy(id->id.bytes, row, AT_NUMBER);
    id->number = (int32_t)get32(row + AT_NUMBER);
    return get32(row + AT_CHECK) == sp_crc32c(sp_view(row, AT_CHECK));
}

/* ---- the file -------------------------------------------------------------------- */

static void file_name(const char *name, const char *tail, char out[SP_FILE_PATH_MAX])
{
    char clean[SP_FILE_PATH_MAX / 2];
    snprintf(clean, sizeof clean, "%s", name);
    for (char *p = clean; *p; p++) {
        *p = isalnum((unsigned char)*p) || *p == '-' ? *p : '_';
    }
    snprintf(out, SP_FILE_PATH_MAX, "witnesses/%s%.32s", clean, tail);
}

static ssize_t read_at(int fd, uint64_t at, uint8_t *to, size_t n)
{
    ssize_t got = pread(fd, to, n, (off_t)at);
    while (got < 0 && errno == EINTR) {
        got = pread(fd, to, n, (off_t)at);
    }
    return got;
}

static bool is_about(int fd, const char *line)
{
    uint8_t head[SP_ANSWERS_ABOUT];
    size_t n = strlen(line);
    return read_at(fd, 0, head, n) == (ssize_t)n && memcmp(head, line, n) == 0;
}

/* Rows up to the first that is none; *rows of them. */
static enum sp_err load(struct sp_answers *a, uint64_t at, uint64_t *rows)
{
    uint8_t piece[ROWS_AT_ONCE * SP_ANSWERS_ROW];
    struct sp_revision_id id;
    for (bool more = true; more && *rows < FILE_ROWS_MAX;) {
        ssize_t n = read_at(a->fd, at, piece, sizeof piece);
        more = n == (ssize_t)sizeof piece;
        for (ssize_t i = 0; i + SP_ANSWERS_ROW <= n; i += SP_ANSWERS_ROW) {
            if (!read_row(piece + i, &id)) {
                more = false;
                break;
            }
            SP_TRY(sp_tier_book_set(&a->book, &id, piece + i + AT_DIGEST, 0));
            at += SP_ANSWERS_ROW;
            ++*rows;
        }
    }
    a->size = at;
    return SP_OK;
}

static enum sp_err write_book(const struct sp_answers *a, const char *line,
                              struct sp_buf *out)
{
    uint8_t row[SP_ANSWERS_ROW];
    SP_TRY(sp_buf_append_str(out, line));
    for (size_t i = 0; i < a->book.room; i++) {
        const struct sp_tier_row *r = &a->book.rows[i];
        if (r->used) {
            write_row(&r->id, r->document_sha256, row);
            SP_TRY(sp_buf_append(out, sp_view(row, sizeof row)));
        }
    }
    return SP_OK;
}

/* In one step: nobody sees half of it. */
static enum sp_err begin_anew(struct sp_answers *a, int state, const char *path,
                              const char *line)
{
    SP_AUTO(sp_buf_fini) struct sp_buf text;
    sp_buf_init(&text, SP_ANSWERS_ABOUT + (size_t)SP_ANSWERS_MAX * SP_ANSWERS_ROW);
    SP_TRY(write_book(a, line, &text));
    SP_TRY(sp_file_replace_at(state, path, sp_buf_view(&text), 0600, SP_FILE_DURABLE));
    sp_fd_close(&a->fd);
    SP_TRY(sp_file_open_at(state, path, O_RDWR, &a->fd));
    a->size = text.len;
    return SP_OK;
}

static enum sp_err open_file(struct sp_answers *a, int state, const char *path,
                             const char *line)
{
    uint64_t rows = 0;
    enum sp_err e = sp_file_open_at(state, path, O_RDWR, &a->fd);
    if (e == SP_OK && is_about(a->fd, line)) {
        SP_TRY(load(a, strlen(line), &rows));
        if (rows <= 2 * a->book.count + SLACK) {
            return ftruncate(a->fd, (off_t)a->size) == 0 ? SP_OK : sp_file_err(errno);
        }
        e = SP_OK;
    }
    return e == SP_OK || e == SP_E_NOTFOUND ? begin_anew(a, state, path, line) : e;
}

enum sp_err sp_answers_open(const char *state_dir, const char *name, const char *tail,
                            const char *about, struct sp_answers *out,
                            struct sp_why *why)
{
    SP_AUTO(sp_fd_close) int state = -1;
    char path[SP_FILE_PATH_MAX], line[SP_ANSWERS_ABOUT];
    *out = (struct sp_answers){.fd = -1};
    snprintf(line, sizeof line, "sallyport answers 1 %.*s\n", (int)sizeof line - 32,
             about);
    file_name(name, tail, path);
    enum sp_err e = sp_dir_open(state_dir, &state, NULL);
    if (e == SP_OK) {
        e = open_file(out, state, path, line);
    }
    if (e == SP_OK) {
        return SP_OK;
    }
    sp_fd_close(&out->fd);
    sp_why_say(why, "%s/%s: %s", state_dir, path, sp_err_text(e));
    return e == SP_E_NOMEM ? e : SP_OK;
}

void sp_answers_close(struct sp_answers *a)
{
    sp_tier_book_fini(&a->book);
    sp_fd_close(&a->fd);
}

/* ---- answers --------------------------------------------------------------------- */

const struct sp_tier_row *sp_answers_find(const struct sp_answers *a,
                                          const struct sp_revision_id *id)
{
    return sp_tier_book_find(&a->book, id);
}

bool sp_answers_is_nothing(const struct sp_tier_row *row)
{
    static const uint8_t nothing[32];
    return memcmp(row->document_sha256, nothing, sizeof nothing) == 0;
}

enum sp_err sp_answers_put(struct sp_answers *a, const struct sp_revision_id *id,
                           const uint8_t sha256[32], uint64_t when)
{
    uint8_t bytes[SP_ANSWERS_ROW];
    const struct sp_tier_row *row = sp_answers_find(a, id);
    bool same = row && memcmp(row->document_sha256, sha256, 32) == 0;
    if (!row && a->book.count >= SP_ANSWERS_MAX) {
        return SP_E_LIMIT;
    }
    SP_TRY(sp_tier_book_set(&a->book, id, sha256, when));
    bool has_room = a->size < (uint64_t)FILE_ROWS_MAX * SP_ANSWERS_ROW;
    if (same || a->fd < 0 || !has_room) {
        return SP_OK;
    }
    write_row(id, sha256, bytes);
    a->unsynced = true;
    enum sp_err e = sp_file_write(a->fd, a->size, sp_view(bytes, sizeof bytes));
    if (e == SP_OK) {
        a->size += sizeof bytes;
    } else {
        a->failed = e; /* sync tells */
    }
    return SP_OK;
}

enum sp_err sp_answers_sync(struct sp_answers *a)
{
    if (a->fd < 0 || !a->unsynced) {
        return SP_OK;
    }
    a->unsynced = false;
    if (a->failed == SP_OK && fdatasync(a->fd) != 0) {
        a->failed = sp_file_err(errno);
    }
    if (a->failed != SP_OK) {
        sp_fd_close(&a->fd);
    }
    return a->failed;
}
