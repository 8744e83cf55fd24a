/* trust add|list|check: the certificates that help to build chains of signatures. What
 * is added stands in one PEM file of the state directory, replaced as a whole; the
 * daemon reads it at start and on SIGHUP. Being in it makes nothing trusted: pins do.
 */
#include "app/base/say.h"
#include "app/base/terminal.h"
#include "app/cmd/cmd.h"
#include "app/config/config.h"
#include "app/config/trust_files.h"
#include "core/base/text.h"
#include "io/store/files.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum { SOON_DAYS = 90 };

struct trust_command {
    const char *config_file;  /* borrowed from argv */
    struct sp_config *config; /* owned */
    struct sp_trust *trust;   /* owned */
    int64_t now;
    struct sp_why why;
};

static void command_fini(struct trust_command *c)
{
    sp_config_free(&c->config);
    sp_trust_free(&c->trust);
}

static enum sp_err load(struct trust_command *c)
{
    c->now = (int64_t)time(NULL);
    SP_TRY(sp_config_load(c->config_file ? c->config_file : SP_CONFIG_DEFAULT,
                          &c->config, &c->why));
    return sp_trust_load_config(c->config, &c->trust, &c->why);
}

/* ---- what one certificate is ---- */

static void print_hex(const uint8_t sha256[32])
{
    for (size_t i = 0; i < 32; i++) {
        printf("%02x", sha256[i]);
    }
}

static const char *role(const bool pinned[SP_PURPOSE_COUNT])
{
    bool code = pinned[SP_PURPOSE_CODE_SIGNING],
         time = pinned[SP_PURPOSE_TIME_STAMPING];
    return code && time ? _("pinned for code-signing and time-stamping")
           : code       ? _("pinned for code-signing")
           : time       ? _("pinned for time-stamping")
                        : _("not pinned: it only helps to build chains");
}

static void print_cert(const struct sp_cert_facts *f,
                       const bool pinned[SP_PURPOSE_COUNT])
{
    char pin[SP_PIN_TEXT], from[SP_TIME_TEXT], to[SP_TIME_TEXT];
    sp_pin_format(&f->spki, pin);
    sp_time_format(f->not_before, from);
    sp_time_format(f->not_after, to);
    printf(_("%s\n   issued by  %s\n   key        %s\n   valid      %s to %s\n"
             "   SHA-256    "),
           f->subject, f->self_signed ? _("itself") : f->issuer, f->key, from, to);
    print_hex(f->sha256);
    printf(_("\n   pin        %s\n   trust      %s%s\n"), pin, role(pinned),
           f->is_ca ? "" : _("; it may not issue certificates"));
}

/* ---- add ---- */

struct addition {
    struct trust_command *command; /* borrowed */
    struct sp_buf text;            /* owned; the file as it will be */
    size_t added, known;
};

static void addition_fini(struct addition *a)
{
    sp_buf_fini(&a->text);
}

static enum sp_err append_pem(struct sp_buf *out, const struct sp_cert_facts *f,
                              struct sp_view der)
{
    enum { LINE = 48 }; /* bytes that give 64 characters */
    SP_TRY(sp_buf_printf(out, "# %s\n-----BEGIN CERTIFICATE-----\n", f->subject));
    for (size_t at = 0; at < der.len; at += LINE) {
        SP_TRY(sp_base64_append(out, sp_view_slice(der, at, at + LINE)));
        SP_TRY(sp_buf_append_byte(out, '\n'));
    }
    return sp_buf_append_str(out, "-----END CERTIFICATE-----\n");
}

struct search {
    const uint8_t *sha256; /* borrowed */
    bool found;
};

static enum sp_err compare(void *ctx, struct sp_view der)
{
    struct search *s = ctx;
    uint8_t sha256[32];
    sp_sha256(der, sha256);
    s->found = s->found || memcmp(sha256, s->sha256, 32) == 0;
    return SP_OK;
}

static enum sp_err add_one(void *ctx, struct sp_view der)
{
    struct addition *a = ctx;
    struct sp_cert_facts f;
    bool pinned[SP_PURPOSE_COUNT];
    size_t count = 0;
    SP_TRY(sp_cert_read(der, &f));
    SP_TRY(sp_trust_role(a->command->trust, der, pinned));
    print_cert(&f, pinned);
    struct search s = {.sha256 = f.sha256};
    SP_TRY(sp_pem_certs(sp_buf_view(&a->text), compare, &s, &count));
    if (s.found) {
        a->known++;
        printf(_("   it was there already\n"));
        return SP_OK;
    }
    a->added++;
    return append_pem(&a->text, &f, der);
}

static enum sp_err add_all(struct addition *a, const char *path)
{
    enum { SEQUENCE = 0x30 };
    SP_AUTO(sp_buf_fini) struct sp_buf given = {0};
    struct sp_why *why = &a->command->why;
    size_t count = 0;
    SP_TRY(sp_file_read(path, &given, why));
    enum sp_err e = given.len > 0 && given.data[0] == SEQUENCE
                        ? add_one(a, sp_buf_view(&given))
                        : sp_pem_certs(sp_buf_view(&given), add_one, a, &count);
    if (e == SP_OK && a->added + a->known == 0) {
        e = SP_E_MALFORMED;
    }
    return e == SP_OK ? SP_OK
                      : sp_why_set(why, e, _("%s is no certificate as PEM or DER: %s"),
                                   path, sp_err_text(e));
}

/* What is written is what the daemon will accept. */
static enum sp_err check(struct addition *a)
{
    SP_AUTO(sp_trust_free) struct sp_trust *t = NULL;
    SP_TRY(sp_trust_new(&t));
    return sp_trust_add_pem(t, sp_buf_view(&a->text), &a->command->why);
}

