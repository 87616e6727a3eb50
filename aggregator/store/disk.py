"""Whether the disk of a directory keeps what a store promises: network disks and RAM disks do not."""

import os
import re
from pathlib import Path

__all__ = ["filesystem_of", "unsafe_filesystem"]

NETWORK_FILESYSTEMS = frozenset(
    ["9p", "afs", "ceph", "cifs", "fuse.sshfs", "glusterfs", "lustre", "nfs", "nfs4", "smb3", "smbfs"]
)
EPHEMERAL_FILESYSTEMS = frozenset({"ramfs", "tmpfs"})


def filesystem_of(path: Path) -> str | None:
    """The type of file system that holds `path`; `None` where the machine does not tell."""
    try:
        lines = Path("/proc/mounts").read_text().splitlines()
    except OSError:
        return None
    existing = path.resolve()
    while not existing.exists():
        existing = existing.parent
    mounts = [(_unescaped(point), kind) for point, kind in (line.split()[1:3] for line in lines)]
    holding = [(point, kind) for point, kind in mounts if os.path.commonpath([point, str(existing)]) == point]
    # Of several mounts on one point the last is on top: an automount comes before what it mounted.
    return max(reversed(holding), key=lambda item: len(item[0]))[1] if holding else None


def _unescaped(point: str) -> str:
    """A mount point as it is: the table writes a blank as a backslash and 040 (fstab(5))."""
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), point)


def unsafe_filesystem(path: Path, *, allow_ephemeral: bool, holds_database: bool = True) -> str | None:
    """Why a store at `path` would not keep its promises, or `None`.

    Args:
        holds_database: The database is there as well; else only the artifacts are, which several machines may share.

    """
    kind = filesystem_of(path)
    if kind in NETWORK_FILESYSTEMS and holds_database:
        return f"{path} is on a network file system ({kind}), where SQLite's locks do not hold: choose a local disk"
    if kind in EPHEMERAL_FILESYSTEMS and not allow_ephemeral:
        return (
            f"{path} is on a RAM disk ({kind}), which forgets paid jobs: choose a disk, or set allow_ephemeral = true"
        )
    return None
