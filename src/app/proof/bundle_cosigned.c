/* The cosignatures of a bundle's or an export's checkpoint, for somebody who has the
 * cosigners' public keys. */
#include "app/base/say.h"
#include "app/config/config.h"
#include "app/proof/bundle_tools.h"
#include "core/base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum sp_err add_key(struct sp_cosigner_keys *k, struct sp_view text,
                           struct sp_why *why)
{
    struct sp_note_key *key = NULL;
    if (k->count == SP_LIMIT_COSIGNERS) {
        return sp_why_set(why, SP_E_LIMIT, _("there are more than %d"),
                          SP_LIMIT_COSIGNERS);
    }
    SP_TRY(sp_cosigner_key_import(text, &key, why));
    for (size_t i = 0; i < k->count; i++) {
        if (memcmp(k->at[i]->public_key, key->public_key, 32) == 0) {
            sp_note_key_free(&key);
            return SP_OK; /* the same one counts once */
        }
    }
    k->at[k->count++] = key;
    return SP_OK;
}

enum sp_err sp_cosigner_keys_read(const char *text, struct sp_cosigner_keys *out,
                                  struct sp_why *why)
{
    SP_AUTO(sp_buf_fini) struct sp_buf file;
    struct sp_view rest = sp_view_str(text);
    sp_buf_init(&file, SP_MIB(1));
    if (!strchr(text, '+')) {
        SP_TRY(sp_file_read(text, &file, why));
        rest = sp_buf_view(&file);
    }
    while (rest.len) {
        size_t end = 0;
        while (end < rest.len && rest.data[end] != ',' && rest.data[end] != '\n') {
            end++;
        }
        struct sp_view key = sp_view_trim(sp_view_slice(rest, 0, end), " \t\r");
        rest = sp_view_slice(rest, end + 1, rest.len);
        SP_TRY(key.len ? add_key(out, key, why) : SP_OK);
    }
    return SP_OK;
}

void sp_cosigner_keys_fini(struct sp_cosigner_keys *k)
{
    for (size_t i = 0; i < k->count; i++) {
        sp_note_key_free(&k->at[i]);
    }
    k->count = 0;
}

enum sp_err sp_cosigner_keys_check(const struct sp_cosigner_keys *k,
                                   struct sp_view note, struct sp_cosigned *said,
                                   struct sp_why *why)
{
    size_t good = 0;
    SP_TRY(sp_cosignatures(note, (const struct sp_note_key *const *)k->at, k->count,
                           said, &good));
    return good >= k->wanted
               ? SP_OK
               : sp_why_set(
                     why, SP_E_UNPROVEN,
                     _("its checkpoint is cosigned by %zu of the cosigners given; "
                       "%zu are wanted"),
                     good, k->wanted);
}

void sp_cosigner_keys_show(const struct sp_cosigner_keys *k,
                           const struct sp_cosigned *said)
{
    for (size_t i = 0; i < k->count; i++) {
        char time[SP_TIME_TEXT];
        sp_time_format((int64_t)said[i].time, time);
        printf("%s %s%s%s\n", said[i].good ? _("cosigned by") : _("not cosigned by"),
               sp_note_key_name(k->at[i]), said[i].good ? ", " : "",
               said[i].good ? time : "");
    }
}
