#include "app/shared/board.h"

#include <string.h>

enum sp_err sp_board_init(struct sp_board *b)
{
    memset(b->rows, 0, sizeof b->rows);
    return uv_mutex_init(&b->lock) == 0 ? SP_OK : SP_E_NOMEM;
}

void sp_board_fini(struct sp_board *b)
{
    uv_mutex_destroy(&b->lock);
}

size_t sp_board_put(struct sp_board *b, const uint8_t sha1[20], uint64_t size)
{
    size_t row = 0;
    uv_mutex_lock(&b->lock);
    while (row < SP_BOARD_ROWS && b->rows[row].used) {
        row++;
    }
    if (row < SP_BOARD_ROWS) {
        b->rows[row] = (struct sp_board_row){.used = true, .size = size};
        memcpy(b->rows[row].sha1, sha1, 20);
    }
    uv_mutex_unlock(&b->lock);
    return row;
}

void sp_board_have(struct sp_board *b, size_t row, uint64_t have)
{
    if (row < SP_BOARD_ROWS) {
        uv_mutex_lock(&b->lock);
        b->rows[row].have = have;
        uv_mutex_unlock(&b->lock);
    }
}

void sp_board_drop(struct sp_board *b, size_t row)
{
    if (row < SP_BOARD_ROWS) {
        uv_mutex_lock(&b->lock);
        b->rows[row].used = false;
        uv_mutex_unlock(&b->lock);
    }
}

void sp_board_read(struct sp_board *b, struct sp_board_row out[SP_BOARD_ROWS])
{
    uv_mutex_lock(&b->lock);
    memcpy(out, b->rows, sizeof b->rows);
    uv_mutex_unlock(&b->lock);
}
