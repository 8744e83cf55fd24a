/* A journal of any bytes: measuring stays within them, everything it trusts reads back
 * as frames, written again it is the same, and nothing can be torn off it without
 * notice but whole batches. */
#include "io/store/journal.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sp_view journal = sp_view(data, size), rest;
    struct sp_why why = {0};
    size_t good = 0;
    enum sp_err e = sp_journal_measure(journal, &good, &why);
    if (e != SP_OK) {
        SP_ASSERT(e == SP_E_CORRUPT && why.text[0] && good == 0);
        return 0;
    }
    SP_ASSERT(good > 0 && good <= size);
    struct sp_buf again;
    struct sp_journal_frame frame = {.type = SP_JOURNAL_ENTRY};
    sp_buf_init(&again, size);
    rest = sp_view_slice(journal, 0, good);
    while (rest.len) {
        e = sp_journal_next(&rest, &frame);
        SP_ASSERT(e == SP_OK);
        e = sp_journal_append(&again, frame.type, frame.body);
        SP_ASSERT(e == SP_OK);
    }
    SP_ASSERT(frame.type == SP_JOURNAL_CHECKPOINT);
    SP_ASSERT(sp_view_eq(sp_buf_view(&again), sp_view_slice(journal, 0, good)));
    sp_buf_fini(&again);
    return 0;
}
