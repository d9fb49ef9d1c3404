/*
 * The values of extensions by their own grammar: what the walk of der.h cannot
 * see, because IMPLICIT tags hide types and DEFAULTs, and named bit lists look
 * like other BIT STRINGs.  X.690, 11.2.2 and 11.5; RFC 5280, section 4.2.1.
 */
#ifndef CA_PROFILES_GRAMMAR_H
#define CA_PROFILES_GRAMMAR_H

#include "profiles/der/der.h"

/*
 * Is this the DER of the extension whose OBJECT IDENTIFIER has these contents?
 * An extension that is not in the table is held to der_check() alone.  Lists
 * that must not be empty may be empty here.  Linear time.
 */
bool der_extension_check(
    struct der oid, struct der value, struct der_fault *ret_fault);

/*
 * Has no list of SIZE (1..MAX) no element?  What does not fit the grammar
 * otherwise is no fault here.
 */
bool der_extension_is_filled(
    struct der oid, struct der value, struct der_fault *ret_fault);

/*
 * Extensions: the contents of the SEQUENCE; each one's frame, that critical is
 * not encoded as FALSE, and its value.  Not whether one is there twice.
 */
bool der_extensions_check(struct der in, struct der_fault *ret_fault);

#endif
