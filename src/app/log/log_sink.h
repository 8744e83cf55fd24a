/* Where log lines go: a thread writes them, so that a reader that stalls does not stall
 * whoever logs. What does not fit into the queue is dropped and counted, and the count is
 * said as soon as there is room.
 *
 * Knows: standard error, the journal's socket. Refuses to know: what is in a line. */
#ifndef SP_APP_LOG_LOG_SINK_H
#define SP_APP_LOG_LOG_SINK_H

#include "sallyport/bytes.h"

enum { SP_LOG_QUEUE = 1 << 20 }; /* bytes */

/* From now on lines are queued. Before, and after stop, they are written at once. After
 * everything that forbids threads or sockets; once a process. */
enum sp_err sp_log_sink_start(void) SP_MUST_USE;
/* Lines go to the journal at that path, one datagram each, in its native format; NULL: to
 * standard error. False when it is not there, and they go to standard error. */
bool sp_log_sink_to_journal(const char *path);
/* One line, or one entry of the journal. Any thread; does not wait. */
void sp_log_sink_put(const char *line, size_t n);
/* How many were dropped since the start. */
uint64_t sp_log_sink_dropped(void);
/* Writes what is queued, for two seconds at most, and ends the thread. */
void sp_log_sink_stop(void);

#endif
