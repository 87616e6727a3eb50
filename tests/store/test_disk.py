"""Where a store may be: not on a network disk, whose locks do not hold, nor in memory, which forgets."""

from pathlib import Path

import pytest

from aggregator import Aggregator
from aggregator.errors import StoreError
from aggregator.store import disk
from aggregator.store.disk import filesystem_of, unsafe_filesystem

MOUNTS = """\
/dev/sda1 / ext4 rw 0 0
tmpfs /run tmpfs rw 0 0
systemd-1 /mnt/auto autofs rw 0 0
nas:/a /mnt/auto nfs4 rw 0 0
nas:/b /mnt/my\\040films cifs rw 0 0
nas:/c /mnt/nas nfs rw 0 0
/dev/sdb1 /mnt/nas/local ext4 rw 0 0
"""


@pytest.fixture
def mounts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    read, resolve, exists = Path.read_text, Path.resolve, Path.exists
    monkeypatch.setattr(
        Path, "read_text", lambda self, *a, **k: MOUNTS if str(self) == "/proc/mounts" else read(self, *a, **k)
    )
    monkeypatch.setattr(Path, "exists", lambda self, **k: str(self).startswith(("/mnt", "/run")) or exists(self, **k))
    monkeypatch.setattr(Path, "resolve", lambda self, **k: self if str(self).startswith("/mnt") else resolve(self, **k))


@pytest.mark.usefixtures("mounts")
@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/home/films", "ext4"),
        ("/run/films", "tmpfs"),
        ("/mnt/nas/films", "nfs"),
        ("/mnt/nas/local/films", "ext4"),
        ("/mnt/nasty", "ext4"),
        ("/mnt/auto/films", "nfs4"),
        ("/mnt/my films/a", "cifs"),
    ],
)
def test_the_file_system_is_that_of_the_innermost_and_topmost_mount(path: str, kind: str) -> None:
    assert filesystem_of(Path(path)) == kind


@pytest.mark.usefixtures("mounts")
def test_a_network_disk_is_refused_whatever_is_allowed() -> None:
    for allow in (True, False):
        assert "network file system (nfs)" in (unsafe_filesystem(Path("/mnt/nas/a"), allow_ephemeral=allow) or "")
    assert unsafe_filesystem(Path("/home/films"), allow_ephemeral=False) is None


@pytest.mark.usefixtures("mounts")
def test_artifacts_alone_may_be_where_several_machines_see_them() -> None:
    def unsafe(path: str) -> str | None:
        return unsafe_filesystem(Path(path), allow_ephemeral=False, holds_database=False)

    assert unsafe("/mnt/nas/a") is None
    assert "RAM disk" in (unsafe("/run/a") or "")


@pytest.mark.usefixtures("mounts")
def test_a_ram_disk_is_refused_unless_it_is_allowed() -> None:
    assert "allow_ephemeral" in (unsafe_filesystem(Path("/run/a"), allow_ephemeral=False) or "")
    assert unsafe_filesystem(Path("/run/a"), allow_ephemeral=True) is None


async def test_a_client_does_not_open_on_a_disk_that_forgets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk, "filesystem_of", lambda _path: "tmpfs")
    with pytest.raises(StoreError, match="RAM disk"):
        async with Aggregator.local(tmp_path / "store"):
            pass
    assert not (tmp_path / "store").exists()
    async with Aggregator.local(tmp_path / "store", allow_ephemeral=True):
        pass
