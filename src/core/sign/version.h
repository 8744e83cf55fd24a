/* Names in the version resource of a PE image, as version.* facts. For pe.c. */
#ifndef SP_CORE_SIGN_VERSION_H
#define SP_CORE_SIGN_VERSION_H

#include "core/base/cursor.h"
#include "core/sign/inside.h"

/* address: of the resources, as the image's data directory 2 says; table: at the section
 * table. Queues the first piece; false: there is nothing to read. */
bool sp_version_begin(struct sp_sign *s, struct sp_cur table, uint32_t sections,
                      uint32_t address);
/* The piece was collected. *more: another is queued. */
enum sp_err sp_version_step(struct sp_sign *s, bool *more) SP_MUST_USE;

#endif
