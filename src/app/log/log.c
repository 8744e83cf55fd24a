#include "app/log/log.h"

#include "app/log/log_sink.h"
#include "core/base/text.h"
#include "core/crypto/crypto.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static atomic_int form = SP_LOG_JSON;
static atomic_int lowest = SP_LOG_INFO;

enum { TAIL = 4 }; /* room for what closes a line */

void sp_log_setup(enum sp_log_format format, enum sp_log_level level,
                  const char *journal)
{
    bool good = sp_log_sink_to_journal(format == SP_LOG_JOURNAL ? journal : NULL);
    atomic_store(&form, (int)(good ? format : SP_LOG_JSON));
    atomic_store(&lowest, (int)level);
}

static void put(struct sp_log *l, const char *s, size_t n)
{
    if (n <= sizeof l->line - TAIL - l->len) {
        memcpy(l->line + l->len, s, n);
        l->len += n;
    }
}

static void puts_(struct sp_log *l, const char *s)
{
    put(l, s, strlen(s));
}

/* Both formats escape alike: nothing from a peer can end a line or a value. */
static void put_escaped(struct sp_log *l, const char *s)
{
    struct sp_view v = sp_view_str(s);
    bool utf8 = sp_utf8_is_valid(v);
    for (size_t i = 0; i < v.len; i++) {
        unsigned char c = v.data[i];
        char code[8];
        bool begins = !utf8 || (c & 0xC0) != 0x80; /* a character, else it goes on */
        if (begins && sizeof l->line - l->len < 64) {
            puts_(l, "...");
            return;
        }
        if (c == '"' || c == '\\') {
            snprintf(code, sizeof code, "\\%c", c);
        } else if (c < 0x20 || c == 0x7f || (c >= 0x80 && !utf8)) {
            snprintf(code, sizeof code, "\\u%04x", c);
        } else {
            snprintf(code, sizeof code, "%c", c);
        }
        puts_(l, code);
    }
}

static void put_time(struct sp_log *l)
{
    struct timespec now;
    char second[SP_TIME_TEXT], text[40];
    clock_gettime(CLOCK_REALTIME, &now);
    sp_time_format(now.tv_sec, second);
    snprintf(text, sizeof text, "%.19s.%03uZ", second,
             (unsigned)(now.tv_nsec / 1000000) % 1000U);
    puts_(l, text);
}

static const char *level_text(enum sp_log_level level)
{
    static const char *const texts[] = {"error", "warning", "info", "debug"};
    return texts[level];
}

/* ---- entries of the journal: systemd.journal-fields(7), one line a field ------ */

#define FIELD "SALLYPORT_"

/* By the event's name, so that it is the same in every version. */
static void put_message_id(struct sp_log *l, const char *event)
{
    uint8_t hash[32];
    char name[96], hex[33];
    snprintf(name, sizeof name, "sallyport event %s", event);
    sp_sha256(sp_view_str(name), hash);
    for (size_t i = 0; i < 16; i++) {
        snprintf(hex + 2 * i, 3, "%02x", hash[i]);
    }
    puts_(l, "MESSAGE_ID=");
    puts_(l, hex);
}

static void begin_entry(struct sp_log *l, enum sp_log_level level, const char *event)
{
    static const char *const priorities[] = {"3", "4", "6", "7"}; /* syslog(3) */
    puts_(l, "SYSLOG_IDENTIFIER=sallyport\nPRIORITY=");
    puts_(l, priorities[level]);
    puts_(l, "\n");
    put_message_id(l, event);
    puts_(l, "\n" FIELD "EVENT=");
    puts_(l, event);
    puts_(l, "\n");
}

