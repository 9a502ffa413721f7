"""What a worker gives up before it does anything: the capability to edit the table, and the ways round it.

The numbers are those of linux/capability.h and linux/prctl.h; capabilities(7), prctl(2), capset(2).
"""

from __future__ import annotations

import ctypes
import errno
import os
import signal

CAP_NET_ADMIN = 12
CAP_SYS_MODULE = 16
CAP_SYS_PTRACE = 19
GIVEN_UP = (CAP_NET_ADMIN, CAP_SYS_MODULE, CAP_SYS_PTRACE)
"""To edit the table; to load code into the kernel; to write into the memory of the parent, which may edit it."""

_PR_SET_PDEATHSIG = 1
_PR_SET_NAME = 15
_PR_CAPBSET_DROP = 24
_PR_SET_NO_NEW_PRIVS = 38

_CAPABILITY_VERSION_3 = 0x20080522


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _Word(ctypes.Structure):
    """Thirty-two capabilities in each of the three sets; two of these hold all."""

    _fields_ = (("effective", ctypes.c_uint32), ("permitted", ctypes.c_uint32), ("inheritable", ctypes.c_uint32))


def give_up() -> None:
    """Takes `GIVEN_UP` from every set of this process for good; what it starts cannot have them either.

    The ambient set is within the permitted and the inheritable one, so the kernel takes them from it too. The bounding
    set can only be narrowed with CAP_SETPCAP; without that, no_new_privs keeps programs from bringing any in.

    Raises:
        OSError: the kernel refuses; then this process must not go on.

    """
    for capability in GIVEN_UP:
        try:
            _prctl(_PR_CAPBSET_DROP, capability)
        except PermissionError:
            break  # no CAP_SETPCAP
        except OSError as error:
            if error.errno != errno.EINVAL:  # a capability that this kernel does not know
                raise
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)
    libc = ctypes.CDLL(None, use_errno=True)
    header = _Header(_CAPABILITY_VERSION_3, 0)
    words = (_Word * 2)()
    _done(libc.capget(ctypes.byref(header), words))
    for capability in GIVEN_UP:
        word, kept = words[capability // 32], ~(1 << capability % 32)
        word.effective &= kept
        word.permitted &= kept
        word.inheritable &= kept
    _done(libc.capset(ctypes.byref(header), words))


def end_with(parent: int) -> bool:
    """From now on this process gets SIGKILL when its parent ends. False if that has happened already."""
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    return os.getppid() == parent


def set_name(name: str) -> None:
    """What ps and top show; at most 15 characters."""
    libc = ctypes.CDLL(None, use_errno=True)
    _done(libc.prctl(_PR_SET_NAME, ctypes.c_char_p(name.encode()), 0, 0, 0))


def _prctl(option: int, value: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    _done(libc.prctl(option, ctypes.c_ulong(value), ctypes.c_ulong(0), ctypes.c_ulong(0), ctypes.c_ulong(0)))


def _done(result: int) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
