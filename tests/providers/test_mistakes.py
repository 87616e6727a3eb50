"""The compliance suite notices every small wrong edit in a table or in the engine."""

import pytest

from tests.providers.mistakes import MISTAKES, Mistake, noticed_by

WANTED = 60


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: f"{mistake.provider}: {mistake.name}")
def test_a_mistake_is_noticed(mistake: Mistake) -> None:
    assert noticed_by(mistake) is not None


def test_there_are_enough_of_them() -> None:
    assert len({(mistake.provider, mistake.name) for mistake in MISTAKES}) == len(MISTAKES) >= WANTED
