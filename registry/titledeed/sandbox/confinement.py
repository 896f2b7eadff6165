"""Takes from a process what a decoder does not need: files, network, memory, time.

Linux only; where the kernel lacks Landlock or forbids user namespaces, the rest still holds.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import struct
import sys
from pathlib import Path

from titledeed.sandbox.wire import SandboxLimits

DESCRIPTORS_MAX = 32

# From linux/prctl.h, linux/sched.h and linux/landlock.h.
_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_NO_NEW_PRIVS = 1, 4, 38
_CLONE_NEWUSER, _CLONE_NEWNET = 0x1000_0000, 0x4000_0000
_LANDLOCK_CREATE_RULESET, _LANDLOCK_ADD_RULE, _LANDLOCK_RESTRICT_SELF = 444, 445, 446
_LANDLOCK_RULE_PATH_BENEATH = 1
_LANDLOCK_ACCESS_ALL, _LANDLOCK_READ_FILE, _LANDLOCK_READ_DIR = (1 << 13) - 1, 1 << 2, 1 << 3


def confine(limits: SandboxLimits, zygote: int) -> None:
    """Limit this process, for good.

    Args:
        limits: memory counts from what is mapped now.
        zygote: the parent, with which this process shall die.
    """
    libc = ctypes.CDLL(None)
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != zygote:
        os._exit(1)  # it died before the signal was asked for
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    mapped = int(Path("/proc/self/statm").read_bytes().split()[0]) * resource.getpagesize()
    _leave_files(libc)
    for name, limit in (
        (resource.RLIMIT_AS, mapped + limits.memory_bytes_max),
        (resource.RLIMIT_CPU, limits.timeout_s),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, DESCRIPTORS_MAX),
    ):
        hard = resource.getrlimit(name)[1]
        value = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
        # A hard processor limit would kill without saying why.
        resource.setrlimit(name, (value, hard if name == resource.RLIMIT_CPU else value))


def _leave_files(libc: ctypes.CDLL) -> None:
    """Allow reading where programs and modules lie, and nothing else, where Landlock is there.

    See https://docs.kernel.org/userspace-api/landlock.html; access rights of its first version.
    """
    handled = ctypes.c_uint64(_LANDLOCK_ACCESS_ALL)
    ruleset = libc.syscall(_LANDLOCK_CREATE_RULESET, ctypes.byref(handled), 8, 0)
    if ruleset < 0:
        return
    for path in {"/usr", "/lib", "/lib64", sys.prefix, sys.base_prefix, *sys.path}:
        if not Path(path).is_dir():
            continue
        folder = os.open(path, os.O_PATH | os.O_CLOEXEC)
        rule = struct.pack("=Qi", _LANDLOCK_READ_FILE | _LANDLOCK_READ_DIR, folder)
        libc.syscall(_LANDLOCK_ADD_RULE, ruleset, _LANDLOCK_RULE_PATH_BENEATH, rule, 0)
        os.close(folder)
    libc.syscall(_LANDLOCK_RESTRICT_SELF, ruleset, 0)
    os.close(ruleset)


def leave_network() -> bool:
    """Move to a network namespace without any interface that is up."""
    libc = ctypes.CDLL(None)
    # Without privileges only together with a user namespace; where those are forbidden, as root.
    attempts = (_CLONE_NEWUSER | _CLONE_NEWNET, _CLONE_NEWNET)
    return any(libc.unshare(flags) == 0 for flags in attempts)
