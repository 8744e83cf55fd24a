/* The C2SP view of the tail: partial tiles, the partial bundle, the checkpoint. New
 * files first, then the checkpoint that needs them, then the old ones go. */
#include "io/store/ledger_inside.h"

#include "io/store/files.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Everything that has a partial tile: the levels and, in front, the entries. */
static void partial_path(int level, uint64_t index, unsigned width,
                         char path[SP_TILE_PATH_MAX])
{
    if (level < 0) {
        sp_tile_entries_path(index, width, path);
    } else {
        sp_tile_path((unsigned)level, index, width, path);
    }
}

static unsigned width_of(const struct sp_ledger_files *l, int level)
{
    return level <= 0 ? (unsigned)sp_ledger_tail_count(l) : l->base->edges[level].count;
}

static struct sp_view bytes_of(const struct sp_ledger_files *l, int level)
{
    if (level < 0) {
        return sp_buf_view(&l->tail);
    }
    if (level == 0) {
        return sp_buf_view(&l->leaves);
    }
    const struct sp_edge *edge = &l->base->edges[level];
    return sp_view(edge->hashes, (size_t)edge->count * SP_HASH);
}

/* The number of the tile that is not full, for a base of that size. */
static uint64_t index_of(uint64_t base, int level)
{
    return base >> (level < 0 ? 0 : 8 * level) >> 8;
}

static enum sp_err write_partials(struct sp_ledger_files *l)
{
    for (int level = -1; level < SP_TILE_LEVELS; level++) {
        char path[SP_TILE_PATH_MAX];
        unsigned width = width_of(l, level);
        if (width == 0) {
            continue;
        }
        partial_path(level, index_of(l->base->merkle.size, level), width, path);
        if (level > 0 && sp_file_is_there(l->dir, path) &&
            l->view_base == l->base->merkle.size) {
            continue; /* it changes when the base does */
        }
        SP_TRY(
            sp_file_replace_at(l->dir, path, bytes_of(l, level), 0644, SP_FILE_VIEW));
    }
    return SP_OK;
}

static enum sp_err unlink_other(void *ctx, int dir, const char *name)
{
    const char *kept = ctx;
    if (strcmp(name, kept) != 0) {
        unlinkat(dir, name, 0);
    }
    return SP_OK;
}

/* Removes every partial of a tile but the one of this width; 0 for none. */
static void clean(const struct sp_ledger_files *l, int level, uint64_t index,
                  unsigned width)
{
    SP_AUTO(sp_fd_close) int fd = -1;
    char path[SP_TILE_PATH_MAX];
    partial_path(level, index, width ? width : 1, path);
    char *kept = strrchr(path, '/');
    *kept++ = '\0';
    if (sp_file_open_at(l->dir, path, O_RDONLY | O_DIRECTORY, &fd) != SP_OK) {
        return;
    }
    if (width == 0) {
        *kept = '\0';
    }
    if (sp_dir_each(fd, unlink_other, kept) == SP_OK && width == 0) {
        unlinkat(l->dir, path, AT_REMOVEDIR);
    }
}

static void clean_all(const struct sp_ledger_files *l)
{
    for (int level = -1; level < SP_TILE_LEVELS; level++) {
        uint64_t now = index_of(l->base->merkle.size, level);
        for (uint64_t i = index_of(l->view_base, level); i < now; i++) {
            clean(l, level, i, 0);
        }
        clean(l, level, now, width_of(l, level));
    }
}

void sp_ledger_write_view(struct sp_ledger_files *l)
{
    if (write_partials(l) != SP_OK ||
        sp_file_replace_at(l->dir, "checkpoint", sp_buf_view(&l->note), 0644,
                           SP_FILE_VIEW) != SP_OK) {
        return;
    }
    clean_all(l);
    l->view_base = l->base->merkle.size;
}
