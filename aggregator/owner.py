"""Who holds a lease: a name for this process that another one on the same machine can check for life.

A lease ends by itself after a while. On the same machine nobody has to wait for that: a process that is gone holds
nothing.
"""

import os
import secrets
import socket
from pathlib import Path

__all__ = ["is_gone", "new_owner"]

ANY_HOST = "*"


def _boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return "unknown"


def _started(pid: int) -> str | None:
    """When a process began, in ticks since boot; `None` if there is no such process, "?" where the machine does not
    tell.
    """
    if not Path("/proc/self/stat").exists():
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return None
        except PermissionError:
            pass
        return "?"
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] == "Z" else fields[19]  # a zombie runs no more; field 22 of proc(5) is the start time


def _namespace() -> str:
    """Which table of processes a pid is looked up in: containers have one each, often under one host name."""
    try:
        return str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        return "?"


def new_owner(*, shared: bool = False) -> str:
    """A name for one client in this process.

    Args:
        shared: Other machines see it too, and some may have this one's name: the name proves nothing.

    """
    pid = os.getpid()
    host = ANY_HOST if shared else socket.gethostname()
    return "/".join((host, _boot(), _namespace(), str(pid), _started(pid) or "?", secrets.token_hex(4)))


def is_gone(owner: str) -> bool:
    """Whether the holder has certainly ended: same machine and boot, and its process is no longer there."""
    host, boot, namespace, pid, started, _ = owner.split("/")
    here = _boot()
    known = "unknown" not in (boot, here)
    if host == ANY_HOST:
        if boot != here or not known:
            return False  # another machine, or this one before it was started again
    elif host != socket.gethostname():
        return False
    elif boot != here:
        return known  # this machine was started again
    return namespace == _namespace() and _started(int(pid)) != started
