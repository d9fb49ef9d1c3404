/*
 * What `lint` is given beside the objects: the certificates of issuers, of
 * which each object gets its own, the CRL before, the block list.
 */
#ifndef CA_TOOL_LINT_BESIDE_H
#define CA_TOOL_LINT_BESIDE_H

#include "base/cleanup.h"
#include "ca-tool/lint-input.h"
#include "ca-tool/options.h"
#include "profiles/der/stream.h"
#include "profiles/lint/blocklist.h"
#include "profiles/lint/lint.h"

struct lint_beside {
	struct lint_context context; /* without the issuer */
	bool about;                  /* is it told what each object is? */
	struct lint_item *issuers;
	X509 **certificates; /* the same, read; NULL: OpenSSL cannot */
	size_t issuer_count;
	struct lint_item existing, previous;
	struct der previous_octets;
	struct der_file previous_file;
	struct der_source previous_source;
	struct blocklist *blocklist;
};

/*
 * CA_R_USAGE for what is written wrongly; CA_R_INPUT and others where a file
 * is not what it must be: then nothing is linted.  `ret_beside` must stay
 * where it is; it may be cleared after a failure too.
 */
int lint_beside_open(
    const struct options *options, struct lint_beside *ret_beside) MUST_USE;
void lint_beside_clear(struct lint_beside *beside);
CLEANUP_DEFINE_STRUCT(lint_beside);

/*
 * The issuer of `object`, whose first octets are enough for a CRL: the one that
 * was given alone; of several, the one whose name the object states, and whose
 * key identifier it does.  Empty: none.
 */
struct der lint_beside_issuer(
    const struct lint_beside *beside, struct der object);

#endif
