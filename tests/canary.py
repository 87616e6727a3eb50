"""No key is in any byte that the suite writes, prints or gives to a child process: a plugin of pytest (guarantee G17).

Every value that a test makes into a `Secret` is a canary. After the test, before its directories are removed, they are
searched for it, in every form in which a key may be echoed; so is what the test printed and logged. Command lines are
looked at when a process is started. `@pytest.mark.writes_keys` is for tests that put a key into a file themselves.
"""

import mmap
import sys
from collections.abc import Generator, Iterable
from pathlib import Path
from typing import Any

import pytest

from aggregator.secret import Secret, echoes

MIN_CHARACTERS = 12
"""Shorter ones ("k", "test-key") are words that stand in files for other reasons."""
DIRECTORIES = ("quick", "tmp_path")
_of_this_test: set[str] = set()
_of_all_tests: set[str] = set()
"""What was made before the first test, when modules were imported."""
_now: list[set[str]] = [_of_all_tests]

_plain = Secret.__init__


def _noted(self: Secret, value: str) -> None:
    if len(value) >= MIN_CHARACTERS:
        _now[-1].add(value)
    _plain(self, value)


def forms(values: Iterable[str]) -> list[bytes]:
    """What to look for: each value whole, and as it may be written down by whoever encodes it."""
    return sorted({form.encode() for value in values for form in echoes(value) if len(form) >= MIN_CHARACTERS})


def leaks(directory: Path, looked_for: Iterable[bytes]) -> list[Path]:
    """The files below a directory that hold one of them."""
    wanted = list(looked_for)
    return [path for path in sorted(directory.rglob("*")) if wanted and _holds(path, wanted)]


def _holds(path: Path, wanted: Iterable[bytes]) -> bool:
    if path.is_symlink() or not path.is_file() or path.stat().st_size == 0:
        return False
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as whole:
        return any(whole.find(one) >= 0 for one in wanted)


def _started(event: str, given: tuple[Any, ...]) -> None:
    """Refuse a process whose command line holds a key: anybody on the machine can read it."""
    if event == "subprocess.Popen":
        words = "\0".join(map(str, given[1] if isinstance(given[1], (list, tuple)) else [given[1]])).encode()
        if any(one in words for one in forms(_of_this_test | _of_all_tests)):
            raise AssertionError("a key is in the command line of a child process")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "writes_keys: the test itself puts a key into a file or prints it")
    Secret.__init__ = _noted  # type: ignore[method-assign]
    sys.addaudithook(_started)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    del item
    _of_this_test.clear()
    _now.append(_of_this_test)
    try:
        return (yield)
    finally:
        _now.pop()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None, object, object]:
    """Search before the fixtures remove what they made, and say it after they did."""
    found: list[Path] = []
    if item.get_closest_marker("writes_keys") is None:
        wanted = forms(_of_this_test | _of_all_tests)
        made = {getattr(item, "funcargs", {}).get(name) for name in DIRECTORIES}
        found = [path for directory in made if isinstance(directory, Path) for path in leaks(directory, wanted)]
    result = yield
    if found:
        pytest.fail(f"a key is in {', '.join(map(str, found))}", pytrace=False)
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.when == "teardown" and report.passed and item.get_closest_marker("writes_keys") is None:
        said = (report.capstdout + report.capstderr + report.caplog).encode()
        if said and any(one in said for one in forms(_of_this_test | _of_all_tests)):
            report.outcome, report.longrepr = "failed", "a key is in what the test printed or logged"
    return report
