/* What replies list beside documents: revisions, and where files can be had. Both are
 * kept with their place in the reply, since what must not be handed on is cut out
 * there.
 *
 * [MS-WSUSSS] 3.1.4.5, 3.1.4.6.3. Pure; lives in the reply. */
#ifndef SP_CORE_WSUS_REPLY_LISTED_H
#define SP_CORE_WSUS_REPLY_LISTED_H

#include "core/wsus/wsus.h"

/* The text between tags, blanks and all. SP_E_MALFORMED with why, SP_E_NOMEM. */
enum sp_err sp_listed_add(struct sp_reply *reply, struct sp_view id,
                          struct sp_view number, struct sp_place place,
                          struct sp_why *why) SP_MUST_USE;
enum sp_err sp_file_url_add(struct sp_reply *reply, struct sp_view digest,
                            struct sp_view url, struct sp_place place,
                            struct sp_why *why) SP_MUST_USE;
/* The reply is whole: sorts the addresses and states what each revision's are like. */
enum sp_err sp_file_urls_state(struct sp_reply *reply) SP_MUST_USE;

#endif
