#include "app/base/say.h"
#include "app/cmd/init.h"

#include "app/config/shipped.h"
#include "core/crypto/issue.h"
#include "io/store/files.h"

#include <fcntl.h>
#include <stdio.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CA_DAYS = 3650, SERVER_DAYS = 397, SECRET = 0600, PUBLIC = 0644 };

static enum sp_err put(int dir, const struct sp_init *i, const char *name,
                       struct sp_view bytes, unsigned mode, struct sp_why *why)
{
    if (sp_file_is_there(dir, name)) {
        return sp_why_set(why, SP_E_EXISTS,
                          _("%s/%s is there already; nothing was overwritten. Name "
                            "another --dir, or move it away"),
                          i->directory, name);
    }
    enum sp_err e = sp_file_replace_at(dir, name, bytes, mode, SP_FILE_DURABLE);
    return e == SP_OK ? SP_OK
                      : sp_why_set(why, e, _("cannot write %s/%s: %s"), i->directory,
                                   name, sp_err_text(e));
}

static enum sp_err put_buf(int dir, const struct sp_init *i, const char *name,
                           const struct sp_buf *b, unsigned mode, struct sp_why *why)
{
    return put(dir, i, name, sp_buf_view(b), mode, why);
}

/* A text buffer that is wiped: it may hold a key. */
static void secret_fini(struct sp_buf *b)
{
    if (b->data) {
        sp_bytes_wipe(b->data, b->cap);
    }
    sp_buf_fini(b);
}

static enum sp_err new_key(int dir, const struct sp_init *i, const char *name,
                           struct sp_buf *key, struct sp_why *why)
{
    sp_buf_init(key, SP_KIB(16));
    SP_TRY(sp_issue_key(key));
    return put_buf(dir, i, name, key, SECRET, why);
}

static struct sp_issue issue_of(const struct sp_init *i)
{
    return (struct sp_issue){.subject = i->names[0],
                             .names = i->names,
                             .name_count = i->name_count,
                             .now = i->now,
                             .days = SERVER_DAYS};
}

static enum sp_err own_ca(int dir, const struct sp_init *i, struct sp_view key,
                          struct sp_why *why)
{
    char subject[65];
    SP_AUTO(secret_fini) struct sp_buf ca_key;
    SP_AUTO(sp_buf_fini) struct sp_buf ca, cert;
    struct sp_issue want = issue_of(i);
    snprintf(subject, sizeof subject, "sallyport CA of %.46s", i->names[0]);
    struct sp_issue ca_want = {.subject = subject, .now = i->now, .days = CA_DAYS};
    sp_buf_init(&ca, SP_KIB(16));
    sp_buf_init(&cert, SP_KIB(16));
    SP_TRY(new_key(dir, i, "tls/gate-ca.key", &ca_key, why));
    SP_TRY(sp_issue_ca(&ca_want, sp_buf_view(&ca_key), &ca));
    SP_TRY(sp_issue_server(&want, key, sp_buf_view(&ca), sp_buf_view(&ca_key), &cert));
    SP_TRY(put_buf(dir, i, "tls/gate-ca.pem", &ca, PUBLIC, why));
    return put_buf(dir, i, "tls/gate.pem", &cert, PUBLIC, why);
}

static enum sp_err request(int dir, const struct sp_init *i, struct sp_view key,
                           struct sp_why *why)
{
    SP_AUTO(sp_buf_fini) struct sp_buf text;
    struct sp_issue want = issue_of(i);
    sp_buf_init(&text, SP_KIB(16));
    SP_TRY(sp_issue_request(&want, key, &text));
    return put_buf(dir, i, "tls/gate.csr", &text, PUBLIC, why);
}

static enum sp_err make_certificate(int dir, const struct sp_init *i,
                                    struct sp_why *why)
{
    SP_AUTO(secret_fini) struct sp_buf key;
    sp_buf_init(&key, 1);
    if (i->kind == SP_INIT_GIVEN) {
        return SP_OK;
    }
    SP_TRY(new_key(dir, i, "tls/gate.key", &key, why));
    enum sp_err e = i->kind == SP_INIT_OWN_CA ? own_ca(dir, i, sp_buf_view(&key), why)
                                              : request(dir, i, sp_buf_view(&key), why);
    return e == SP_OK
               ? SP_OK
               : sp_why_set(why, e,
                            _("no certificate could be made for the name %s: %s"),
                            i->names[0], sp_err_text(e));
}

