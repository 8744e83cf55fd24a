#include "app/fill/survey.h"

#include <stdlib.h>
#include <string.h>

enum { BATCH = 512 };

struct sp_survey {
    struct sp_objects *objects; /* borrowed */
    struct sp_shelf *shelf;     /* borrowed */
    bool begun;
    uint8_t last[32];
    size_t count;
    uint8_t digests[BATCH][32];
    struct sp_object_seen seen[BATCH];
    enum sp_err errs[BATCH];
};

enum sp_err sp_survey_new(struct sp_objects *objects, struct sp_shelf *shelf,
                          struct sp_survey **out)
{
    struct sp_survey *s = calloc(1, sizeof *s);
    if (!s) {
        return SP_E_NOMEM;
    }
    s->objects = objects;
    s->shelf = shelf;
    *out = s;
    return SP_OK;
}

void sp_survey_free(struct sp_survey **ps)
{
    free(*ps);
    *ps = NULL;
}

bool sp_survey_pick(struct sp_survey *s)
{
    s->count = sp_shelf_ask(s->shelf, s->begun ? s->last : NULL, s->digests, BATCH);
    if (s->count == 0) {
        return false;
    }
    s->begun = true;
    memcpy(s->last, s->digests[s->count - 1], sizeof s->last);
    return true;
}

void sp_survey_look(struct sp_survey *s)
{
    for (size_t i = 0; i < s->count; i++) {
        s->errs[i] = sp_objects_look(s->objects, s->digests[i], &s->seen[i]);
    }
}

void sp_survey_tell(struct sp_survey *s)
{
    for (size_t i = 0; i < s->count; i++) {
        sp_shelf_tell(s->shelf, &s->seen[i], s->errs[i]);
    }
    s->count = 0;
}
