"""Every provider of the package against the compliance suite, by its recording."""

from pathlib import Path

import pytest

from aggregator.backends import provider_names, provider_table
from aggregator.testing.compliance import Case, cases
from aggregator.testing.recording import Recording
from tests.providers.own import cards_of

HERE = Path(__file__).parent
NAMES = [name for name in provider_names() if name != "local"]
"""The embedded backend is no table of a vendor's: `tests/local` has it, engine and all."""


def every_case() -> list[object]:
    found = []
    for name in NAMES:
        recording = Recording.read(HERE / name / "recording.json")
        found += [
            pytest.param(case, id=f"{name}-{case.name}")
            for case in cases(provider_table(name), recording, cards_of(name))
        ]
    return found


@pytest.mark.parametrize("case", every_case())
def test_provider(case: Case) -> None:
    case()
