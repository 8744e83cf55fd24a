/* The survey: behind a start with very many stored files it finds out how large each is
 * and when it was used last. The first part of the scrubber's first pass, in steps:
 *
 *     while (sp_survey_pick(s)) { sp_survey_look(s) in the work pool; sp_survey_tell(s)
 * }
 *
 * Until it is over nothing is evicted; files are served all the while, as each is
 * checked when it is opened. */
#ifndef SP_APP_FILL_SURVEY_H
#define SP_APP_FILL_SURVEY_H

#include "io/store/shelf.h"

struct sp_survey;
/* Both borrowed. */
enum sp_err sp_survey_new(struct sp_objects *objects, struct sp_shelf *shelf,
                          struct sp_survey **out) SP_MUST_USE;
void sp_survey_free(struct sp_survey **s);
/* Chooses the next files. False: there is nothing left to find out. */
bool sp_survey_pick(struct sp_survey *s) SP_MUST_USE;
void sp_survey_look(struct sp_survey *s); /* blocks; any thread */
void sp_survey_tell(struct sp_survey *s);

#endif
