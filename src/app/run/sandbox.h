/* The sandbox: what the daemon gives up before its first thread, for good. Paths by
 * Landlock (Linux 5.13), system calls by seccomp. Where the kernel has neither, the
 * daemon runs without, and says so. */
#ifndef SP_APP_RUN_SANDBOX_H
#define SP_APP_RUN_SANDBOX_H

#include "sallyport/err.h"

enum { SP_SANDBOX_PATHS = 64 };

/* Directories and files, with everything below them. */
struct sp_sandbox {
    const char *readable[SP_SANDBOX_PATHS]; /* borrowed */
    size_t readable_count;
    const char *writable[SP_SANDBOX_PATHS]; /* borrowed */
    size_t writable_count;
};
/* More than there is room for: SP_E_LIMIT. */
enum sp_err sp_sandbox_read(struct sp_sandbox *s, const char *path) SP_MUST_USE;
enum sp_err sp_sandbox_write(struct sp_sandbox *s, const char *path) SP_MUST_USE;

struct sp_sandbox_state {
    bool paths, calls; /* what is in force */
};
/* This thread and all that it makes from now on; no core dumps, no new privileges. What
 * the kernel does not know is left out; SP_E_IO when it knows it and refuses. Paths
 * that do not exist are passed over. */
enum sp_err sp_sandbox_enter(const struct sp_sandbox *s, struct sp_sandbox_state *out,
                             struct sp_why *why) SP_MUST_USE;

#endif
