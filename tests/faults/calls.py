"""calls.py - the names of the system calls, and the errors that each can really fail with.

Side: any. Needs: libseccomp, for the names.
"""
import ctypes
import functools

_seccomp = ctypes.CDLL("libseccomp.so.2")
_seccomp.seccomp_syscall_resolve_num_arch.restype = ctypes.c_void_p
_seccomp.seccomp_syscall_resolve_num_arch.argtypes = [ctypes.c_uint32, ctypes.c_int]
_libc = ctypes.CDLL(None)
_libc.free.argtypes = [ctypes.c_void_p]


@functools.lru_cache(maxsize=None)
def name_of(number):
    found = _seccomp.seccomp_syscall_resolve_num_arch(0, number)
    if not found:
        return f"call_{number}"
    name = ctypes.string_at(found).decode()
    _libc.free(found)
    return name


# The first error is always tried, the others only in a whole run. Two kinds matter: the kernel
# has no more of something, and somebody forbids it (which is where programs have a second way).
_ERRORS = {
    "EMFILE ENOMEM": "open openat openat2 socketpair socket pipe pipe2 dup dup2 dup3 signalfd4 eventfd2 "
    "epoll_create1 pidfd_open pidfd_getfd memfd_create accept4 timerfd_create inotify_init1",
    "EIO": "read pread64 readv lseek getdents64 close fstat unlink unlinkat rmdir fsync fdatasync renameat "
    "rename renameat2 statfs fstatfs ftruncate",
    "ENOSPC EIO": "write pwrite64 writev sendfile copy_file_range splice mkdir mkdirat mknod mknodat symlink "
    "symlinkat link linkat setxattr fsetxattr",
    "EACCES ENOMEM": "stat lstat newfstatat statx access faccessat faccessat2 readlink readlinkat chdir fchdir",
    "ENOMEM": "mmap mprotect mremap munmap brk poll ppoll select pselect6 sendmsg recvmsg getcwd epoll_ctl "
    "name_to_handle_at",
    "ENOMEM EPERM": "open_tree move_mount fsopen fsconfig fsmount mount_setattr mount umount2 pivot_root bpf "
    "execve setns chroot seccomp",
    "EAGAIN EPERM": "clone clone3 fork vfork",
    "ENOSPC EPERM": "unshare",
    "EAGAIN": "setuid setresuid setreuid",
    "EPERM": "setgid setresgid setregid setgroups capset prctl setsid setrlimit prlimit64 sethostname "
    "setdomainname kill pidfd_send_signal chmod fchmod fchmodat chown fchown fchownat lchown personality "
    "sched_setaffinity setpriority ioprio_set sched_setattr rt_sigqueueinfo setpgid",
    "EOPNOTSUPP": "getxattr fgetxattr lgetxattr removexattr",
    "ENOTTY ENOMEM": "ioctl",
    "ECHILD": "wait4 waitid",
    "ENOLCK": "flock",
    "EDQUOT EPERM": "keyctl add_key request_key",
    "EACCES": "bind listen setsockopt getsockopt",
    "ECONNREFUSED": "connect sendto recvfrom",
    "ENFILE": "fcntl",
}
_OF_CALL = {name: errors.split() for errors, names in _ERRORS.items() for name in names.split()}

# The kernel always does what these are for, whatever it answers.
DONE_ALL_THE_SAME = {"close"}

# How often the schedulers of languages with threads make these is chance.
OF_SCHEDULERS = {"futex", "sched_yield", "nanosleep", "clock_nanosleep", "tgkill", "rt_sigreturn", "madvise",
                 "epoll_pwait", "epoll_pwait2", "getpid", "gettid", "rt_sigprocmask", "sigaltstack", "mmap", "munmap"}

_F_GETFD, _F_GETFL, _F_SETFD = 1, 3, 2


def errors_of(name, args):
    """What a call with these arguments can fail with; nothing for calls that always succeed.

    Not listed, and so never made to fail: calls whose only errors are mistakes of the caller's
    (sigaction, getrandom with its few bytes, close_range).
    """
    if name == "fcntl" and args[1] in (_F_GETFD, _F_GETFL, _F_SETFD):
        return []
    return _OF_CALL.get(name, [])
