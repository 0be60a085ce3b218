/* template.c - see template.h. Side: any; pure.
 *
 * Written line by line and not through a JSON library, so that tabs and the order of the keys are
 * what people know from `runc spec`.
 */
#define _GNU_SOURCE
#include "spec/template.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct writer {
	FILE *file;
	int   depth;
	bool  first; /* nothing is in the innermost container yet */
};

#define LIST(...) ((const char *const[]){ __VA_ARGS__, NULL })

/* Begin an entry: the comma of the one before, a new line, the key if there is one. */
static void entry(struct writer *w, const char *key)
{
	if (w->depth > 0)
		fputs(w->first ? "\n" : ",\n", w->file);
	for (int i = 0; i < w->depth; i++)
		putc('\t', w->file);
	if (key != NULL)
		fprintf(w->file, "\"%s\": ", key);
	w->first = false;
}

static void begin(struct writer *w, const char *key, char bracket)
{
	entry(w, key);
	putc(bracket, w->file);
	w->depth++;
	w->first = true;
}

static void end(struct writer *w, char bracket)
{
	w->depth--;
	w->first = true; /* no comma before a closing bracket */
	putc('\n', w->file);
	for (int i = 0; i < w->depth; i++)
		putc('\t', w->file);
	putc(bracket, w->file);
	w->first = false;
}

static void text(struct writer *w, const char *key, const char *value)
{
	entry(w, key);
	putc('"', w->file);
	for (; *value != '\0'; value++) {
		if (*value == '"' || *value == '\\')
			fprintf(w->file, "\\%c", *value);
		else if ((unsigned char)*value < 0x20)
			fprintf(w->file, "\\u%04x", (unsigned char)*value);
		else
			putc(*value, w->file);
	}
	putc('"', w->file);
}

static void number(struct writer *w, const char *key, uint32_t value)
{
	entry(w, key);
	fprintf(w->file, "%" PRIu32, value);
}

static void boolean(struct writer *w, const char *key, bool value)
{
	entry(w, key);
	fputs(value ? "true" : "false", w->file);
}

static void texts(struct writer *w, const char *key, const char *const *values)
{
	begin(w, key, '[');
	for (; *values != NULL; values++)
		text(w, NULL, *values);
	end(w, ']');
}

static void write_capabilities(struct writer *w)
{
	static const char *const sets[] = { "bounding", "effective", "permitted" };

	begin(w, "capabilities", '{');
	for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++)
		texts(w, sets[i], LIST("CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"));
	end(w, '}');
}

static void write_process(struct writer *w, const struct template_options *options)
{
	begin(w, "process", '{');
	boolean(w, "terminal", options->terminal);
	begin(w, "user", '{');
	number(w, "uid", 0);
	number(w, "gid", 0);
	end(w, '}');
	texts(w, "args", options->args ? options->args : LIST("sh"));
	texts(w, "env", LIST("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
			     "TERM=xterm"));
	text(w, "cwd", "/");
	write_capabilities(w);
	begin(w, "rlimits", '[');
	begin(w, NULL, '{');
	text(w, "type", "RLIMIT_NOFILE");
	number(w, "hard", 1024);
	number(w, "soft", 1024);
	end(w, '}');
	end(w, ']');
	boolean(w, "noNewPrivileges", true);
	end(w, '}');
}

