/* What came with this program. */
#ifndef CA_TOOL_SHIPPED_H
#define CA_TOOL_SHIPPED_H

#include "base/cleanup.h"

/*
 * The directory of the shipped profiles, found from where the program lies, so
 * that an installed tree and the build tree work alike and can be moved.
 * malloc'd.
 */
int shipped_profiles(char **ret_path) MUST_USE;

#endif
