/* Reading single keys of a section, and saying in which line what is wrong. */
#ifndef SP_APP_CONFIG_CONFIG_TAKE_H
#define SP_APP_CONFIG_CONFIG_TAKE_H

#include "sallyport/bytes.h"

#include <confuse.h>

struct sp_config_place { /* for messages; all borrowed */
    const char *file;
    struct sp_view text;
    const char *section, *title; /* NULL: the top level; a section without a title */
    struct sp_why *why;
};
/* SP_E_CONFIG: file, line and section of the key, and what. key NULL: the section. */
enum sp_err sp_config_wrong(const struct sp_config_place *p, const char *key,
                            const char *what);

/* Copies, owned by the caller also after a failure; "" for what is not there. */
enum sp_err sp_take_string(cfg_t *sec, const char *key, char **out) SP_MUST_USE;
enum sp_err sp_take_strings(cfg_t *sec, const char *key, char ***out,
                            size_t *count) SP_MUST_USE;

struct sp_config_word {
    const char *text;
    int value;
};
#define SP_WORDS(array) array, sizeof array / sizeof array[0]
enum sp_err sp_take_word(const struct sp_config_place *p, cfg_t *sec, const char *key,
                         const struct sp_config_word *words, size_t count,
                         int *out) SP_MUST_USE;
enum sp_err sp_take_number(const struct sp_config_place *p, cfg_t *sec, const char *key,
                           long min, long max, long *out) SP_MUST_USE;

#endif
