#include "app/log.h"

#include "core/base/text.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static atomic_bool write_json = true;
static atomic_int lowest = SP_LOG_INFO;

enum { TAIL = 4 }; /* room for what closes a line */

void sp_log_setup(bool json, enum sp_log_level level)
{
    atomic_store(&write_json, json);
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

bool sp_log_begin(struct sp_log *l, enum sp_log_level level, const char *event)
{
    if ((int)level > atomic_load_explicit(&lowest, memory_order_relaxed)) {
        return false;
    }
    l->len = 0;
    l->json = atomic_load_explicit(&write_json, memory_order_relaxed);
    puts_(l, l->json ? "{\"time\":\"" : "");
    put_time(l);
    puts_(l, l->json ? "\",\"level\":\"" : " ");
    puts_(l, level_text(level));
    puts_(l, l->json ? "\",\"event\":\"" : " ");
    puts_(l, event);
    puts_(l, l->json ? "\"" : "");
    return true;
}

static void put_key(struct sp_log *l, const char *key)
{
    puts_(l, l->json ? ",\"" : " ");
    puts_(l, key);
    puts_(l, l->json ? "\":" : "=");
}

void sp_log_str(struct sp_log *l, const char *key, const char *value)
{
    if (!value || !value[0] || sizeof l->line - l->len < 256) {
        return;
    }
    put_key(l, key);
    puts_(l, "\"");
    put_escaped(l, value);
    puts_(l, "\"");
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
}

void sp_log_end(struct sp_log *l)
{
    memcpy(l->line + l->len, l->json ? "}\n" : "\n", l->json ? 2 : 1);
    l->len += l->json ? 2 : 1;
    /* a log that cannot be written has nobody to be told */
    ssize_t n = write(STDERR_FILENO, l->line, l->len);
    (void)n;
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
