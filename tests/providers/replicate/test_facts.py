"""Every body of every Replicate offer is what the model's published schema takes."""

from tests.facts.validate import check_bodies


def test_bodies() -> None:
    check_bodies("replicate", offers=20)
