/* program.c - see program.h. Side: container. */
#define _GNU_SOURCE
#include "init/program.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/passwd.h"
#include "base/str.h"
#include "base/sys.h"

#define PASSWD_BYTES_MAX (256 * 1024) /* of /etc/passwd; what lies behind is not looked at */

static const char *env_find(char *const *env, const char *name)
{
	size_t length = strlen(name);

	for (; *env != NULL; env++)
		if (strncmp(*env, name, length) == 0 && (*env)[length] == '=')
			return *env + length + 1;
	return NULL;
}

int program_set_home(const struct init *init, struct init_context *context, struct error *err)
{
	static char passwd[PASSWD_BYTES_MAX + 1];
	struct passwd_entry entry = { NULL, "" };
	char   *rest = passwd;
	ssize_t size = 0, count = 0;

	(void)err;
	if (env_find(context->env, "HOME") != NULL)
		return 0;
	/* O_NONBLOCK: the image may have a FIFO there. */
	fd_owned fd = sys_openat2(AT_FDCWD, "/etc/passwd", O_RDONLY | O_NOCTTY | O_NONBLOCK, 0,
				  RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
	while (fd >= 0 && (count = read(fd, passwd + size, (size_t)(PASSWD_BYTES_MAX - size))) > 0)
		size += count;
	passwd[size] = '\0';
	while (passwd_next(&rest, init->process->user.uid, &entry) && entry.home[0] != '/')
		entry.home = "";
	int length = snprintf(context->home, sizeof(context->home), "HOME=%s", entry.home[0] ? entry.home : "/");
	if (length < 0 || length >= (int)sizeof(context->home))
		snprintf(context->home, sizeof(context->home), "HOME=/");
	context->env[init->env_count] = context->home;
	context->env[init->env_count + 1] = NULL;
	return 0;
}

int program_set_listen_pid(const struct init *init, struct init_context *context, struct error *err)
{
	(void)context, (void)err;
	if (init->listen_pid != NULL)
		sprintf(init->listen_pid, "LISTEN_PID=%d", (int)getpid());
	return 0;
}

int program_enter_cwd(const struct init *init, struct init_context *context, struct error *err)
{
	if (chdir(init->process->cwd) == 0)
		context->cwd_entered = true;
	else if (errno != EACCES && errno != EPERM)
		return error_at(err, errno, "process: cwd", "chdir to %s", init->process->cwd);
	return 0;
}

int program_check_cwd(const struct init *init, struct init_context *context, struct error *err)
{
	char path[PATH_MAX];

	if (!context->cwd_entered && chdir(init->process->cwd) < 0)
		return error_at(err, errno, "process: cwd", "chdir to %s", init->process->cwd);
	/* The system call, not libc's getcwd(3), which would walk "..": a directory that the root
	 * does not reach is named "(unreachable)/...". */
	if (syscall(SYS_getcwd, path, sizeof(path)) < 0 || path[0] != '/')
		return error_at(err, EPERM, "process: cwd", "%s lies outside the container's root", init->process->cwd);
	return 0;
}

/* 0 when the user may execute this file; else -errno. */
static int check_executable(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	if (!S_ISREG(st.st_mode))
		return -EACCES;
	return faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) < 0 ? -errno : 0;
}

static int find_in_path(const char *name, const char *dirs, struct init_context *context)
{
	int denied = 0;

	while (dirs != NULL) {
		size_t length = strcspn(dirs, ":");
		int    size = snprintf(context->program, sizeof(context->program), "%.*s/%s",
				       length ? (int)length : 1, length ? dirs : ".", name);

		if (size > 0 && size < (int)sizeof(context->program)) {
			int ret = check_executable(context->program);
			if (ret == 0)
				return 0;
			if (ret != -ENOENT && ret != -ENOTDIR && ret != -EISDIR)
				denied = ret; /* there is one, but ... : that says more than "not found" */
		}
		dirs = dirs[length] == ':' ? dirs + length + 1 : NULL;
	}
	return denied ? denied : -ENOENT;
}

static int not_executable(int code, const char *name, struct error *err)
{
	char quoted[PATH_MAX];

	snprintf(quoted, sizeof(quoted), "\"%s\"", name);
	error_at(err, code, quoted, "%s", "");
	switch (code) {
	case EACCES:
		return error_hint(err, "the container's user must be able to execute it: chmod +x it in the root file system");
	case EISDIR:
		return error_hint(err, "process.args names a directory, where the program must stand");
	default:
		return error_hint(err, "process.args[0] is looked up inside the container's root file system");
	}
}

