/* What ops.def says of a reply; for the inspectors only. */
#ifndef SP_CORE_WSUS_OP_H
#define SP_CORE_WSUS_OP_H

#include "core/wsus/wsus.h"

enum sp_reply_kind {
    SP_REPLY_NOTHING,      /* no Result */
    SP_REPLY_PERHAPS,      /* a Result, left out when it is an empty list */
    SP_REPLY_RESULT,       /* a Result */
    SP_REPLY_SERVICE_URLS, /* a Result that announces services */
    SP_REPLY_UPDATE_DATA   /* a Result with metadata documents */
};
enum sp_reply_kind sp_op_reply(enum sp_op op);

#endif
