/* The status page: one self-contained document, a part of the program. What it shows it
 * asks for itself, from /status.json, /history.json and /events. */
#ifndef SP_APP_ADMIN_PAGE_H
#define SP_APP_ADMIN_PAGE_H

#include "sallyport/bytes.h"

struct sp_view sp_page(void); /* HTML, for the life of the program */

/* Appends header lines that let the page run its own style and script, talk to where it
 * came from, and nothing else. SP_E_NOMEM, SP_E_LIMIT. */
enum sp_err sp_page_fields(struct sp_buf *out) SP_MUST_USE;

#endif
