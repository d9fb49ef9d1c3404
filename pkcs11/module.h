/*
 * A PKCS#11 module, opened twice: by libp11 for EVP keys, and raw for what
 * libp11 lacks.  libp11.h and the PKCS#11 header are seen by pkcs11/ alone
 * (pkcs11/raw.h); nothing of them appears in the public headers.
 *
 * One process holds one module, and one configuration of it.
 */
#ifndef CA_PKCS11_MODULE_H
#define CA_PKCS11_MODULE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"

struct module;

/* What the module says of itself (C_GetInfo), and which file it is. */
struct module_facts {
	char *path;         /* as opened, absolute */
	char sha256[65];    /* of the file, hex */
	char *manufacturer; /* blanks trimmed, escaped */
	char *description;
	char version[8];    /* library version, "2.6" */
	char cryptoki[8];   /* interface version, "2.40" */
	const char *quirks; /* the row of the table of module differences */
};

/*
 * Open the module at `path` (absolute; CA_R_USAGE otherwise) and initialise
 * it.  CA_R_MODULE where it cannot be loaded, is no PKCS#11 library, or
 * fails.
 */
int module_open(const char *path, struct module **ret_module) MUST_USE;

/*
 * The embedded SoftHSM: the system's libsofthsm2.so with a configuration and
 * object store of its own in `dir`, an existing directory of mode 0700 given
 * by absolute path.  SOFTHSM2_CONF is set for this process.
 *
 * A damaged token (empty or short token.object: what a cut login leaves) is
 * restored from the guard copy first; *ret_restored, where not NULL, says so.
 * From here on, every login, PIN change and key generation is preceded by a
 * synced guard copy and a check of free space, runs with signals blocked, and
 * is followed by a sync.  The caller holds the authority's lock.
 */
int module_open_embedded(
    const char *dir, struct module **ret_module, bool *ret_restored) MUST_USE;

const struct module_facts *module_facts(const struct module *module);

/* Finalises the module.  All of its tokens must have been closed. */
void module_free(struct module *module);
CLEANUP_DEFINE_PTR(module);

/*
 * The path of the SoftHSM library that module_open_embedded() loads: the
 * first of the usual places of Debian that exists, or NULL.
 */
const char *softhsm_library(void);

/*
 * Remove all objects and configuration from the embedded token's directory,
 * for an init that was cut before the token was recorded.  No module may be
 * open on it.
 */
int softhsm_wipe(const char *dir) MUST_USE;

#endif
