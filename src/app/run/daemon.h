/* The daemon: threads and what they own.
 *
 *     main loop   signals, reload, admin listener, what status shows
 *     lanes       one event loop each: listeners, exchanges, upstream pool, hot objects
 *     filler      one loop: the registry of fills, content transfers, the store
 *     catalog     one loop: the offline catalogue, where one is configured
 *     keeper      one thread: ledger and index
 *     watch       one loop: looks at upstreams, so that nobody who serves has to
 *     work pool   inspections, fsyncs
 *
 * They share only what is immutable and counted (world, objects) and send each other
 * messages. */
#ifndef SP_APP_RUN_DAEMON_H
#define SP_APP_RUN_DAEMON_H

#include <stdbool.h>

/* Runs until SIGTERM or SIGINT; SIGHUP reloads. The result is the exit status. */
int sp_daemon_run(const char *config_file, bool takes_over);

#endif
