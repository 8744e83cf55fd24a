/* What people read, in their language. Only the commands speak it: the daemon, its log,
 * the ledger, JSON and CSV are English, so that they can be searched and compared.
 *
 * A text is marked with _() where it is said and looked up in the catalogue that is
 * part of the program (po/, docs/decisions/0101); a text in a table is looked up when
 * it is said. What is not in the catalogue is said as it stands. */
#ifndef SP_APP_BASE_SAY_H
#define SP_APP_BASE_SAY_H

/* The language of the environment from now on, as gettext has it: LANGUAGE where
 * LC_ALL, LC_MESSAGES or LANG name a locale other than C and POSIX, else that locale.
 * It need not be installed. A locale with another character set than UTF-8 is spoken to
 * in English. */
void sp_say_in_language(void);
/* English from now on. */
void sp_say_in_english(void);
/* "ja" or "en". */
const char *sp_say_language(void);

const char *sp_say(const char *text) __attribute__((format_arg(1)));
#define _(text)  sp_say(text)
#define N_(text) text /* marks it for the catalogue, no more */

#endif
