"""A feed of a few offers on the memory provider, and the package's own in its place."""

from pathlib import Path

import pytest

from aggregator.registry import feed
from tests.feed.publisher import Publisher, catalogue, said


@pytest.fixture
def publisher(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Publisher:
    """Publishes what the package has of its own: a small catalogue instead of the whole."""
    words = said(tmp_path / "published")
    monkeypatch.setattr(feed, "own", lambda: catalogue(words))
    return Publisher(words)
