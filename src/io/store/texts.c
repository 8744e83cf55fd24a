#include "io/store/texts.h"

#include "io/store/files.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOLDER "evidence/texts/"
enum { DIGEST_DIGITS = 64, LISTED_MAX = 2 * SP_TEXTS_KEPT };

/* ---- names ----------------------------------------------------------------------- */

static void name_of(const char *kind, const uint8_t sha256[32], char out[SP_TEXT_NAME])
{
    for (size_t i = 0; i < 32; i++) {
        snprintf(out + 2 * i, SP_TEXT_NAME - 2 * i, "%02x", sha256[i]);
    }
    snprintf(out + DIGEST_DIGITS, SP_TEXT_NAME - DIGEST_DIGITS, ".%.24s", kind);
}

static bool is_name(const char *name)
{
    size_t n = strlen(name);
    if (n <= DIGEST_DIGITS + 1 || n >= SP_TEXT_NAME || name[DIGEST_DIGITS] != '.') {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        bool good =
            i < DIGEST_DIGITS
                ? isxdigit((unsigned char)name[i]) && !isupper((unsigned char)name[i])
                : i == DIGEST_DIGITS || islower((unsigned char)name[i]);
        if (!good) {
            return false;
        }
    }
    return true;
}

static void path_of(const char *name, char out[SP_FILE_PATH_MAX])
{
    snprintf(out, SP_FILE_PATH_MAX, FOLDER "%s", name);
}

/* ---- what is there --------------------------------------------------------------- */

struct listing {
    struct sp_text_seen *at; /* owned */
    size_t count;
};

static enum sp_err list_one(void *ctx, int dir, const char *name)
{
    struct listing *l = ctx;
    struct stat st;
    if (!is_name(name) || l->count == LISTED_MAX ||
        fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(st.st_mode)) {
        return SP_OK;
    }
    struct sp_text_seen *s = &l->at[l->count++];
    *s = (struct sp_text_seen){.size = (uint64_t)st.st_size, .kept_at = st.st_mtime};
    snprintf(s->name, sizeof s->name, "%s", name);
    return SP_OK;
}

static int by_age(const void *a, const void *b)
{
    const struct sp_text_seen *x = a, *y = b;
    if (x->kept_at != y->kept_at) {
        return x->kept_at < y->kept_at ? -1 : 1;
    }
    return strcmp(x->name, y->name);
}

static enum sp_err list_all(int folder, struct listing *l)
{
    l->at = calloc(LISTED_MAX, sizeof *l->at);
    if (!l->at) {
        return SP_E_NOMEM;
    }
    SP_TRY(sp_dir_each(folder, list_one, l));
    qsort(l->at, l->count, sizeof *l->at, by_age);
    return SP_OK;
}

static void listing_fini(struct listing *l)
{
    free(l->at);
}

/* The oldest go, but never the one that was just kept. */
static enum sp_err prune(int state, const char *kept)
{
    SP_AUTO(listing_fini) struct listing l = {NULL, 0};
    SP_AUTO(sp_fd_close) int folder = -1;
    uint64_t bytes = 0;
    SP_TRY(sp_file_open_at(state, FOLDER ".", O_RDONLY | O_DIRECTORY, &folder));
    SP_TRY(list_all(folder, &l));
    for (size_t i = 0; i < l.count; i++) {
        bytes += l.at[i].size;
    }
    size_t left = l.count;
    for (size_t i = 0; i < l.count && (left > SP_TEXTS_KEPT || bytes > SP_TEXTS_BYTES);
         i++) {
        if (strcmp(l.at[i].name, kept) != 0 && unlinkat(folder, l.at[i].name, 0) == 0) {
            left--;
            bytes -= l.at[i].size;
        }
    }
    return SP_OK;
}

/* ---- keeping and reading --------------------------------------------------------- */

bool sp_text_is_kept(const char *state_dir, const char *kind, const uint8_t sha256[32])
{
    SP_AUTO(sp_fd_close) int state = -1;
    char name[SP_TEXT_NAME], path[SP_FILE_PATH_MAX];
    name_of(kind, sha256, name);
    path_of(name, path);
    return sp_dir_open(state_dir, &state, NULL) == SP_OK &&
           sp_file_is_there(state, path);
}

enum sp_err sp_text_keep(const char *state_dir, const char *kind, struct sp_view text,
                         const uint8_t sha256[32])
{
    SP_AUTO(sp_fd_close) int state = -1;
    char name[SP_TEXT_NAME], path[SP_FILE_PATH_MAX];
    name_of(kind, sha256, name);
    path_of(name, path);
    if (text.len > SP_TEXT_MAX) {
        return SP_E_LIMIT;
    }
    SP_TRY(sp_dir_open(state_dir, &state, NULL));
    if (sp_file_is_there(state, path)) {
        return SP_OK;
    }
    SP_TRY(sp_file_replace_at(state, path, text, 0600, SP_FILE_DURABLE));
    return prune(state, name);
}

enum sp_err sp_texts_each(const char *state_dir,
                          enum sp_err (*each)(void *ctx, const struct sp_text_seen *s),
                          void *ctx)
{
    SP_AUTO(listing_fini) struct listing l = {NULL, 0};
    SP_AUTO(sp_fd_close) int state = -1;
    SP_AUTO(sp_fd_close) int folder = -1;
    SP_TRY(sp_dir_open(state_dir, &state, NULL));
    enum sp_err e = sp_file_open_at(state, FOLDER ".", O_RDONLY | O_DIRECTORY, &folder);
    if (e != SP_OK) {
        return e == SP_E_NOTFOUND ? SP_OK : e;
    }
    SP_TRY(list_all(folder, &l));
    for (size_t i = 0; i < l.count; i++) {
        SP_TRY(each(ctx, &l.at[i]));
    }
    return SP_OK;
}

enum sp_err sp_text_read(const char *state_dir, const char *name, struct sp_buf *out)
{
    SP_AUTO(sp_fd_close) int state = -1;
    char path[SP_FILE_PATH_MAX];
    if (!is_name(name)) {
        return SP_E_MALFORMED;
    }
    path_of(name, path);
    SP_TRY(sp_dir_open(state_dir, &state, NULL));
    return sp_file_read_at(state, path, out);
}
