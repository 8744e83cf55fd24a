/* What a document asks of a machine that installs it: the program and its arguments, the
 * rules that decide where, the categories that it is filed under. All of it is stated as
 * facts and none of it is judged here. (reference 5.2 to 5.5, 6)
 *
 * Called by the reader of documents with the element at hand; keeps nothing. Pure. */
#ifndef SP_CORE_WSUS_DOCUMENT_DEMANDS_H
#define SP_CORE_WSUS_DOCUMENT_DEMANDS_H

#include "core/wsus/wsus.h"
#include "core/xml/xml.h"

/* What the text of a clause with IsCategory begins with. */
#define SP_CLAUSE_CATEGORY "category"

/* The prerequisite clause at hand. [MS-WUSP] 3.1.1.1: all clauses must hold, and of a
 * clause one UpdateID. What stands outside of AtLeastOne is a clause of its own. */
struct sp_clause {
    struct sp_buf text; /* owned by the reader */
    bool is_category;
    int64_t categories; /* how many of them had IsCategory */
};
enum sp_err sp_clause_open(struct sp_clause *c, bool is_category) SP_MUST_USE;
/* Nothing is stated of a clause without an UpdateID. */
enum sp_err sp_clause_close(struct sp_clause *c, struct sp_facts *f) SP_MUST_USE;

/* Properties. */
enum sp_err sp_demands_properties(struct sp_facts *f,
                                  const struct sp_xml_element *e) SP_MUST_USE;
/* UpdateIdentity below Prerequisites, which is added to its clause too; SP_E_MALFORMED
 * when it has no UpdateID. */
enum sp_err sp_demands_prerequisite(struct sp_facts *f, const struct sp_xml_element *e,
                                    struct sp_clause *c) SP_MUST_USE;
/* UpdateIdentity below SupersededUpdates; SP_E_MALFORMED as above. */
enum sp_err sp_demands_superseded(struct sp_facts *f,
                                  const struct sp_xml_element *e) SP_MUST_USE;
/* InstallationBehavior, and CategoryInformation of a category. */
enum sp_err sp_demands_restart(struct sp_facts *f,
                               const struct sp_xml_element *e) SP_MUST_USE;
enum sp_err sp_demands_category_type(struct sp_facts *f,
                                     const struct sp_xml_element *e) SP_MUST_USE;
/* AtLeastOne/@IsCategory. */
bool sp_demands_is_category(const struct sp_xml_element *e);
/* A constant below IsInstalled or IsInstallable: rule is one of these names. */
enum sp_err sp_demands_constant(struct sp_facts *f, const struct sp_xml_element *e,
                                const char *rule) SP_MUST_USE;
/* InstallCommand, and a ReturnCode in it. */
enum sp_err sp_demands_command(struct sp_facts *f,
                               const struct sp_xml_element *e) SP_MUST_USE;
enum sp_err sp_demands_return_code(struct sp_facts *f,
                                   const struct sp_xml_element *e) SP_MUST_USE;
/* Files/File, at its beginning: number counts from 0. */
enum sp_err sp_demands_file(struct sp_facts *f, const struct sp_xml_element *e,
                            const struct sp_claim *claim, size_t number) SP_MUST_USE;

#endif
