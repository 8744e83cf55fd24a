#include "app/cmd/doctor.h"

#include "app/base/say.h"
#include "app/cmd/admin_ask.h"
#include "app/world/world.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

enum { FILES_WANTED = 4096, FREE_PERCENT = 5 };

static enum sp_err look_at_cert(void *ctx, struct sp_view der)
{
    struct sp_cert_facts cert;
    if (sp_cert_read(der, &cert) == SP_OK) {
        sp_doctor_dates(ctx, _("listener"), &cert);
    }
    return SP_OK;
}

static void look_at_listener(struct sp_doctor *d, const struct sp_config_listener *l)
{
    SP_AUTO(sp_buf_fini) struct sp_buf pem;
    size_t count = 0;
    sp_buf_init(&pem, 1);
    d->looked_at++;
    if (!l->certificate[0] &&
        (l->plain_http == SP_PLAIN_AUDIT || l->plain_http == SP_PLAIN_OBSERVE)) {
        sp_doctor_find(d, SP_DOCTOR_PLAIN_PASSES,
                       _("listener \"%s\" on %s: plain_http = %s"), l->name, l->bind,
                       l->plain_http == SP_PLAIN_AUDIT ? "audit" : "observe");
    }
    if (l->certificate[0] && sp_file_read(l->certificate, &pem, NULL) == SP_OK) {
        (void)!sp_pem_certs(sp_buf_view(&pem), look_at_cert, d, &count);
    }
}

static void look_at_directory(struct sp_doctor *d, const char *path, bool secret)
{
    struct stat st;
    struct statvfs fs;
    d->looked_at++;
    if (stat(path, &st) == 0 && secret && (st.st_mode & 077) != 0) {
        sp_doctor_find(d, SP_DOCTOR_STATE_OPEN, _("%s has mode %03o"), path,
                       (unsigned)(st.st_mode & 0777));
    }
    if (statvfs(path, &fs) == 0 && fs.f_blocks > 0 &&
        fs.f_bavail * 100 / fs.f_blocks < FREE_PERCENT) {
        sp_doctor_find(d, SP_DOCTOR_DISK, _("%s: %llu MiB are left"), path,
                       (unsigned long long)(fs.f_bavail * fs.f_frsize >> 20));
    }
}

static void look_at_limits(struct sp_doctor *d)
{
    struct rlimit files;
    d->looked_at++;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_max < FILES_WANTED) {
        sp_doctor_find(d, SP_DOCTOR_FILES, _("%llu files may be open at most"),
                       (unsigned long long)files.rlim_max);
    }
}

static const char *text(const json_t *o, const char *key)
{
    const char *s = json_string_value(json_object_get(o, key));
    return s ? s : "";
}

static void look_at_status(struct sp_doctor *d, const json_t *status)
{
    size_t i;
    const json_t *row, *ledger = json_object_get(status, "ledger");
    size_t refusals = json_array_size(json_object_get(status, "refusals"));
    d->looked_at += 3;
    if (json_is_false(json_object_get(ledger, "writable"))) {
        sp_doctor_find(d, SP_DOCTOR_LEDGER, "%s", text(ledger, "why"));
    }
    json_array_foreach(json_object_get(status, "upstreams"), i, row)
    {
        if (strcmp(text(row, "state"), "failing") == 0) {
            sp_doctor_find(d, SP_DOCTOR_UPSTREAM, _("upstream \"%s\": %s"),
                           text(row, "name"), text(row, "why"));
        }
    }
    if (refusals > 0) {
        row = json_array_get(json_object_get(status, "refusals"), 0);
        sp_doctor_find(d, SP_DOCTOR_REFUSALS,
                       _("%zu since the start, the last by rule %s"), refusals,
                       text(row, "rule"));
    }
}

static void look_at_daemon(struct sp_doctor *d, const char *config_file)
{
    struct sp_why why = {0};
    int code = 0;
    SP_AUTO(sp_buf_fini) struct sp_buf body;
    sp_buf_init(&body, SP_MIB(8));
    d->looked_at++;
    enum sp_err e =
        sp_admin_ask_of(config_file, "GET", "/status.json", &body, &code, &why);
    json_t *status = e == SP_OK ? json_loadb((const char *)body.data, body.len,
                                             JSON_REJECT_DUPLICATES, NULL)
                                : NULL;
    if (status) {
        look_at_status(d, status);
    } else {
        sp_doctor_find(d, SP_DOCTOR_NO_DAEMON, "%s", sp_why_text(&why, e));
    }
    json_decref(status);
}

void sp_doctor_inside(struct sp_doctor *d, const char *config_file)
{
    struct sp_config *config = NULL;
    struct sp_world *world = NULL;
    struct sp_why why = {0};
    d->looked_at++;
    enum sp_err e = sp_config_load(config_file, &config, &why);
    e = e == SP_OK ? sp_world_new(&config, &world, &why) : e;
    if (e != SP_OK) {
        sp_doctor_find(d, SP_DOCTOR_CONFIG, "%s", sp_why_text(&why, e));
        return;
    }
    for (size_t i = 0; i < world->config->listener_count; i++) {
        look_at_listener(d, &world->config->listeners[i]);
    }
    look_at_directory(d, world->config->state_dir, true);
    look_at_directory(d, world->config->cache_dir, false);
    sp_world_unref(&world);
    look_at_limits(d);
    look_at_daemon(d, config_file);
}
