#include "app/base/say.h"

#include "app/embedded/ja_mo.h"
#include "core/base/mo.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* One thread, and before anything is said. */
static struct sp_mo catalogue;
static bool is_japanese;

/* The locale of messages, by POSIX's order of precedence; "" where none is named. */
static const char *locale_of_messages(void)
{
    static const char *const names[] = {"LC_ALL", "LC_MESSAGES", "LANG"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *value = getenv(names[i]);
        if (value && value[0]) {
            return value;
        }
    }
    return "";
}

/* A language without a territory: what follows it is none of our business. */
static bool is_language(const char *tag, size_t len, const char *language)
{
    size_t n = strlen(language);
    return len >= n && strncasecmp(tag, language, n) == 0 &&
           (len == n || strchr("_.@-", tag[n]));
}

/* The first language of a list as "fr:ja:en" that there is. */
static bool list_wants_japanese(const char *list)
{
    while (*list) {
        size_t n = strcspn(list, ":");
        if (is_language(list, n, "ja")) {
            return true;
        }
        if (is_language(list, n, "en") || is_language(list, n, "C")) {
            return false;
        }
        list += n + (list[n] == ':');
    }
    return false;
}

static bool takes_utf8(const char *locale)
{
    const char *dot = strchr(locale, '.');
    size_t n = dot ? strcspn(dot + 1, "@") : 0;
    return !dot || (n == 5 && strncasecmp(dot + 1, "UTF-8", 5) == 0) ||
           (n == 4 && strncasecmp(dot + 1, "utf8", 4) == 0);
}

static bool wants_japanese(void)
{
    const char *locale = locale_of_messages(), *list = getenv("LANGUAGE");
    if (!locale[0] || strcmp(locale, "C") == 0 || strcmp(locale, "POSIX") == 0 ||
        !takes_utf8(locale)) {
        return false;
    }
    return list_wants_japanese(list && list[0] ? list : locale);
}

void sp_say_in_language(void)
{
    struct sp_view bytes = sp_view(ja_mo, sizeof ja_mo);
    is_japanese = wants_japanese() && sp_mo_open(bytes, &catalogue) == SP_OK;
}

void sp_say_in_english(void)
{
    is_japanese = false;
}

const char *sp_say_language(void)
{
    return is_japanese ? "ja" : "en";
}

const char *sp_say(const char *text)
{
    const char *said = is_japanese && text[0] ? sp_mo_find(&catalogue, text) : NULL;
    return said ? said : text;
}
