/* Log lines on standard error, every byte escaped, at most SP_LIMIT_LOG_LINE bytes (longer
 * values are cut and marked), JSON or text; or entries of the systemd journal with native
 * fields: MESSAGE, PRIORITY, MESSAGE_ID (the same for each line of an event), and every
 * key as SALLYPORT_KEY.
 *
 *     struct sp_log l;
 *     if (sp_log_begin(&l, SP_LOG_INFO, "exchange")) {
 *         sp_log_str(&l, "peer", address);
 *         sp_log_end(&l);
 *     }
 *
 * Keys and event names are constants and are not translated. Any thread. */
#ifndef SP_APP_LOG_LOG_H
#define SP_APP_LOG_LOG_H

#include "app/config/config.h"

struct sp_log {
    char line[SP_LIMIT_LOG_LINE];
    size_t len;
    enum sp_log_format format;
};

/* Process-wide; how, and the lowest level that is written. journal is the path of its
 * socket; without one there, lines are JSON on standard error. */
#define SP_LOG_JOURNAL_SOCKET "/run/systemd/journal/socket"
void sp_log_setup(enum sp_log_format format, enum sp_log_level level, const char *journal);
/* False when the level is not written. */
bool sp_log_begin(struct sp_log *l, enum sp_log_level level, const char *event);
void sp_log_str(struct sp_log *l, const char *key, const char *value);
void sp_log_int(struct sp_log *l, const char *key, int64_t value);
void sp_log_end(struct sp_log *l);
/* An event with one sentence. */
void sp_log_say(enum sp_log_level level, const char *event, const char *fmt, ...)
    SP_PRINTF(3, 4);

#endif