static enum sp_err make_spare(int dir, struct sp_init *i, struct sp_why *why)
{
    SP_AUTO(secret_fini) struct sp_buf key;
    sp_buf_init(&key, 1);
    if (!i->spare_pin) {
        return SP_OK;
    }
    SP_TRY(new_key(dir, i, "tls/upstream-spare.key", &key, why));
    return sp_issue_pin(sp_buf_view(&key), &i->pins[i->pin_count++]);
}

static enum sp_err put_shipped(int dir, const struct sp_init *i, struct sp_why *why)
{
    size_t count = 0;
    const struct sp_shipped *shipped = sp_shipped(&count);
    for (size_t k = 0; k < count; k++) {
        char name[128];
        snprintf(name, sizeof name, "policies/%s", shipped[k].name);
        SP_TRY(put(dir, i, name, shipped[k].text, PUBLIC, why));
    }
    return SP_OK;
}

/* ---- the configuration ----------------------------------------------------------- */

static enum sp_err write_upstream(const struct sp_init *i, struct sp_buf *out)
{
    char url[300];
    sp_address_url(&i->upstream, url);
    SP_TRY(sp_buf_printf(out,
                         "# The WSUS server to take updates from. It has to prove "
                         "itself with a chain to\n"
                         "# ca_file, this name, and one of the pinned keys.\n"
                         "upstream \"upstream\" {\n"
                         "  url     = \"%s\"\n"
                         "  ca_file = \"%s/tls/upstream-ca.pem\"\n"
                         "  pins    = {",
                         url, i->directory));
    for (size_t k = 0; k < i->pin_count; k++) {
        char pin[SP_PIN_TEXT];
        sp_pin_format(&i->pins[k], pin);
        SP_TRY(sp_buf_printf(out, "%s\n    \"%s\"", k ? "," : "", pin));
    }
    return sp_buf_append_str(
        out, "\n  }\n"
             "  content_transport = \"https\"  # https-or-http: files may come over "
             "the port below; they are\n"
             "                               # proven by their digests either way\n"
             "}\n\n");
}

static enum sp_err write_names(const struct sp_init *i, struct sp_buf *out)
{
    SP_TRY(sp_buf_append_str(out, "  names = {"));
    for (size_t k = 0; k < i->name_count; k++) {
        SP_TRY(sp_buf_printf(out, "%s \"%s\"", k ? "," : "", i->names[k]));
    }
    return sp_buf_append_str(out, " }\n");
}

static enum sp_err write_listeners(const struct sp_init *i, struct sp_buf *out)
{
    bool given = i->kind == SP_INIT_GIVEN;
    const char *dir = given ? "" : i->directory;
    SP_TRY(sp_buf_printf(out,
                         "# Where downstream servers and clients synchronise.\n"
                         "listener \"downstream\" {\n"
                         "  bind = \"0.0.0.0:%u\"  upstream = \"upstream\"\n"
                         "  certificate = \"%s%s\"\n  key = \"%s%s\"\n",
                         i->port, dir, given ? i->certificate : "/tls/gate.pem", dir,
                         given ? i->key : "/tls/gate.key"));
    SP_TRY(write_names(i, out));
    return sp_buf_printf(
        out,
        "  allow = { \"10.0.0.0/8\", \"172.16.0.0/12\", \"192.168.0.0/16\", "
        "\"127.0.0.0/8\" }\n"
        "}\n\n"
        "# The plain port: files that were verified, which downstream servers fetch "
        "from here. What\n"
        "# is still asked for without TLS that should not be: observe, then audit, "
        "then enforce.\n"
        "listener \"downstream-http\" {\n"
        "  bind = \"0.0.0.0:%u\"  upstream = \"upstream\"\n"
        "  plain_http = \"observe\"  content_http = \"verified-only\"\n"
        "  allow = { \"10.0.0.0/8\", \"172.16.0.0/12\", \"192.168.0.0/16\", "
        "\"127.0.0.0/8\" }\n"
        "}\n\n",
        i->port - 1);
}

