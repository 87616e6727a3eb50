"""The oracles are the versions that are written down, unmodified, and cannot leave this machine."""

import socket
import urllib.request
from importlib.metadata import version
from pathlib import Path

import pytest

PINNED = [
    line.split("==")
    for line in Path(__file__).with_name("requirements.txt").read_text().splitlines()
    if line and not line.startswith("#")
]


@pytest.mark.parametrize(("name", "pin"), PINNED)
def test_the_client_is_the_version_that_is_written_down(name: str, pin: str) -> None:
    assert version(name) == pin


def test_nobody_outside_can_be_reached() -> None:
    with pytest.raises(OSError, match="not on this machine"):
        urllib.request.urlopen("https://example.com", timeout=5)
    with socket.socket() as line, pytest.raises(OSError, match="not on this machine"):
        line.connect(("192.0.2.1", 80))
