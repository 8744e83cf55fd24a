/* Advisories and known issues that an administrator imported: one file in state_dir,
 * advisories.json, that the daemon does not know and the reports read.
 *
 *     {"version": 1, "advisories": {"CVE-...": {"title":, "severity":, "cvss":, "kbs":
 * []}}, "notes": [{"kb":, "text":}]}
 *
 * cvss is the base score times ten; absent where there is none. What is read from it is
 * checked like what is imported. */
#ifndef SP_APP_CMD_IMPORTED_H
#define SP_APP_CMD_IMPORTED_H

#include "core/base/limits.h"
#include "core/report/advisory.h"

#include <jansson.h>

#define SP_IMPORTED_FILE "advisories.json"

/* As a tree, to add to; empty where there is no file. *out is for json_decref. */
enum sp_err sp_imported_open(const char *state_dir, json_t **out,
                             struct sp_why *why) SP_MUST_USE;
/* One more; an advisory of the same CVE goes. SP_E_LIMIT, SP_E_NOMEM. */
enum sp_err sp_imported_add(json_t *root, const struct sp_advisory *a) SP_MUST_USE;
void sp_imported_drop_notes(json_t *root);
enum sp_err sp_imported_add_note(json_t *root, const struct sp_kb_note *n) SP_MUST_USE;
enum sp_err sp_imported_save(const char *state_dir, const json_t *root,
                             struct sp_why *why) SP_MUST_USE;
/* For reports: in the arena, texts borrowed from root. SP_E_CORRUPT. */
enum sp_err sp_imported_list(const json_t *root, struct sp_arena *arena,
                             struct sp_imported *out, struct sp_why *why) SP_MUST_USE;

/* csaf.c: a CSAF 2.0 document, as the Security Update Guide gives them. */
enum sp_err sp_csaf_read(struct sp_view document, const struct sp_advisory_sink *sink,
                         struct sp_why *why) SP_MUST_USE;

#endif
