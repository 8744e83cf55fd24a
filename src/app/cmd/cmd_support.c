/* sallyport support-bundle: what somebody who helps needs to see, in one tar file, with
 * nothing in it that opens a door. */
#include "app/base/mask.h"
#include "app/base/say.h"
#include "app/base/tar.h"
#include "app/cmd/admin_ask.h"
#include "app/cmd/cmd.h"
#include "app/cmd/doctor.h"
#include "app/config/config.h"
#include "core/base/text.h"
#include "io/store/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#define PART_MAX   SP_MIB(16)
#define BUNDLE_MAX SP_MIB(128)

static const char readme[] =
    "What `sallyport support-bundle` found, for somebody who helps.\n"
    "\n"
    "versions.txt     program, system, libraries in use\n"
    "config.conf      every key with the value in force\n"
    "policy.policy    the policy it names\n"
    "doctor.json      what is wrong, seen from this machine\n"
    "status.json      the running daemon: counters, last refusals, who uses plain "
    "HTTP\n"
    "posture.json     whether each upstream is in order, and why not\n"
    "history.json     the last hour\n"
    "metrics.txt      /metrics\n"
    "\n"
    "A part that could not be had says why instead. No key, cookie or certificate is\n"
    "in here, and neither are update documents or content. Addresses of machines were\n"
    "replaced by peer-1, peer-2 (one name, one machine, in all parts); names of "
    "hosts,\n"
    "upstreams and files are as they stand: look through it before you pass it on.\n";

struct bundle {
    const char *config_file; /* borrowed */
    struct sp_buf tar;
    struct sp_mask mask;
    bool keeps_addresses;
    int64_t now;
};

static enum sp_err add(struct bundle *b, const char *name, struct sp_view text)
{
    char path[100];
    SP_AUTO(sp_buf_fini) struct sp_buf masked;
    sp_buf_init(&masked, 2 * PART_MAX);
    snprintf(path, sizeof path, "sallyport-support/%s", name);
    if (!b->keeps_addresses) {
        SP_TRY(sp_mask_append(&b->mask, text, &masked));
        text = sp_buf_view(&masked);
    }
    return sp_tar_add(&b->tar, path, text, b->now);
}

/* A part that could not be had: why stands in its place. */
static enum sp_err add_or_say(struct bundle *b, const char *name, enum sp_err e,
                              const struct sp_why *why, const struct sp_buf *text)
{
    char said[SP_WHY_MAX + 32];
    if (e == SP_OK) {
        return add(b, name, sp_buf_view(text));
    }
    snprintf(said, sizeof said, "not to be had: %s\n", sp_why_text(why, e));
    return add(b, name, sp_view_str(said));
}

/* ---- the parts ------------------------------------------------------------------ */

static enum sp_err append_file(struct sp_buf *out, const char *path)
{
    struct sp_why why = {0};
    SP_AUTO(sp_buf_fini) struct sp_buf text;
    sp_buf_init(&text, PART_MAX);
    return sp_file_read(path, &text, &why) == SP_OK
               ? sp_buf_append(out, sp_buf_view(&text))
               : sp_buf_printf(out, "%s\n", why.text);
}

/* Libraries as this process has them mapped: one line each. */
static enum sp_err append_libraries(struct sp_buf *out)
{
    char line[4352], last[4352] = "";
    FILE *maps = fopen("/proc/self/maps", "re");
    enum sp_err e = SP_OK;
    while (maps && e == SP_OK && fgets(line, sizeof line, maps)) {
        const char *path = strchr(line, '/');
        if (path && strstr(path, ".so") && strcmp(path, last) != 0) {
            snprintf(last, sizeof last, "%s", path);
            e = sp_buf_append_str(out, path);
        }
    }
    if (maps) {
        fclose(maps);
    }
    return e;
}

static enum sp_err versions(struct bundle *b)
{
    struct utsname u = {0};
    char now[SP_TIME_TEXT];
    SP_AUTO(sp_buf_fini) struct sp_buf text;
    sp_buf_init(&text, PART_MAX);
    uname(&u);
    sp_time_format(b->now, now);
    SP_TRY(sp_buf_printf(&text, "sallyport %s\nmade %s\n%s %s %s\n\n", SP_VERSION, now,
                         u.sysname, u.release, u.machine));
    SP_TRY(append_file(&text, "/etc/os-release"));
    SP_TRY(sp_buf_append_str(&text, "\n"));
    SP_TRY(append_libraries(&text));
    return add(b, "versions.txt", sp_buf_view(&text));
}

