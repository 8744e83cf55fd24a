/* The error code that a Windows machine logs and shows when a request ends badly: who has
 * that number before him finds the exchange by it. */
#ifndef SP_CORE_GATE_WINDOWS_H
#define SP_CORE_GATE_WINDOWS_H

#include <stdbool.h>
#include <stdint.h>

/* 0 where there is nothing to show: a status below 400. Content is fetched by BITS, which
 * has HTTP's statuses under facility 0x19; everything else by the Windows Update Agent,
 * for which a SOAP fault is a fault whatever its status. */
uint32_t sp_windows_code(int status, bool is_content, bool is_fault);

#endif
