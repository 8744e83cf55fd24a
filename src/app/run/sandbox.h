/* The sandbox: what the daemon gives up before its first thread, for good. Paths and TCP
 * ports by Landlock (Linux 5.19; ports 6.7), system calls by seccomp. Where the kernel has
 * neither, the daemon runs without, and says so. */
#ifndef SP_APP_RUN_SANDBOX_H
#define SP_APP_RUN_SANDBOX_H

#include "sallyport/err.h"

#include <stdint.h>

enum { SP_SANDBOX_PATHS = 64, SP_PORTS = 65536 };

struct sp_port_set {
    uint64_t bits[SP_PORTS / 64];
};
void sp_port_add(struct sp_port_set *s, unsigned port);
bool sp_port_has(const struct sp_port_set *s, unsigned port);
/* The first port of a that b has not; SP_PORTS: there is none. */
unsigned sp_port_missing(const struct sp_port_set *a, const struct sp_port_set *b);

/* Directories and files, with everything below them. */
struct sp_sandbox {
    const char *readable[SP_SANDBOX_PATHS]; /* borrowed */
    size_t readable_count;
    const char *writable[SP_SANDBOX_PATHS]; /* borrowed */
    size_t writable_count;
    struct sp_port_set binds, connects;
};
/* More than there is room for: SP_E_LIMIT. */
enum sp_err sp_sandbox_read(struct sp_sandbox *s, const char *path) SP_MUST_USE;
enum sp_err sp_sandbox_write(struct sp_sandbox *s, const char *path) SP_MUST_USE;

/* From now on nobody without the right to trace everything reads this process's memory:
 * no core dumps, not even for the same user. To be said again after a change of the user.
 * SP_E_IO. */
enum sp_err sp_sandbox_hide(struct sp_why *why) SP_MUST_USE;

struct sp_sandbox_state {
    bool paths, ports, calls; /* what is in force */
};
/* This thread and all that it makes from now on; hidden, as above; no new privileges.
 * What the kernel does not know is left out; SP_E_IO when it knows it and refuses. Paths
 * that do not exist are passed over. */
enum sp_err sp_sandbox_enter(const struct sp_sandbox *s, struct sp_sandbox_state *out,
                             struct sp_why *why) SP_MUST_USE;

#endif
