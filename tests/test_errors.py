"""The exception tree: complete, picklable with every attribute, and decided by attributes."""

import copy
import inspect
import pickle
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from aggregator import errors
from aggregator.errors import AggregatorError, ProviderError

CLASSES = [getattr(errors, name) for name in errors.__all__]
ARGUMENTS: dict[str, Any] = {
    "nearest": ("veo-3.1",),
    "successor": "veo-4",
    "supported": ("4", "6"),
    "key": "still",
    "moved": ("text-to-video final: fal:a/b is retired",),
    "reason": "signature",
    "reasons": {"fal:a/b": "no size"},
    "errors": (ProviderError("inner", provider="fal", accepted=None),),
    "account": "project:trailer",
    "quote_usd": Decimal("0.40"),
    "bill_usd": Decimal("0.80"),
    "offer": "fal:a/b",
    "limit_usd": Decimal("5.00"),
    "spent_usd": Decimal(0),
    "held_usd": Decimal("4.9999"),
    "period": "month 2026-11",
    "until": datetime(2026, 12, 1, tzinfo=UTC),
    "step": "clip",
    "edit": "trim",
    "field": "clips[1]",
    "written": None,
    "results": ("kept",),
    "problems": (("film.toml:3", "clip", "unknown task"),),
    "provider": "fal",
    "model": "veo-3.1",
    "task": "text-to-video",
    "status_code": 503,
    "code": "runner_disconnected",
    "request_id": "r-1",
    "accepted": True,
    "retry_after_s": 0.0,
    "job_id": "j-1",
}


def attributes(cls: type[AggregatorError]) -> list[str]:
    """What its constructor takes beside the message."""
    written = next((base for base in cls.__mro__ if "__init__" in vars(base)), cls)
    taken = inspect.signature(written.__init__).parameters if written.__module__ == errors.__name__ else {}
    return [name for name, one in taken.items() if one.kind is one.KEYWORD_ONLY]


def full(cls: type[AggregatorError]) -> AggregatorError:
    """One with every attribute set."""
    return cls("what happened", **{name: ARGUMENTS[name] for name in attributes(cls)})


def state(error: BaseException) -> Any:
    inner = [(type(one), one.args, vars(one)) for one in vars(error).get("errors", ())]
    return type(error), error.args, {**vars(error), "errors": inner}


@pytest.mark.parametrize("cls", CLASSES)
def test_every_error_survives_a_pickle_with_its_attributes(cls: type[AggregatorError]) -> None:
    error = full(cls)
    error.add_note("seen in the runner")
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        assert state(pickle.loads(pickle.dumps(error, protocol))) == state(error)
    assert state(copy.deepcopy(error)) == state(error)
    assert str(error) == "what happened"
    for name in attributes(cls):
        assert getattr(error, name) == ARGUMENTS[name]


def test_all_of_them_are_exported_and_no_other() -> None:
    defined = {
        name
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, Exception) and value.__module__ == errors.__name__
    }
    assert defined == set(errors.__all__)
    assert sorted(errors.__all__) == list(errors.__all__)
    assert all(issubclass(cls, AggregatorError) for cls in CLASSES)


def test_the_tree_in_the_docstring_is_the_tree() -> None:
    drawn = [line.split()[1] for line in (errors.__doc__ or "").splitlines() if line.startswith(("├─", "│  ", "└─"))]
    assert set(drawn) | {"AggregatorError"} >= {cls.__name__ for cls in CLASSES if len(cls.__mro__) <= 5}


def test_only_what_may_pass_by_itself_is_retryable() -> None:
    retryable = {cls.__name__ for cls in CLASSES if issubclass(cls, ProviderError) and cls.retryable}
    assert retryable == {"RateLimitError", "UnavailableError"}


def test_nobody_knows_unless_somebody_said_so() -> None:
    error = ProviderError("x")
    assert error.accepted is None
    assert (error.status_code, error.code, error.request_id, error.retry_after_s, error.job_id) == (None,) * 5


def test_an_error_carries_no_state_of_another() -> None:
    first, second = errors.NoRouteError("a"), errors.NoRouteError("b")
    first.reasons["x"] = "y"
    assert second.reasons == {}
