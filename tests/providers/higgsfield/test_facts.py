"""Every body of every Higgsfield offer is what the vendor's schema takes."""

from tests.facts.validate import check_bodies


def test_bodies() -> None:
    check_bodies("higgsfield", offers=18)
