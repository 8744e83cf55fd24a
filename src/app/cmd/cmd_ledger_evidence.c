/* ledger evidence: the texts that entries name by their digests. */
#include "app/base/say.h"
#include "app/cmd/cmd.h"
#include "app/config/config.h"
#include "core/base/text.h"
#include "io/store/texts.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum sp_err print_row(void *ctx, const struct sp_text_seen *s)
{
    char time[SP_TIME_TEXT];
    (void)ctx;
    sp_time_format(s->kept_at, time);
    printf("%s  %8" PRIu64 "  %s\n", time, s->size, s->name);
    return SP_OK;
}

static enum sp_err print_text(const char *state_dir, const char *name,
                              struct sp_why *why)
{
    SP_AUTO(sp_buf_fini) struct sp_buf text;
    sp_buf_init(&text, SP_LIMIT_DOCUMENT);
    enum sp_err e = sp_text_read(state_dir, name, &text);
    if (e != SP_OK) {
        return sp_why_set(why, e, "%s: %s", name,
                          e == SP_E_MALFORMED ? _("no name that is listed here")
                                              : sp_err_text(e));
    }
    fwrite(text.data, 1, text.len, stdout);
    return SP_OK;
}

static enum sp_err place_of(const char *config, const char *dir, char **out,
                            struct sp_why *why)
{
    struct sp_config *c = NULL;
    if (!dir) {
        SP_TRY(sp_config_load(config, &c, why));
    }
    *out = strdup(dir ? dir : c->state_dir);
    sp_config_free(&c);
    return *out ? SP_OK : SP_E_NOMEM;
}

int sp_cmd_ledger_evidence(int argc, char **argv)
{
    const char *config = SP_CONFIG_DEFAULT, *dir = NULL;
    const struct sp_option options[] = {{"-c", &config, NULL}, {"-d", &dir, NULL}};
    struct sp_why why = {0};
    char **words = NULL, *state_dir = NULL;
    int count = sp_options(argc, argv, options, 2, &words);
    if (count < 0 || count > 1) {
        return sp_cmd_usage("ledger evidence", count);
    }
    enum sp_err e = place_of(config, dir, &state_dir, &why);
    if (e == SP_OK) {
        e = count ? print_text(state_dir, words[0], &why)
                  : sp_texts_each(state_dir, print_row, NULL);
    }
    free(state_dir);
    return e == SP_OK ? 0 : sp_cmd_failed(e, &why);
}
