"""Whether the holder of a lease is certainly gone: only then need nobody wait for the lease to end."""

import subprocess
import sys

import pytest

from aggregator import owner
from aggregator.owner import is_gone, new_owner


def of_another_process(*, keep: bool = False) -> tuple[str, subprocess.Popen[str]]:
    program = "from aggregator.owner import new_owner; print(new_owner(), flush=True); input()"
    process = subprocess.Popen([sys.executable, "-c", program], stdout=-1, stdin=-1, text=True)
    assert process.stdout is not None
    name = process.stdout.readline().strip()
    if not keep:
        end(process)
    return name, process


def end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


def test_this_process_is_not_gone_and_has_a_name_per_client() -> None:
    mine, again = new_owner(), new_owner()
    assert mine != again
    assert not is_gone(mine)


def test_a_process_is_gone_once_it_was_killed_and_not_before() -> None:
    name, process = of_another_process(keep=True)
    assert not is_gone(name)
    end(process)
    assert is_gone(name)


def test_a_zombie_is_gone() -> None:
    name, process = of_another_process(keep=True)
    process.kill()
    assert process.stdout is not None
    process.stdout.read()  # it has ended; nobody has asked how
    for _ in range(1000):
        if is_gone(name):
            break
    assert is_gone(name)
    end(process)


def changed(name: str, part: int, value: str) -> str:
    parts = name.split("/")
    parts[part] = value
    return "/".join(parts)


def test_another_process_under_the_same_number_is_not_the_holder() -> None:
    assert is_gone(changed(new_owner(), 4, "1"))


def test_a_holder_on_another_machine_may_be_alive() -> None:
    assert not is_gone(changed(of_another_process()[0], 0, "elsewhere"))


def test_a_holder_in_another_container_may_be_alive() -> None:
    """Its process is not in our table, whatever its number."""
    assert not is_gone(changed(of_another_process()[0], 2, "pid:[1]"))


def test_a_holder_from_before_the_machine_was_started_is_gone() -> None:
    assert is_gone(changed(new_owner(), 1, "another-boot"))


def test_on_a_shared_store_only_the_same_boot_tells_of_a_holder() -> None:
    """Two machines may have one name: another boot is not this machine's last one."""
    mine = new_owner(shared=True)
    assert not is_gone(mine)
    assert is_gone(changed(mine, 4, "1"))
    assert not is_gone(changed(mine, 1, "another-boot"))
    assert not is_gone(changed(changed(mine, 1, "another-boot"), 4, "1"))


def test_on_a_shared_store_a_lease_has_to_end_where_the_boot_is_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(owner, "_boot", lambda: "unknown")
    assert not is_gone(changed(new_owner(shared=True), 4, "1"))


def test_where_the_boot_is_not_known_a_lease_has_to_end(monkeypatch: pytest.MonkeyPatch) -> None:
    name = changed(new_owner(), 1, "another-boot")
    monkeypatch.setattr(owner, "_boot", lambda: "unknown")
    assert not is_gone(name)


def test_where_the_machine_tells_less_a_live_process_is_still_told_from_a_dead_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """No /proc: only whether the number is in use."""
    exists = owner.Path.exists
    monkeypatch.setattr(owner.Path, "exists", lambda self: not str(self).startswith("/proc") and exists(self))
    name, process = of_another_process(keep=True)
    nameless = changed(name, 4, "?")
    assert not is_gone(nameless)
    end(process)
    assert is_gone(nameless)
