/* Certificates, CRLs and requests that a command is given as files. */
#ifndef CA_TOOL_OBJECT_FILE_H
#define CA_TOOL_OBJECT_FILE_H

#include "base/cleanup.h"

enum { OBJECT_HEX_SIZE = 65 };

/*
 * SHA-256 (hex) of the DER of the object in the file `path`, which may be PEM.
 * CA_R_INPUT where it is neither, or several objects.
 */
int object_file_sha256(
    const char *path, char ret_hex[OBJECT_HEX_SIZE]) MUST_USE;

#endif