static enum sp_err write_config(const struct sp_init *i, struct sp_buf *out)
{
    SP_TRY(sp_buf_printf(out,
                         "# Made by sallyport init. Every key: sallyport.conf(5); what "
                         "is in force:\n"
                         "# sallyport config dump. After a change: sallyport config "
                         "check, then SIGHUP.\n\n"
                         "state_dir = \"%s\"  # the ledger: back it up\n"
                         "cache_dir = \"%s\"  # verified files: can be fetched again\n"
                         "policy    = \"%s/policies/strict-2026.policy\"\n"
                         "log { format = \"json\"  level = \"info\" }\n\n",
                         i->state_dir, i->cache_dir, i->directory));
    SP_TRY(write_upstream(i, out));
    SP_TRY(write_listeners(i, out));
    return sp_buf_printf(out,
                         "# Status page, /health, /metrics: on this machine only.\n"
                         "admin { bind = \"127.0.0.1:%u\" }\n",
                         i->port + 1);
}

/* Where they can be made by whoever sets up. /var is for the package or the
 * administrator: who runs the daemon has to own them. */
static enum sp_err make_places(const struct sp_init *i, struct sp_why *why)
{
    const char *const places[] = {i->state_dir, i->cache_dir};
    for (size_t k = 0; k < 2; k++) {
        SP_AUTO(sp_fd_close) int fd = -1;
        SP_TRY(sp_dir_make(places[k], &fd, why));
    }
    return SP_OK;
}

/* Whom the folder is for, the files are for: the package's is for the group of the
 * daemon's account. Neither the CA's key nor the spare one is for the daemon. */
static enum sp_err share(int dir, const struct sp_init *i, struct sp_why *why)
{
    static const struct {
        const char *name;
        mode_t mode;
    } shared[] = {{"policies", 0750}, {"tls", 0750}, {"tls/gate.key", 0640}};
    struct stat st;
    if (fstat(dir, &st) != 0 || st.st_gid == getegid() || !(st.st_mode & S_IXGRP)) {
        return SP_OK;
    }
    for (size_t k = 0; k < sizeof shared / sizeof shared[0]; k++) {
        const char *name = shared[k].name;
        if (!sp_file_is_there(dir, name)) {
            continue;
        }
        if (fchownat(dir, name, (uid_t)-1, st.st_gid, AT_SYMLINK_NOFOLLOW) != 0 ||
            fchmodat(dir, name, shared[k].mode, 0) != 0) {
            return sp_why_set(why, SP_E_DENIED,
                              _("%s/%s cannot be given to the group of %s"),
                              i->directory, name, i->directory);
        }
    }
    return SP_OK;
}

enum sp_err sp_init_is_free(const struct sp_init *i, struct sp_why *why)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/sallyport.conf", i->directory);
    return access(path, F_OK) == 0
               ? sp_why_set(why, SP_E_EXISTS,
                            _("%s is there already; nothing was changed. Name another "
                              "--dir, or move it away"),
                            path)
               : SP_OK;
}

enum sp_err sp_init_write(struct sp_init *i, struct sp_why *why)
{
    SP_AUTO(sp_fd_close) int dir = -1;
    SP_AUTO(sp_buf_fini) struct sp_buf text;
    sp_buf_init(&text, SP_KIB(64));
    SP_TRY(sp_dir_make(i->directory, &dir, why));
    SP_TRY(make_places(i, why));
    SP_TRY(sp_init_is_free(i, why));
    SP_TRY(make_certificate(dir, i, why));
    SP_TRY(make_spare(dir, i, why));
    SP_TRY(put(dir, i, "tls/upstream-ca.pem", i->upstream_ca, PUBLIC, why));
    SP_TRY(put_shipped(dir, i, why));
    SP_TRY(share(dir, i, why));
    SP_TRY(write_config(i, &text));
    return put_buf(dir, i, "sallyport.conf", &text, PUBLIC, why);
}
