/* What of one configuration is another one than before: item by item, by value or by the
 * file that a value names. For who asks what a reload did.
 *
 * Knows: the dump of a configuration, and which file stood behind each path when it was
 * read. Refuses to know what any key means, but for those that take a restart. */
#ifndef SP_APP_RUN_CHANGES_H
#define SP_APP_RUN_CHANGES_H

#include "app/config/config.h"

enum { SP_CHANGES = 64 };

enum sp_change_how {
    SP_CHANGE_VALUE, /* it says something else */
    SP_CHANGE_FILE,  /* it names the same file, and that is another one */
    SP_CHANGE_NEW,   /* the section is new; key is empty */
    SP_CHANGE_GONE,  /* and this one is no more */
};
enum sp_change_when {
    SP_CHANGE_NOW,
    SP_CHANGE_LATER, /* left as it was until a restart */
    SP_CHANGE_NEVER, /* nothing of a reload is done while it stands */
};
struct sp_change {
    char section[200]; /* listener "downstream"; empty: the top level */
    char key[40];
    enum sp_change_how how;
    enum sp_change_when when;
};
struct sp_changes {
    struct sp_change at[SP_CHANGES];
    size_t count;
    size_t more; /* that had no room */
    bool never;  /* there is one of those, with room or without */
};

struct sp_snapshot;
enum sp_err sp_snapshot_take(const struct sp_config *c, struct sp_snapshot **out) SP_MUST_USE;
void sp_snapshot_free(struct sp_snapshot **s);
void sp_changes_find(const struct sp_snapshot *old, const struct sp_snapshot *now,
                     struct sp_changes *out);

/* Those of one kind in words: "workers, listener \"l\" certificate (file)". */
enum sp_err sp_changes_say(const struct sp_changes *c, enum sp_change_when when,
                           struct sp_buf *out) SP_MUST_USE;
size_t sp_changes_count(const struct sp_changes *c, enum sp_change_when when);
/* {"reloaded":true,"policy":"","why":"","changed":[{"item":"","key":"","how":""}],"left":[],
 * "more":0}; refused: why is not NULL, and what stands in the way is left. */
enum sp_err sp_changes_json(const struct sp_changes *c, const char *policy, const char *why,
                            struct sp_buf *out) SP_MUST_USE;

#endif
