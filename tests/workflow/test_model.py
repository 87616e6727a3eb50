"""The model: plain data that can be written down, changed as copies, and whose references are found."""

import json
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings

from aggregator.errors import RequestError
from aggregator.workflow.model import Carried, Place, Ref, Step, Workflow, refs_in

from .random_workflows import workflows


@settings(max_examples=100, deadline=None)
@given(workflows())
def test_it_survives_json(workflow: Workflow) -> None:
    written = json.loads(json.dumps(workflow.as_json()))
    assert Workflow.from_json(written) == workflow
    assert Workflow.from_json(written).as_json() == workflow.as_json()


def test_only_what_is_not_as_usual_is_written() -> None:
    step = Step(
        name="a", task="text-to-image", values={"prompt": "x"}, max_usd=Decimal("0.50"), place=Place("f.toml", 3)
    )
    assert step.as_json() == {"name": "a", "task": "text-to-image", "values": {"prompt": "x"}, "max_usd": "0.50"}
    assert Workflow(name="w", steps=()).as_json() == {"name": "w", "steps": []}
    assert Carried(name="anna").as_json() == {"name": "anna", "role": "character"}


@pytest.mark.parametrize(
    ("value", "ref"),
    [
        ("@still", Ref("still")),
        ("@shot.2", Ref("shot.2")),
        ("@shot.12#3", Ref("shot.12", 3)),
        ("@@still", None),
        ("still", None),
        ("", None),
        (3, None),
        (None, None),
    ],
)
def test_a_text_that_begins_with_an_at_sign_names_a_step(value: object, ref: Ref | None) -> None:
    assert Ref.of(value) == ref
    assert ref is None or str(ref) == value


@pytest.mark.parametrize("value", ["@", "@2", "@a b", "@a#", "@a#x", "@-a"])
def test_what_begins_like_a_step_and_names_none_is_an_error(value: str) -> None:
    with pytest.raises(RequestError, match="names no step"):
        Ref.of(value)


def test_references_are_found_however_deep() -> None:
    value = {"a": ["@b", {"image": "@c#2"}, ("@d.1", "@@e", "f")], "g": "@h"}
    assert [str(ref) for ref in refs_in(value)] == ["@b", "@c#2", "@d.1", "@h"]


def test_a_place_knows_the_lines_of_its_keys_and_is_compared_without() -> None:
    place = Place("film.toml", 3, {"prompt": 5})
    assert (str(place), str(place.at("prompt")), str(place.at("task"))) == ("film.toml:3", "film.toml:5", "film.toml:3")
    assert place == Place("film.toml", 3)


def test_a_step_is_changed_in_a_copy() -> None:
    film = Workflow(name="film", steps=(Step(name="a", task="text-to-image", values={"prompt": "x", "seed": 3}),))
    other = film.with_step("a", values={"prompt": "y", "seed": None}, takes=2)
    assert other.step("a") == Step(name="a", task="text-to-image", values={"prompt": "y"}, takes=2)
    assert film.step("a").values == {"prompt": "x", "seed": 3}
    with pytest.raises(RequestError, match="film has no step 'b'; it has a"):
        film.with_step("b", takes=2)
    assert Workflow.from_json(film.as_json(), directory=Path("x")).directory == Path("x")
