/* Errors: "could not find out".
 *
 * A fallible function returns enum sp_err and nothing else; its result comes last as
 * *out, untouched on failure. SP_TRY hands a failure on and is the one macro with hidden
 * control flow; it takes an enum sp_err and nothing else.
 *
 * A struct sp_why carries the sentence for a person: what, where, why, what to do next.
 * It belongs to the caller, may be NULL everywhere, and keeps the first sentence that was
 * written: the place nearest to the cause knows most. */
#ifndef SALLYPORT_ERR_H
#define SALLYPORT_ERR_H

#include <stdbool.h>
#include <stddef.h>

enum sp_err {
    SP_OK = 0,
#define ERR(name, exit_status, meaning) SP_E_##name,
#include "core/base/err.def"
#undef ERR
};

#define SP_MUST_USE __attribute__((warn_unused_result))
#define SP_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

/* What went wrong, in a few English words; for SP_OK "done". */
const char *sp_err_text(enum sp_err e);
/* The row's name, as logs show it: "TIMEOUT". */
const char *sp_err_name(enum sp_err e);
/* The exit status of a command that ends on this error; see sysexits(3). */
int sp_err_exit_status(enum sp_err e);

#define SP_WHY_MAX 512

struct sp_why {
    char text[SP_WHY_MAX]; /* NUL-terminated; empty until the first sp_why_set */
};

/* Writes the sentence unless there is one; cuts it at SP_WHY_MAX - 1 bytes. Control
 * characters, which may come from a peer, are written as '?'; so is every byte above 0x7f of
 * a sentence that is not UTF-8. Returns e, so that a failure is one line:
 * return sp_why_set(why, SP_E_MALFORMED, "..."). */
enum sp_err sp_why_set(struct sp_why *why, enum sp_err e, const char *fmt, ...)
    SP_PRINTF(3, 4) SP_MUST_USE;
/* The same where there is no error to hand on. */
void sp_why_say(struct sp_why *why, const char *fmt, ...) SP_PRINTF(2, 3);
/* The sentence, or the error's own text where none was written. */
const char *sp_why_text(const struct sp_why *why, enum sp_err e);

#define SP_ONLY_ERR(e) _Generic((e), enum sp_err: (e))
#define SP_TRY(call)                                                                   \
    do {                                                                               \
        enum sp_err sp_try_err_ = SP_ONLY_ERR(call);                                   \
        if (sp_try_err_ != SP_OK) {                                                    \
            return sp_try_err_;                                                        \
        }                                                                              \
    } while (0)

/* Our own mistakes, never input. Stays in release builds. */
_Noreturn void sp_assert_failed(const char *what, const char *file, int line);
#define SP_ASSERT(cond)                                                                \
    ((cond) ? (void)0 : sp_assert_failed(#cond, __FILE__, __LINE__))

/* Frees at the end of the scope: SP_AUTO(sp_buf_free) struct sp_buf *b = NULL;
 * the function takes a pointer to the variable and leaves NULL in it. */
#define SP_AUTO(free_function) __attribute__((cleanup(free_function)))

#endif