static enum sp_err add_file(struct trust_command *c, const char *path)
{
    SP_AUTO(sp_fd_close) int dir = -1;
    SP_AUTO(sp_fd_close) int lock = -1;
    SP_AUTO(addition_fini) struct addition a = {.command = c};
    sp_buf_init(&a.text, SP_MIB(1));
    SP_TRY(load(c));
    SP_TRY(sp_dir_open(c->config->state_dir, &dir, &c->why));
    SP_TRY(sp_file_lock_at(dir, SP_TRUST_ADDED ".lock", _("the trust bundle"), &lock,
                           &c->why));
    if (sp_file_is_there(dir, SP_TRUST_ADDED)) {
        SP_TRY(sp_file_read_at(dir, SP_TRUST_ADDED, &a.text));
    }
    SP_TRY(add_all(&a, path));
    if (a.added == 0) {
        return SP_OK;
    }
    SP_TRY(check(&a));
    SP_TRY(sp_file_replace_at(dir, SP_TRUST_ADDED, sp_buf_view(&a.text), 0644,
                              SP_FILE_DURABLE));
    printf(_("\n%zu added to %s/%s. A running daemon reads it on SIGHUP.\n"), a.added,
           c->config->state_dir, SP_TRUST_ADDED);
    return SP_OK;
}

/* ---- list and check ---- */

static enum sp_err list_one(void *ctx, const struct sp_trust_cert *c)
{
    (void)ctx;
    print_cert(&c->facts, c->pinned);
    return SP_OK;
}

struct findings {
    int64_t now;
    size_t certs, bad;
};

static bool is_pinned(const bool pinned[SP_PURPOSE_COUNT])
{
    return pinned[SP_PURPOSE_CODE_SIGNING] || pinned[SP_PURPOSE_TIME_STAMPING];
}

static enum sp_err check_one(void *ctx, const struct sp_trust_cert *c)
{
    struct findings *f = ctx;
    char to[SP_TIME_TEXT];
    sp_time_format(c->facts.not_after, to);
    bool is_over = c->facts.not_after < f->now;
    bool is_lost = !is_pinned(c->pinned) && !c->has_issuer;
    f->certs++;
    f->bad += is_lost;
    sp_terminal_pad(is_lost ? _("useless") : is_over ? _("expired") : _("good"), 7);
    printf(" %s: %s", c->facts.subject, role(c->pinned));
    if (is_over) {
        printf(_("; expired %s, it counts for what was stamped before"), to);
    } else if (c->facts.not_after - f->now < SOON_DAYS * INT64_C(86400)) {
        printf(_("; expires soon: %s"), to);
    }
    if (is_lost) {
        printf(_("; who issued it is not here: add the certificate of %s"),
               c->facts.issuer);
    }
    printf("\n");
    return SP_OK;
}

static size_t say_missing(const struct sp_trust *t)
{
    struct sp_trust_root r;
    size_t count = 0;
    for (; sp_trust_missing(t, count, &r); count++) {
        printf(_("missing %s, SHA-256 "), r.common_name);
        print_hex(r.sha256);
        printf(
            _(": %s; get the certificate from its publisher, compare this digest and "
              "run: sallyport trust add FILE\n"),
            role(r.pinned));
    }
    return count;
}

static int check_all(struct trust_command *c)
{
    struct findings f = {.now = c->now};
    enum sp_err e = load(c);
    f.now = c->now;
    if (e == SP_OK) {
        e = sp_trust_each(c->trust, check_one, &f);
    }
    if (e != SP_OK) {
        return sp_cmd_failed(e, &c->why);
    }
    size_t missing = say_missing(c->trust);
    printf(_("%zu pinned keys, %zu certificates, %zu of them useless, %zu pinned roots "
             "missing\n"),
           sp_trust_pins(c->trust), f.certs, f.bad, missing);
    return f.bad ? SP_EXIT_REFUSED : SP_EXIT_PASSED;
}

/* ---- the commands ---- */

/* The number of words, or -1 after saying what is wrong. */
static int words(int argc, char **argv, struct trust_command *c, char ***rest,
                 int wanted, const char *name)
{
    const struct sp_option options[] = {{"-c", &c->config_file, NULL}};
    int count = sp_options(argc, argv, options, 1, rest);
    if (count != wanted) {
        (void)sp_cmd_usage(name, count);
        return -1;
    }
    return count;
}

int sp_cmd_trust_add(int argc, char **argv)
{
    SP_AUTO(command_fini) struct trust_command c = {0};
    char **rest = NULL;
    if (words(argc, argv, &c, &rest, 1, "trust add") < 0) {
        return SP_EXIT_USAGE;
    }
    enum sp_err e = add_file(&c, rest[0]);
    return e == SP_OK ? 0 : sp_cmd_failed(e, &c.why);
}

int sp_cmd_trust_list(int argc, char **argv)
{
    SP_AUTO(command_fini) struct trust_command c = {0};
    char **rest = NULL;
    if (words(argc, argv, &c, &rest, 0, "trust list") < 0) {
        return SP_EXIT_USAGE;
    }
    enum sp_err e = load(&c);
    if (e == SP_OK) {
        e = sp_trust_each(c.trust, list_one, NULL);
    }
    return e == SP_OK ? 0 : sp_cmd_failed(e, &c.why);
}

int sp_cmd_trust_check(int argc, char **argv)
{
    SP_AUTO(command_fini) struct trust_command c = {0};
    char **rest = NULL;
    if (words(argc, argv, &c, &rest, 0, "trust check") < 0) {
        return SP_EXIT_USAGE;
    }
    return check_all(&c);
}
