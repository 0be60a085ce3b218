/* rdt_schemata.h - the text of resctrl's schemata files. Side: host; pure. */
#ifndef MOSS_RDT_SCHEMATA_H
#define MOSS_RDT_SCHEMATA_H
#include <stdbool.h>

/* Does the schemata file with this text give what @line asks for, "L3:0=ff;1=f"? Zeros before a number, blanks and upper
 * or lower case mean nothing, and domains that @line does not name may have any value. */
bool rdt_schemata_has(const char *text, const char *line) __attribute__((nonnull, pure));

#endif
