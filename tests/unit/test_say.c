/* Which language the environment asks for. */
#include "unit.h"

#include "app/base/say.h"

static void spoken_is(const char *language, const char *all, const char *messages,
                      const char *lang, const char *expected)
{
    static const char *const names[] = {"LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"};
    const char *values[] = {language, all, messages, lang};
    for (size_t i = 0; i < 4; i++) {
        if (values[i]) {
            setenv(names[i], values[i], 1);
        } else {
            unsetenv(names[i]);
        }
    }
    sp_say_in_language();
    if (strcmp(sp_say_language(), expected) != 0) {
        print_error("%s %s %s %s\n", language, all, messages, lang);
    }
    assert_string_equal(sp_say_language(), expected);
    sp_say_in_english();
    assert_string_equal(sp_say_language(), "en");
}

static void b_locales(void **state)
{
    (void)state;
    static const char *const japanese[] = {"ja",         "ja_JP",         "ja_JP.UTF-8",
                                           "ja_JP.utf8", "ja_JP.UTF-8@x", "ja.UTF-8"};
    static const char *const english[] = {
        "C",   "POSIX", "C.UTF-8", "en_US.UTF-8", "ja_JP.eucJP", "ja_JP.SJIS",
        "jam", "j",     "",        "ja_JP.UTF-80"};
    for (size_t i = 0; i < sizeof japanese / sizeof japanese[0]; i++) {
        spoken_is(NULL, NULL, NULL, japanese[i], "ja");
        spoken_is(NULL, NULL, japanese[i], "en_US.UTF-8", "ja");
        spoken_is(NULL, japanese[i], "en_US.UTF-8", "C", "ja");
        spoken_is("", japanese[i], NULL, NULL, "ja");
    }
    for (size_t i = 0; i < sizeof english / sizeof english[0]; i++) {
        spoken_is(NULL, NULL, NULL, english[i], "en");
    }
    spoken_is(NULL, NULL, NULL, NULL, "en");
    spoken_is(NULL, "", "", "ja_JP.UTF-8", "ja"); /* empty is not set */
    spoken_is(NULL, "C", NULL, "ja_JP.UTF-8", "en");
}

static void b_lists_of_languages(void **state)
{
    (void)state;
    spoken_is("ja", NULL, NULL, "C.UTF-8", "ja");
    spoken_is("ja_JP:en", NULL, NULL, "en_US.UTF-8", "ja");
    spoken_is("fr:ja", NULL, NULL, "fr_FR.UTF-8", "ja");
    spoken_is("en:ja", NULL, NULL, "ja_JP.UTF-8", "en");
    spoken_is("fr", NULL, NULL, "ja_JP.UTF-8", "en");
    spoken_is("ja", "C", NULL, NULL, "en"); /* scripts say LC_ALL=C for English */
    spoken_is("ja", "POSIX", NULL, NULL, "en");
    spoken_is("ja", NULL, NULL, NULL, "en"); /* as gettext has it */
    spoken_is(":::ja", NULL, NULL, "C.UTF-8", "ja");
}

static void b_texts(void **state)
{
    (void)state;
    setenv("LC_ALL", "ja_JP.UTF-8", 1);
    unsetenv("LANGUAGE");
    sp_say_in_language();
    assert_string_equal(sp_say("the disk is full"), "ディスクがいっぱいです");
    assert_string_equal(sp_say("nobody says this"), "nobody says this");
    assert_string_equal(sp_say(""), ""); /* not the header */
    sp_say_in_english();
    assert_string_equal(sp_say("the disk is full"), "the disk is full");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(b_locales),
        cmocka_unit_test(b_lists_of_languages),
        cmocka_unit_test(b_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
