/* reload: the daemon reads everything anew, and says item by item what came of it. */
#include "app/base/say.h"
#include "app/cmd/admin_ask.h"
#include "app/cmd/cmd.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

static const char *text(const json_t *o, const char *key)
{
    const char *s = json_string_value(json_object_get(o, key));
    return s ? s : "";
}

static const char *said(const char *how)
{
    return strcmp(how, "file") == 0   ? _(" (the file behind it)")
           : strcmp(how, "new") == 0  ? _(" (new)")
           : strcmp(how, "gone") == 0 ? _(" (gone)")
                                      : "";
}

static void print_list(const json_t *rows, const char *label)
{
    size_t i;
    const json_t *row;
    json_array_foreach(rows, i, row)
    {
        const char *item = text(row, "item"), *key = text(row, "key");
        printf("    %s: %s%s%s%s\n", label, item, item[0] && key[0] ? " " : "", key,
               said(text(row, "how")));
    }
}

static int show(const json_t *root)
{
    bool done = json_is_true(json_object_get(root, "reloaded"));
    const json_t *changed = json_object_get(root, "changed");
    json_int_t more = json_integer_value(json_object_get(root, "more"));
    if (!done) {
        printf(_("refused, the old configuration stays in force: %s\n"),
               text(root, "why"));
        print_list(json_object_get(root, "left"), _("needs a restart"));
        return SP_EXIT_REFUSED;
    }
    printf(_("reloaded: policy %s is in force\n"), text(root, "policy"));
    if (json_array_size(changed) == 0) {
        printf(_("    nothing is other than before\n"));
    }
    print_list(changed, _("changed"));
    if (more) {
        printf(_("    and %lld more\n"), (long long)more);
    }
    print_list(json_object_get(root, "left"), _("left until a restart"));
    return SP_EXIT_PASSED;
}

static int tell(const struct sp_buf *body, bool json)
{
    json_t *root =
        json_loadb((const char *)body->data, body->len, JSON_REJECT_DUPLICATES, NULL);
    int status = SP_EXIT_UNKNOWN;
    if (root && json) {
        fwrite(body->data, 1, body->len, stdout);
        putchar('\n');
        status = json_is_true(json_object_get(root, "reloaded")) ? SP_EXIT_PASSED
                                                                 : SP_EXIT_REFUSED;
    } else if (root) {
        status = show(root);
    }
    json_decref(root);
    return status;
}

int sp_cmd_reload(int argc, char **argv)
{
    const char *file = SP_CONFIG_DEFAULT;
    bool json = false;
    const struct sp_option options[] = {{"-c", &file, NULL}, {"--json", NULL, &json}};
    char **words = NULL;
    struct sp_why why = {0};
    SP_AUTO(sp_buf_fini) struct sp_buf body;
    sp_buf_init(&body, SP_MIB(1));
    int left = sp_options(argc, argv, options, 2, &words);
    if (left != 0) {
        return sp_cmd_usage("reload", left);
    }
    enum sp_err e = sp_admin_expect(file, "POST", "/reload", 200, &body, &why);
    return e == SP_OK ? tell(&body, json) : sp_cmd_failed(e, &why);
}