int program_find(const struct init *init, struct init_context *context, struct error *err)
{
	char quoted[PATH_MAX];
	int  ret;

	if (init->process->args.count == 0) /* nothing is to be started, ever */
		return 0;
	const char *name = init->process->args.texts[0];
	if (strchr(name, '/') != NULL) {
		if (snprintf(context->program, sizeof(context->program), "%s", name) >= (int)sizeof(context->program))
			return error_set(err, ENAMETOOLONG, "\"%.60s...\"", name);
		ret = check_executable(name);
		return ret < 0 ? not_executable(-ret, name, err) : 0;
	}
	ret = find_in_path(name, env_find(context->env, "PATH"), context);
	if (ret == -ENOENT) {
		snprintf(quoted, sizeof(quoted), "\"%s\"", name);
		error_at(err, 0, quoted, "executable file not found in $PATH");
		return error_hint(err, "put it into the root file system, or its directory into PATH of process.env");
	}
	return ret < 0 ? not_executable(-ret, name, err) : 0;
}

/* The dynamic loader that an ELF program asks for; false when it names none. */
static bool read_loader(int fd, char *loader, size_t size)
{
	union { Elf64_Ehdr wide; Elf32_Ehdr narrow; } header; /* e_ident is the same in both, ... */
	union { Elf64_Phdr wide; Elf32_Phdr narrow; } part;   /* ... p_type, too */

	if (pread(fd, &header, sizeof(header), 0) != (ssize_t)sizeof(header) ||
	    memcmp(header.wide.e_ident, ELFMAG, SELFMAG) != 0)
		return false;
	bool     narrow = header.wide.e_ident[EI_CLASS] == ELFCLASS32;
	uint64_t at = narrow ? header.narrow.e_phoff : header.wide.e_phoff;
	size_t   part_size = narrow ? sizeof(part.narrow) : sizeof(part.wide);
	for (unsigned left = narrow ? header.narrow.e_phnum : header.wide.e_phnum; left > 0; left--, at += part_size) {
		if (pread(fd, &part, part_size, (off_t)at) != (ssize_t)part_size)
			return false;
		if (part.wide.p_type != PT_INTERP)
			continue;
		ssize_t count = pread(fd, loader, size - 1, (off_t)(narrow ? part.narrow.p_offset : part.wide.p_offset));
		loader[count > 0 ? count : 0] = '\0';
		return count > 0;
	}
	return false;
}

/* "#!/no/such/shell" and a missing dynamic loader both end as ENOENT for a file that is there. */
static int explain_missing(const char *path, struct error *err)
{
	char line[256];
	fd_owned fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t  size = fd < 0 ? 0 : read(fd, line, sizeof(line) - 1);

	line[size > 0 ? size : 0] = '\0';
	if (str_starts(line, "#!")) {
		char *start = line + 2 + strspn(line + 2, " \t");

		start[strcspn(start, " \t\n")] = '\0';
		return error_hint(err, "the file is there; its interpreter \"%s\" is not", start);
	}
	if (fd >= 0 && read_loader(fd, line, sizeof(line)))
		return error_hint(err, "the file is there; its dynamic loader \"%s\" is not", line);
	return error_hint(err, "the file is there; something that it needs to be executed is not");
}

int program_execute(const struct init *init, struct init_context *context, struct error *err)
{
	execve(context->program, (char *const *)init->process->args.texts, context->env);
	int code = errno;
	/* All that follows may be denied to us. */
	if (init->seccomp != NULL)
		atomic_store(&init->seccomp->exec_errno, code);
	not_executable(code, context->program, err);
	err->hint[0] = '\0';
	if (code == ENOENT)
		return explain_missing(context->program, err);
	if ((code == EACCES || code == EPERM) && init->labels.selinux_label != NULL)
		return error_hint(err, "does SELinux's policy let %.300s be entered by it, also with no_new_privs (nnp_transition)? "
				  "The kernel's log tells: ausearch -m AVC", init->labels.selinux_label);
	return code == ENOEXEC ? error_hint(err, "it is no program for this machine; a script begins with a line like #!/bin/sh")
			       : -code;
}