static void write_mounts(struct writer *w, bool rootless)
{
	static const struct mount {
		const char *destination, *type, *source;
		const char *options[8];
		enum { ALWAYS, AS_ROOT, ROOTLESS } when;
	} mounts[] = {
		{ "/proc", "proc", "proc", { NULL }, ALWAYS },
		{ "/dev", "tmpfs", "tmpfs", { "nosuid", "strictatime", "mode=755", "size=65536k" }, ALWAYS },
		{ "/dev/pts", "devpts", "devpts",
		  { "nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5" }, AS_ROOT },
		{ "/dev/pts", "devpts", "devpts",
		  { "nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620" }, ROOTLESS },
		{ "/dev/shm", "tmpfs", "shm",
		  { "nosuid", "noexec", "nodev", "mode=1777", "size=65536k" }, ALWAYS },
		{ "/dev/mqueue", "mqueue", "mqueue", { "nosuid", "noexec", "nodev" }, ALWAYS },
		{ "/sys", "sysfs", "sysfs", { "nosuid", "noexec", "nodev", "ro" }, AS_ROOT },
		{ "/sys", "none", "/sys", { "rbind", "nosuid", "noexec", "nodev", "ro" }, ROOTLESS },
		{ "/sys/fs/cgroup", "cgroup", "cgroup",
		  { "nosuid", "noexec", "nodev", "relatime", "ro" }, ALWAYS },
	};

	begin(w, "mounts", '[');
	for (size_t i = 0; i < sizeof(mounts) / sizeof(mounts[0]); i++) {
		const struct mount *m = &mounts[i];

		if (m->when == (rootless ? AS_ROOT : ROOTLESS))
			continue;
		begin(w, NULL, '{');
		text(w, "destination", m->destination);
		text(w, "type", m->type);
		text(w, "source", m->source);
		if (m->options[0] != NULL)
			texts(w, "options", m->options);
		end(w, '}');
	}
	end(w, ']');
}

static void write_mappings(struct writer *w, const char *key, const struct spec_id_maps *maps)
{
	begin(w, key, '[');
	for (size_t i = 0; i < maps->count; i++) {
		begin(w, NULL, '{');
		number(w, "containerID", maps->maps[i].container_id);
		number(w, "hostID", maps->maps[i].host_id);
		number(w, "size", maps->maps[i].count);
		end(w, '}');
	}
	end(w, ']');
}

static void write_resources(struct writer *w)
{
	begin(w, "resources", '{');
	begin(w, "devices", '[');
	begin(w, NULL, '{');
	boolean(w, "allow", false);
	text(w, "access", "rwm");
	end(w, '}');
	end(w, ']');
	end(w, '}');
}

static void write_namespaces(struct writer *w, const char *const *types)
{
	begin(w, "namespaces", '[');
	for (; *types != NULL; types++) {
		begin(w, NULL, '{');
		text(w, "type", *types);
		end(w, '}');
	}
	end(w, ']');
}

static void write_linux(struct writer *w, const struct template_options *options)
{
	begin(w, "linux", '{');
	if (options->rootless) {
		write_mappings(w, "uidMappings", options->uid_maps);
		write_mappings(w, "gidMappings", options->gid_maps);
		write_namespaces(w, options->network ? LIST("pid", "network", "ipc", "uts", "mount", "cgroup", "user")
						     : LIST("pid", "ipc", "uts", "mount", "cgroup", "user"));
	} else {
		write_resources(w);
		write_namespaces(w, LIST("pid", "network", "ipc", "uts", "mount", "cgroup"));
	}
	texts(w, "maskedPaths",
	      LIST("/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys", "/proc/latency_stats",
		   "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug", "/sys/firmware",
		   "/sys/devices/virtual/powercap", "/proc/scsi"));
	texts(w, "readonlyPaths",
	      LIST("/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"));
	end(w, '}');
}

static void write_all(struct writer *w, const struct template_options *options)
{
	begin(w, NULL, '{');
	text(w, "ociVersion", "1.3.0");
	write_process(w, options);
	begin(w, "root", '{');
	text(w, "path", "rootfs");
	boolean(w, "readonly", true);
	end(w, '}');
	text(w, "hostname", "moss");
	write_mounts(w, options->rootless);
	write_linux(w, options);
	if (options->network != NULL) {
		begin(w, "annotations", '{');
		text(w, "org.moss.network", options->network);
		end(w, '}');
	}
	end(w, '}');
	putc('\n', w->file);
}

int template_make(const struct template_options *options, char **ret_text, struct error *err)
{
	char  *made = NULL;
	size_t size;
	FILE  *file = open_memstream(&made, &size);

	if (file == NULL)
		return error_set(err, ENOMEM, "make config.json");
	write_all(&(struct writer){ .file = file }, options);
	int failed = ferror(file);
	if (fclose(file) != 0 || failed) {
		free(made);
		return error_set(err, ENOMEM, "make config.json");
	}
	*ret_text = made;
	return 0;
}
