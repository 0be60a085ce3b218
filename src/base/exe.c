/* exe.c - see exe.h. Side: any. */
#define _GNU_SOURCE
#include "base/exe.h"

#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/io.h"
#include "base/str.h"

extern const ElfW(Ehdr) __ehdr_start __attribute__((visibility("hidden")));

int exe_find(struct exe *ret_exe, struct error *err)
{
	memset(ret_exe, 0, sizeof(*ret_exe));
	ret_exe->heap = sbrk(0);
	if (readlink("/proc/self/exe", ret_exe->path, sizeof(ret_exe->path) - 1) < 0 ||
	    stat("/proc/self/exe", &ret_exe->stat) < 0) {
		error_at(err, errno, "/proc/self/exe", "look up the running binary");
		return error_hint(err, "moss needs /proc: mount -t proc proc /proc");
	}
	return 0;
}

/* The binary by its path, through a read-only clone of its mount; -1 when the path is another
 * file by now (deleted, replaced, started in another root). */
static int open_read_only_clone(const struct exe *exe, int *ret_tree_fd)
{
	struct mount_attr attributes = { .attr_set = MOUNT_ATTR_RDONLY };
	char              path[48];
	struct stat       st;

	fd_owned tree = open_tree(AT_FDCWD, exe->path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (tree < 0 || fstat(tree, &st) < 0 || st.st_dev != exe->stat.st_dev || st.st_ino != exe->stat.st_ino)
		return -1;
	if (mount_setattr(tree, "", AT_EMPTY_PATH, &attributes, sizeof(attributes)) < 0)
		return -1;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", tree);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		*ret_tree_fd = fd_take(&tree);
	return fd;
}

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U /* Linux 6.3 */
#endif

/* A file in memory that may be executed, or it could be no process's exe file. Since 6.3 that has to be said where
 * the sysctl vm.memfd_noexec is 1, and an older kernel does not know the flag. */
static int create_executable_memfd(void)
{
	int fd = memfd_create("moss", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC);

	return fd < 0 && errno == EINVAL ? memfd_create("moss", MFD_CLOEXEC | MFD_ALLOW_SEALING) : fd;
}

/* A copy in memory that nobody can write any more. */
static int open_sealed_copy(struct error *err)
{
	fd_owned from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	fd_owned copy = from < 0 ? -1 : create_executable_memfd();
	off_t    size = 0, at = 0;

	if (from < 0 || copy < 0) {
		error_set(err, errno, "copy the running binary");
		return err->code == EACCES && from >= 0 ? error_hint(err, "the sysctl vm.memfd_noexec is 2: start moss by the path of its file, "
				"so that no copy is needed, or set the sysctl to 1") : -err->code;
	}
	size = lseek(from, 0, SEEK_END);
	while (at < size)
		if (sendfile(copy, from, &at, (size_t)(size - at)) <= 0)
			return error_set(err, errno ? errno : EIO, "copy the running binary");
	if (fchmod(copy, 0555) < 0 ||
	    fcntl(copy, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) < 0)
		return error_set(err, errno, "seal the copy of the running binary");
	return fd_take(&copy);
}

static int protection_of(const ElfW(Phdr) *part)
{
	return (part->p_flags & PF_R ? PROT_READ : 0) | (part->p_flags & PF_W ? PROT_WRITE : 0) |
	       (part->p_flags & PF_X ? PROT_EXEC : 0);
}

/* The data is copied with the sanitizer's guard zones between its variables. */
#if defined(__SANITIZE_ADDRESS__)
__attribute__((no_sanitize("address"))) static void copy_data(void *to, const void *from, size_t size)
{
	for (size_t i = 0; i < size; i++)
		((volatile char *)to)[i] = ((const volatile char *)from)[i];
}
#else
#define copy_data memcpy
#endif

/* Where the program and its arguments are, in terms of proc(5), /proc/PID/stat. To read it there costs 20 us; all of it but
 * the start of the heap and of the stack is to be had from here as well, and those two nobody asks for. */
static struct prctl_mm_map layout_find(const struct exe *exe, const ElfW(Phdr) *parts, uintptr_t base)
{
	/* execve(2) puts the texts of the arguments, of the environment and of AT_EXECFN behind each other. */
	uintptr_t end = getauxval(AT_EXECFN), arguments = (uintptr_t)program_invocation_name;
	uintptr_t environment = environ != NULL && environ[0] != NULL ? (uintptr_t)environ[0] : end;
	struct prctl_mm_map layout = { .start_code = UINTPTR_MAX, .start_stack = end, .env_end = end,
				       .start_brk = (uintptr_t)exe->heap, .brk = (uintptr_t)sbrk(0) };

	layout.env_start = layout.arg_end = environment >= arguments && environment <= end ? environment : end;
	layout.arg_start = arguments <= end ? arguments : end;
	for (int i = 0; i < __ehdr_start.e_phnum; i++) {
		uintptr_t start = base + parts[i].p_vaddr, part_end = start + parts[i].p_filesz;

		if (parts[i].p_type != PT_LOAD)
			continue;
		if ((parts[i].p_flags & PF_X) && start < layout.start_code)
			layout.start_code = start;
		if (parts[i].p_flags & PF_X)
			layout.end_code = part_end;
		layout.start_data = start;
		layout.end_data = part_end;
	}
	return layout;
}

/* Put the same bytes from another file under one loaded part of this program, while it runs. */
static int part_map_again(const ElfW(Phdr) *part, uintptr_t base, uintptr_t page, int fd)
{
	uintptr_t start = (base + part->p_vaddr) / page * page;
	uintptr_t end = (base + part->p_vaddr + part->p_filesz + page - 1) / page * page;
	size_t    size = end - start;

	if (!(part->p_flags & PF_W))
		return mmap((void *)start, size, protection_of(part), MAP_PRIVATE | MAP_FIXED, fd,
			    (off_t)(part->p_offset / page * page)) == MAP_FAILED ? -errno : 0;
	/* Data has been written since the start: move a copy over it, in one step, because the
	 * tables that every call goes through are among it. */
	void *copy = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (copy == MAP_FAILED)
		return -errno;
	copy_data(copy, (void *)start, size);
	return mremap(copy, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, (void *)start) == MAP_FAILED ? -errno : 0;
}

int exe_open_sealed(const struct exe *exe, int *ret_tree_fd, struct error *err)
{
	*ret_tree_fd = -1;
	int fd = open_read_only_clone(exe, ret_tree_fd);

	return fd >= 0 ? fd : open_sealed_copy(err);
}

/* prctl(2), PR_SET_MM_MAP, has no form for 32-bit programs: from them, too, a 64-bit kernel takes its
 * own struct, whose pointer is wider. It refuses ours for its size, or on machines that pad it to the
 * same size because a size of auxv without an auxv stands where ours has the fd. */
static int layout_set(const struct prctl_mm_map *layout)
{
	if (prctl(PR_SET_MM, PR_SET_MM_MAP, layout, sizeof(*layout), 0) == 0)
		return 0;
#if UINTPTR_MAX < UINT64_MAX
	struct {
		uint64_t addresses[offsetof(struct prctl_mm_map, auxv) / sizeof(uint64_t)], auxv;
		uint32_t auxv_size, exe_fd;
	} wide = { .exe_fd = layout->exe_fd };

	memcpy(wide.addresses, layout, sizeof(wide.addresses));
	if (errno == EINVAL && prctl(PR_SET_MM, PR_SET_MM_MAP, &wide, sizeof(wide), 0) == 0)
		return 0;
#endif
	return -errno;
}

int exe_seal(const struct exe *exe, int fd, struct error *err)
{
	const ElfW(Phdr)   *parts = (const void *)getauxval(AT_PHDR);
	uintptr_t           base = __ehdr_start.e_type == ET_DYN ? (uintptr_t)&__ehdr_start : 0;
	uintptr_t           page = (uintptr_t)sysconf(_SC_PAGESIZE);
	struct prctl_mm_map layout = layout_find(exe, parts, base);

	for (int i = 0; i < __ehdr_start.e_phnum; i++) {
		int ret = parts[i].p_type == PT_LOAD ? part_map_again(&parts[i], base, page, fd) : 0;
		if (ret < 0)
			return error_at(err, -ret, exe->path, "map the running binary again");
	}
	for (int i = 0; i < __ehdr_start.e_phnum; i++) {
		uintptr_t start = (base + parts[i].p_vaddr) / page * page;
		uintptr_t end = (base + parts[i].p_vaddr + parts[i].p_memsz) / page * page;

		if (parts[i].p_type == PT_GNU_RELRO && end > start)
			mprotect((void *)start, end - start, PROT_READ); /* as the loader left it */
	}
	layout.exe_fd = (unsigned)fd;
	int ret = layout_set(&layout);
	/* A kernel without CONFIG_CHECKPOINT_RESTORE has only the second, for CAP_SYS_RESOURCE on the host. */
	if (ret < 0 && prctl(PR_SET_MM, PR_SET_MM_EXE_FILE, fd, 0, 0) < 0) {
		error_at(err, -ret, exe->path, "protect the running binary (prctl PR_SET_MM_MAP)");
		return error_hint(err, "the container's root could write this file: let it belong to an id that "
				       "is not mapped into the container, or use a kernel with CONFIG_CHECKPOINT_RESTORE");
	}
	return 0;
}
