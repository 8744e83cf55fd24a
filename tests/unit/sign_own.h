/* A folder of files signed by a PKI made for this test (tests/support/signing.py), and
 * what asks about them. Without osslsigncode every test is skipped. */
#ifndef TESTS_UNIT_SIGN_OWN_H
#define TESTS_UNIT_SIGN_OWN_H

#include "sign_rig.h"

#include "folder.h"

#include <sys/wait.h>

static struct sp_trust *trust;
static bool are_there;

static inline void add_pem(struct sp_trust *t, const char *name)
{
    SP_AUTO(sp_buf_fini) struct sp_buf text;
    rig_read(in_folder(name), &text);
    assert_ok(sp_trust_add_pem(t, sp_buf_view(&text), NULL));
}

static inline struct sp_trust *trust_new(bool with_pins)
{
    struct sp_trust *t = NULL;
    SP_AUTO(sp_buf_fini) struct sp_buf text;
    assert_ok(sp_trust_new(&t));
    rig_read(in_folder("pins.txt"), &text);
    if (with_pins) {
        assert_ok(sp_trust_add_pins(t, sp_buf_view(&text), NULL));
    }
    add_pem(t, "bundle.pem");
    return t;
}

/* Runs a script of tests/support on the folder; its exit status. */
static inline int run_script(const char *name)
{
    char command[5000];
    const char *source = getenv("SALLYPORT_SOURCE");
    snprintf(command, sizeof command, "python3 '%s/tests/support/%s' %s",
             source ? source : ".", name, folder_path);
    int status = system(command);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static inline int make_files(void **state)
{
    folder_setup(state);
    int status = run_script("signing.py");
    are_there = status == 0;
    if (status == 77) {
        fprintf(stderr, "SKIP: no osslsigncode with time stamps (2.6) is here\n");
        return 0;
    }
    trust = are_there ? trust_new(true) : NULL;
    return are_there ? 0 : -1;
}

static inline int remove_files(void **state)
{
    sp_trust_free(&trust);
    return folder_teardown(state);
}

#define NEED_FILES()                                                                   \
    do {                                                                               \
        (void)state;                                                                   \
        if (!are_there) {                                                              \
            skip();                                                                    \
        }                                                                              \
    } while (0)

static inline void check(const char *name, const char *ruling, enum sp_fact k,
                         const char *says)
{
    SP_AUTO(sp_buf_fini) struct sp_buf file;
    SP_AUTO(sp_facts_free) struct sp_facts *f = NULL;
    rig_read(in_folder(name), &file);
    f = rig_inspect(sp_buf_view(&file), strrchr(name, '.') + 1, trust, RIG_NOW, 0);
    if (strcmp(rig_ruling(f), ruling) != 0 || (says && !rig_says(f, k, says))) {
        struct sp_verdict v = rig_judge(f);
        fail_msg("%s: expected %s (%s), came %s: %s", name, ruling, says, rig_ruling(f),
                 v.why.text);
    }
}

/* True where a sign.left-out names the byte at this offset. */
static inline bool is_left_out(const struct sp_facts *f, size_t at)
{
    struct sp_fact_value v;
    for (size_t i = 0; sp_facts_get(f, SP_FACT_SIGN_LEFT_OUT, i, &v); i++) {
        size_t from = 0, length = 0;
        assert_int_equal(sscanf((const char *)v.bytes.data, "%zu+%zu", &from, &length),
                         2);
        if (at >= from && at < from + length) {
            return true;
        }
    }
    return false;
}

static inline void flip(const char *name, size_t samples)
{
    SP_AUTO(sp_buf_fini) struct sp_buf file;
    const char *extension = strrchr(name, '.') + 1;
    rig_read(in_folder(name), &file);
    SP_AUTO(sp_facts_free)
    struct sp_facts *good =
        rig_inspect(sp_buf_view(&file), extension, trust, RIG_NOW, 0);
    assert_string_equal(rig_ruling(good), "passed");
    size_t missed = 0, stride = samples && samples < file.len ? file.len / samples : 1;
    for (size_t at = 0; at < file.len; at += stride) {
        file.data[at] ^= 0x55;
        SP_AUTO(sp_facts_free)
        struct sp_facts *f =
            rig_inspect(sp_buf_view(&file), extension, trust, RIG_NOW, 0);
        file.data[at] ^= 0x55;
        /* a signature that is good now does without its time stamp, but not silently */
        bool is_noticed = strcmp(rig_ruling(f), "passed") != 0 ||
                          rig_says(f, SP_FACT_SIGN_ERROR, "time stamp:");
        if (!is_noticed && !is_left_out(f, at)) {
            print_error("%s: byte %zu was changed and nothing noticed\n", name, at);
            missed++;
        }
    }
    assert_int_equal(missed, 0);
}

#endif