static enum sp_err configuration(struct bundle *b)
{
    struct sp_why why = {0};
    SP_AUTO(sp_config_free) struct sp_config *config = NULL;
    SP_AUTO(sp_buf_fini) struct sp_buf text;
    sp_buf_init(&text, PART_MAX);
    enum sp_err e = sp_config_load(b->config_file, &config, &why);
    if (e == SP_OK) {
        e = sp_buf_append_str(&text, sp_config_dump(config));
    }
    SP_TRY(add_or_say(b, "config.conf", e, &why, &text));
    text.len = 0;
    if (config) {
        e = sp_file_read(config->policy, &text, &why);
    }
    return add_or_say(b, "policy.policy", e, &why, &text);
}

static enum sp_err self_check(struct bundle *b)
{
    struct sp_why why = {0};
    SP_AUTO(sp_buf_fini) struct sp_buf text;
    sp_buf_init(&text, PART_MAX);
    struct sp_doctor *d = calloc(1, sizeof *d);
    if (!d) {
        return SP_E_NOMEM;
    }
    d->now = b->now;
    enum sp_err e = sp_upstream_global_init(&why);
    if (e == SP_OK) {
        sp_doctor_inside(d, b->config_file);
        e = sp_doctor_json(d, &text);
    }
    free(d);
    return add_or_say(b, "doctor.json", e, &why, &text);
}

static enum sp_err from_daemon(struct bundle *b, const char *path, const char *name)
{
    struct sp_why why = {0};
    int status = 0;
    SP_AUTO(sp_buf_fini) struct sp_buf text;
    sp_buf_init(&text, PART_MAX);
    enum sp_err e = sp_admin_ask_of(b->config_file, "GET", path, &text, &status, &why);
    return add_or_say(b, name, e, &why, &text);
}

static enum sp_err gather(struct bundle *b)
{
    SP_TRY(add(b, "README.txt", sp_view_str(readme)));
    SP_TRY(versions(b));
    SP_TRY(configuration(b));
    SP_TRY(self_check(b));
    SP_TRY(from_daemon(b, "/status.json", "status.json"));
    SP_TRY(from_daemon(b, "/posture", "posture.json"));
    SP_TRY(from_daemon(b, "/history.json", "history.json"));
    SP_TRY(from_daemon(b, "/metrics", "metrics.txt"));
    return sp_tar_end(&b->tar);
}

/* ---- the file ------------------------------------------------------------------- */

static enum sp_err failed(struct sp_why *why, const char *path)
{
    return sp_why_set(why, errno == EEXIST ? SP_E_EXISTS : SP_E_IO, "%s: %s", path,
                      strerror(errno));
}

/* New, and for its owner only. */
static enum sp_err write_new(const char *path, struct sp_view bytes, struct sp_why *why)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) {
        return failed(why, path);
    }
    enum sp_err e = sp_file_write(fd, 0, bytes);
    if (e != SP_OK) {
        e = failed(why, path);
        unlink(path);
    }
    close(fd);
    return e;
}

int sp_cmd_support_bundle(int argc, char **argv)
{
    struct bundle b = {.config_file = SP_CONFIG_DEFAULT, .now = sp_clock_wall_s()};
    const struct sp_option options[] = {{"-c", &b.config_file, NULL},
                                        {"--addresses", NULL, &b.keeps_addresses}};
    char **words = NULL;
    struct sp_why why = {0};
    int left = sp_options(argc, argv, options, 2, &words);
    if (left != 1) {
        return sp_cmd_usage("support-bundle", left);
    }
    sp_buf_init(&b.tar, BUNDLE_MAX);
    sp_say_in_english(); /* what somebody who helps can read, and search for */
    enum sp_err e = gather(&b);
    sp_say_in_language();
    if (e == SP_OK) {
        e = write_new(words[0], sp_buf_view(&b.tar), &why);
    }
    sp_buf_fini(&b.tar);
    if (e != SP_OK) {
        return sp_cmd_failed(e, &why);
    }
    printf(_("%s: look through it before you pass it on; tar -xOf %s "
             "sallyport-support/README.txt says what is in it\n"),
           words[0], words[0]);
    return SP_EXIT_PASSED;
}