/* MESSAGE is what a person reads: the event, and what is in the fields. */
static void end_entry(const struct sp_log *l)
{
    char entry[2 * SP_LIMIT_LOG_LINE];
    size_t n = l->len;
    memcpy(entry, l->line, n);
    n += (size_t)snprintf(entry + n, sizeof entry - n, "MESSAGE=");
    struct sp_view rest = sp_view(l->line, l->len);
    while (rest.len) {
        size_t end = sp_view_find(rest, '\n');
        struct sp_view field = sp_view_slice(rest, 0, end);
        rest = sp_view_slice(rest, end + 1, rest.len);
        if (!sp_view_starts(field, SP_VIEW(FIELD))) {
            continue;
        }
        size_t key = sizeof FIELD - 1, equals = sp_view_find(field, '=');
        bool named = !sp_view_starts(field, SP_VIEW(FIELD "EVENT=")) &&
                     !sp_view_starts(field, SP_VIEW(FIELD "MESSAGE="));
        for (size_t i = named ? key : equals + 1; i < field.len; i++) {
            char c = (char)field.data[i];
            entry[n++] = i < equals && c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
        }
        entry[n++] = rest.len ? ' ' : '\n';
    }
    sp_log_sink_put(entry, n);
}

bool sp_log_begin(struct sp_log *l, enum sp_log_level level, const char *event)
{
    if ((int)level > atomic_load_explicit(&lowest, memory_order_relaxed)) {
        return false;
    }
    l->len = 0;
    l->format = (enum sp_log_format)atomic_load_explicit(&form, memory_order_relaxed);
    if (l->format == SP_LOG_JOURNAL) {
        begin_entry(l, level, event);
        return true;
    }
    bool json = l->format == SP_LOG_JSON;
    puts_(l, json ? "{\"time\":\"" : "");
    put_time(l);
    puts_(l, json ? "\",\"level\":\"" : " ");
    puts_(l, level_text(level));
    puts_(l, json ? "\",\"event\":\"" : " ");
    puts_(l, event);
    puts_(l, json ? "\"" : "");
    return true;
}

static void put_key(struct sp_log *l, const char *key)
{
    if (l->format == SP_LOG_JOURNAL) {
        puts_(l, FIELD);
        for (; *key; key++) {
            char upper = *key >= 'a' && *key <= 'z' ? (char)(*key - 'a' + 'A') : *key;
            put(l, &upper, 1);
        }
        puts_(l, "=");
        return;
    }
    puts_(l, l->format == SP_LOG_JSON ? ",\"" : " ");
    puts_(l, key);
    puts_(l, l->format == SP_LOG_JSON ? "\":" : "=");
}

void sp_log_str(struct sp_log *l, const char *key, const char *value)
{
    if (!value || !value[0] || sizeof l->line - l->len < 256) {
        return;
    }
    const char *quote = l->format == SP_LOG_JOURNAL ? "" : "\"";
    put_key(l, key);
    puts_(l, quote);
    put_escaped(l, value);
    puts_(l, l->format == SP_LOG_JOURNAL ? "\n" : quote);
}

void sp_log_int(struct sp_log *l, const char *key, int64_t value)
{
    char text[24];
    if (sizeof l->line - l->len < 256) {
        return;
    }
    put_key(l, key);
    snprintf(text, sizeof text, "%" PRId64, value);
    puts_(l, text);
    puts_(l, l->format == SP_LOG_JOURNAL ? "\n" : "");
}

void sp_log_end(struct sp_log *l)
{
    bool json = l->format == SP_LOG_JSON;
    if (l->format == SP_LOG_JOURNAL) {
        end_entry(l);
        return;
    }
    memcpy(l->line + l->len, json ? "}\n" : "\n", json ? 2 : 1);
    l->len += json ? 2 : 1;
    sp_log_sink_put(l->line, l->len);
}

void sp_log_say(enum sp_log_level level, const char *event, const char *fmt, ...)
{
    struct sp_log l;
    char text[1024];
    if (!sp_log_begin(&l, level, event)) {
        return;
    }
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    sp_log_str(&l, "message", text);
    sp_log_end(&l);
}
