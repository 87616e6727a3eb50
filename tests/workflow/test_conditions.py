"""`when`: one comparison, of inputs and of what steps made; nothing holds by accident."""

from typing import Any

import pytest

from aggregator.errors import RequestError
from aggregator.workflow.conditions import asked_about, holds

STILL = {"width": 640, "height": 360, "duration_s": None, "fps": None, "size_bytes": 1000}


def facts(name: str) -> dict[str, Any] | None:
    return {"still": STILL, "shot.2": {"width": 64}}.get(name)


@pytest.mark.parametrize(
    ("when", "made"),
    [
        ("true", True),
        ("yes", True),
        ("3", True),
        ("0", False),
        ("0.0", False),
        ("false", False),
        ("False", False),
        ("no", False),
        ("4 > 2", True),
        ("4 <= 2", False),
        ("noir == noir", True),
        ("'noir' != noir", False),
        ("@still.width < 1024", True),
        ("@still.width == 640", True),
        ("@shot.2.width >= 65", False),
        ("@still.width > @shot.2.width", True),
        ("@later.width > 1", None),
    ],
)
def test_a_condition_holds_or_not(when: str, made: bool | None) -> None:
    assert holds(when, facts) is made


def test_it_says_which_steps_it_asks_about() -> None:
    assert list(asked_about("@still.width > @shot.2.width")) == ["still", "shot.2"]
    assert list(asked_about("4 > 2")) == []


@pytest.mark.parametrize(
    ("when", "complaint"),
    [
        ("@still", "says nothing to compare: write @still.width"),
        ("@still.colour == red", "asks for 'colour'; there are width"),
        ("@still.width >", "something is missing beside >"),
        ("@still.fps > 12", "does not say its fps"),
    ],
)
def test_what_is_not_understood_is_said(when: str, complaint: str) -> None:
    with pytest.raises(RequestError, match=complaint):
        holds(when, facts)
