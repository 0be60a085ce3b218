"""without_call.py CALL ERRNO COMMAND...: run it under a seccomp filter that answers CALL with ERRNO.

1 is EPERM; 38 is ENOSYS, as from a kernel that is too old, or from the filters of container
engines for clone3, because they can't look at its arguments.
"""
import ctypes
import os
import struct
import sys

# The same on every architecture.
CALLS = {"open_tree": 428, "clone3": 435, "openat2": 437, "mount_setattr": 442}
libc = ctypes.CDLL(None, use_errno=True)
code = b"".join(
    struct.pack("HBBI", *instruction)
    for instruction in (
        (0x20, 0, 0, 0),  # load the number of the call
        (0x15, 0, 1, CALLS[sys.argv[1]]),
        (0x06, 0, 0, 0x50000 | int(sys.argv[2])),  # SECCOMP_RET_ERRNO
        (0x06, 0, 0, 0x7FFF0000),  # SECCOMP_RET_ALLOW
    )
)
kept = ctypes.create_string_buffer(code)


class Program(ctypes.Structure):
    _fields_ = [("size", ctypes.c_ushort), ("code", ctypes.c_void_p)]


program = Program(len(code) // 8, ctypes.addressof(kept))
if libc.prctl(38, 1, 0, 0, 0) != 0 or libc.prctl(22, 2, ctypes.byref(program)) != 0:
    sys.exit("prctl: " + os.strerror(ctypes.get_errno()))
os.execvp(sys.argv[3], sys.argv[3:])
