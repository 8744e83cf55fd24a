/* What objects.c and stage.c share. */
#ifndef SP_IO_STORE_OBJECTS_INSIDE_H
#define SP_IO_STORE_OBJECTS_INSIDE_H

#include "io/store/objects.h"

/* Directories are opened once; everything else is relative to them. Nothing changes
 * after sp_objects_open, so that every thread may use it. */
struct sp_objects {
    int lock;                         /* owned; held while open */
    int objects, staging, quarantine; /* owned */
};

/* "ab/abcdef..." */
#define SP_OBJECT_PATH 68
void sp_object_path(const uint8_t sha256[32], char out[SP_OBJECT_PATH]);

#endif
