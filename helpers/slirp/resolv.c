/* resolv.c - see resolv.h. Side: helper. */
#define _GNU_SOURCE
#include "resolv.h"

#include <string.h>

#include "base/str.h"

#define KEY "nameserver"
#define BLANKS " \t"

size_t resolv_read(const char *text, struct spec_address *ret_servers, size_t room)
{
	char   address[INET6_ADDRSTRLEN];
	size_t count = 0;

	while (*text != '\0' && count < room) {
		const char *end = strchrnul(text, '\n');

		if (str_starts(text, KEY) && (text[strlen(KEY)] == ' ' || text[strlen(KEY)] == '\t')) {
			const char *word = text + strlen(KEY);

			word += strspn(word, BLANKS);
			size_t length = strcspn(word, BLANKS "\r\n");
			if (length < sizeof(address)) {
				memcpy(address, word, length);
				address[length] = '\0';
				count += spec_network_parse_address(address, &ret_servers[count]);
			}
		}
		text = *end != '\0' ? end + 1 : end;
	}
	return count;
}
