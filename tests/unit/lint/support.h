/* What the tests of profiles/lint share. */
#ifndef CA_TESTS_LINT_SUPPORT_H
#define CA_TESTS_LINT_SUPPORT_H

/* cmocka.h wants these before it. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
/* clang-format on */

#endif
