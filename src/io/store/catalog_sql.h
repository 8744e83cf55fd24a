/* What making and reading the index of a catalogue share; nobody else includes this. */
#ifndef SP_IO_STORE_CATALOG_SQL_H
#define SP_IO_STORE_CATALOG_SQL_H

#include "io/store/catalog.h"
#include "io/store/sql.h"

/* "spoc"; any other version is made again from the catalogue. */
#define SP_CATALOG_SQL_ID      1936747363
#define SP_CATALOG_SQL_VERSION 1

#endif
