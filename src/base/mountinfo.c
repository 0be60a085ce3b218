/* mountinfo.c - see mountinfo.h. Side: any; pure. */
#define _GNU_SOURCE
#include "base/mountinfo.h"

#include <string.h>

/* proc(5), mountinfo: "\040" for a space, and so on. */
static void unescape(char *text)
{
	char *to = text;

	for (; *text != '\0'; text++, to++) {
		*to = *text;
		if (text[0] == '\\' && text[1] != '\0' && text[2] != '\0' && text[3] != '\0') {
			*to = (char)((text[1] - '0') << 6 | (text[2] - '0') << 3 | (text[3] - '0'));
			text += 3;
		}
	}
	*to = '\0';
}

/* Cut the line: root and mount point are its fourth and fifth word, the type is the first behind a lone "-". */
static bool parse(char *line, struct mountinfo *ret_mount)
{
	char *words[5] = { line }, *dash = strstr(line, " - ");

	for (int i = 1; i < 5; i++) {
		words[i] = strchr(words[i - 1], ' ');
		if (words[i]++ == NULL)
			return false;
	}
	if (dash == NULL || dash <= words[4])
		return false;
	words[3][strcspn(words[3], " ")] = '\0';
	words[4][strcspn(words[4], " ")] = '\0';
	dash[3 + strcspn(dash + 3, " ")] = '\0';
	unescape(words[3]);
	unescape(words[4]);
	*ret_mount = (struct mountinfo){ words[3], words[4], dash + 3 };
	return true;
}

bool mountinfo_next(char **rest, struct mountinfo *ret_mount)
{
	while (**rest != '\0') {
		char  *line = *rest;
		size_t length = strcspn(line, "\n");

		*rest += length + (line[length] == '\n');
		line[length] = '\0';
		if (parse(line, ret_mount))
			return true;
	}
	return false;
}
