/* Whom signatures of files are believed, out of files: the pins (without a file the set
 * of Microsoft's keys that the program was built with) and certificates that help to
 * build chains. */
#ifndef SP_APP_CONFIG_TRUST_FILES_H
#define SP_APP_CONFIG_TRUST_FILES_H

#include "core/crypto/trust.h"

#define SP_TRUST_ADDED "trust.pem" /* what `trust add` writes, in state_dir */

struct sp_trust_files {
    const char *pins;   /* path; NULL or empty: the shipped set */
    const char *bundle; /* path of a PEM file; NULL or empty: none */
    char *const *crls;  /* paths, crl_count of them */
    size_t crl_count;
    const char *state_dir; /* NULL: none; else its SP_TRUST_ADDED, where it is there */
};
/* SP_E_CONFIG with the file that is wrong, and the errors of sp_file_read. */
enum sp_err sp_trust_load(const struct sp_trust_files *files, struct sp_trust **out,
                          struct sp_why *why) SP_MUST_USE;
/* The same as a configuration names them. */
struct sp_config;
enum sp_err sp_trust_load_config(const struct sp_config *c, struct sp_trust **out,
                                 struct sp_why *why) SP_MUST_USE;

#endif
