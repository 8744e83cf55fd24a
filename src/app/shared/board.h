/* The board: which downloads are under way and how far they are. Written by the
 * filler's loop, read by anybody. */
#ifndef SP_APP_SHARED_BOARD_H
#define SP_APP_SHARED_BOARD_H

#include "sallyport/bytes.h"

#include <uv.h>

enum { SP_BOARD_ROWS = 64, SP_BOARD_NONE = SP_BOARD_ROWS };

struct sp_board_row {
    bool used;
    uint8_t sha1[20];
    uint64_t size, have; /* bytes */
};
struct sp_board {
    uv_mutex_t lock;
    struct sp_board_row rows[SP_BOARD_ROWS];
};

enum sp_err sp_board_init(struct sp_board *b) SP_MUST_USE; /* SP_E_NOMEM */
void sp_board_fini(struct sp_board *b);
/* A row of one's own; SP_BOARD_NONE when all are taken: the download is then not shown.
 */
size_t sp_board_put(struct sp_board *b, const uint8_t sha1[20], uint64_t size);
void sp_board_have(struct sp_board *b, size_t row, uint64_t have);
void sp_board_drop(struct sp_board *b, size_t row);
void sp_board_read(struct sp_board *b, struct sp_board_row out[SP_BOARD_ROWS]);

#endif
