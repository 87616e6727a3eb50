"""The Python text of a workflow: it imports, traces back to the same, and looks as a formatter would leave it."""

import importlib.util
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, example, given, settings

from aggregator.errors import RequestError
from aggregator.tasks import TASKS
from aggregator.verbs import Verbs
from aggregator.workflow.flat import flattened, relative_paths
from aggregator.workflow.layout import Group, rendered
from aggregator.workflow.model import Carried, Step, Workflow
from aggregator.workflow.source import VERBS, source
from aggregator.workflow.tracing import Function

from .random_workflows import workflows
from .test_file import FILM, loads


def traced(text: str, **inputs: Any) -> Workflow:
    """The workflow of a module's text."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "film.py"
        path.write_text(text, encoding="utf-8")
        spec = importlib.util.spec_from_file_location("traced_film", path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        (function,) = (one for one in vars(module).values() if isinstance(one, Function))
        return replace(function(**inputs), directory=Path())


def drawn(workflow: Workflow) -> Any:
    """What it comes to: steps by name, in whatever order that respects what they are made from."""
    flat = flattened(workflow)
    steps = {step.name: replace(step, values=_plain(step.values)) for step in flat.steps}
    return flat.name, steps, flat.references, flat.seed, sorted(flat.outputs)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list | tuple) else value


@settings(max_examples=150, deadline=None)
@given(workflows())
def test_what_is_written_traces_back_to_the_same_graph(workflow: Workflow) -> None:
    assert drawn(traced(source(workflow))) == drawn(workflow)


@settings(max_examples=60, deadline=None)
@given(workflows())
def test_a_flat_workflow_traces_back_to_an_equal_model(workflow: Workflow) -> None:
    flat = flattened(workflow)
    assert traced(source(flat)) == flat
    assert source(traced(source(flat))) == source(flat)


def test_inputs_stay_parameters_and_fan_outs_loops() -> None:
    film = replace(loads(FILM), inputs={"prompt": "a", "shots": ["x", "y"], "who": "b"})
    film = replace(film, steps=film.steps[:3])
    text = source(film)
    assert 'prompt: str = "a"' in text
    assert "for index, item in enumerate(shots, 1):" in text
    wider = replace(film, inputs={**film.inputs, "prompt": "b", "shots": ["x", "y", "z"]})
    assert drawn(traced(text, prompt="b", shots=["x", "y", "z"])) == drawn(wider)


def test_a_fan_out_is_a_comprehension() -> None:
    still = Step(name="still", task="text-to-image", values={"prompt": "{prompt}, {index}"}, each="{shots}")
    shot = Step(name="shot", task="image-to-video", values={"image": "@item"}, each="@still")
    film = Workflow(name="film", steps=(still, shot), inputs={"prompt": "a", "shots": ["b"]})
    text = source(film)
    assert 'still = [await w.text_to_image(f"{prompt}, {index}", name=f"still-{index}") for index, item in' in text
    assert 'await w.image_to_video(item, name=f"shot-{index}") for index, item in enumerate(still, 1)' in text
    assert drawn(traced(text)) == drawn(film)


ALL = Step(name="board", task="text-to-image", values={"prompt": "x"}, takes=3, pick="all")
FANNED = replace(ALL, each=["a", "b"])
TO_VIDEO: dict[str, Any] = {"name": "shot", "task": "image-to-video"}


@pytest.mark.parametrize(
    "steps",
    [
        (ALL, Step(**TO_VIDEO, values={"image": "@item"}, each="@board")),
        (FANNED, Step(**TO_VIDEO, values={"image": "@item"}, each="@board")),
        (FANNED, Step(**TO_VIDEO, values={"image": "@item"}, each="@board#2")),
        (FANNED, Step(**TO_VIDEO, values={"image": "@item"}, each="@board.2")),
        (ALL, Step(**TO_VIDEO, values={"image": "@item"}, each=["@board#1", "@board#3"])),
        (FANNED, Step(name="sheet", task="contact-sheet", values={"pictures": ["@board", "a.png"]})),
        (FANNED, Step(name="sheet", task="contact-sheet", values={"pictures": "@board#2"})),
        (FANNED, Step(name="up", task="image-upscaling", values={"image": "@board.2#1"}, when="@board.1.width < 9")),
        (
            replace(FANNED, takes=1, pick="first"),
            Step(**TO_VIDEO, values={"image": "@item"}, each="@board", when="@item.width < 9"),
            Step(name="more", task="image-to-video", values={}, each=[1, 2], continues="shot.{index}"),
            Step(name="last", task="image-to-video", values={}, continues="shot"),
            Step(name="first", task="image-to-video", values={}, continues="@shot.1"),
            Step(name="ext", task="video-extension", values={}, continues="first"),
        ),
        (
            Step(name="a", task="text-to-image", values={"prompt": "{item}"}, each="{shots}"),
            Step(name="a-1", task="text-to-image", values={"prompt": "x"}),
        ),
        (Step(name="a", task="text-to-image", values={"prompt": "all of {shots}"}),),
        (
            Step(name="b", task="image-to-image", values={"image": "@a", "prompt": "x"}),
            Step(
                name="a",
                task="text-to-image",
                values={"prompt": "x", "references": [{"image": "x.png", "role": "style"}]},
            ),
        ),
        (Step(name="a", task="image-upscaling", values={"image": {"sha256": "0" * 64, "mime_type": "image/png"}}),),
    ],
)
def test_every_way_to_take_from_a_fan_out(steps: tuple[Step, ...]) -> None:
    film = Workflow(name="film", steps=steps, inputs={"shots": ["x", "y"]})
    assert drawn(traced(source(film))) == drawn(film)


def test_what_only_a_file_can_say_is_written_out_step_by_step() -> None:
    steps = (
        Step(name="a", task="text-to-image", values={"prompt": "x"}),
        Step(name="b", task="image-to-video", values={"image": "@item"}, each="{images}"),
    )
    film = Workflow(name="film", steps=steps, inputs={"images": ["@a", "b.png"]})
    text = source(film)
    assert "images" not in text
    assert "b_2 = " not in text
    assert 'await w.image_to_video("b.png", name="b-2")' in text
    assert drawn(traced(text)) == drawn(film)
    assert 'images: Sequence[str] = ("c.png",)' in source(film, {"images": ["c.png"]})


def test_references_that_steps_make_are_declared_after_them() -> None:
    film = Workflow(
        name="film",
        steps=(Step(name="face", task="text-to-image", values={"prompt": "x"}, each=["a", "b"]), ALL),
        references=(
            Carried(name="anna", images=("a.png",)),
            Carried(name="bea", images=("@face", "@board#1", "@@x.png")),
        ),
    )
    text = source(film)
    assert text.index('"anna"') < text.index("text_to_image") < text.index('"bea"')
    assert 'images=[*face, board.take(1), "@x.png"]' in text
    assert drawn(traced(text)) == drawn(film)


def test_what_python_has_no_name_for_is_not_written() -> None:
    for key in ("takes", "no name", "class"):
        with pytest.raises(RequestError, match=f"a parameter named '{key}' cannot be written in Python"):
            source(Workflow(name="film", steps=(Step(name="a", task="text-to-image", values={key: 1}),)))
    with pytest.raises(RequestError, match="there is no input 'nothing'"):
        source(Workflow(name="film", steps=(Step(name="a", task="text-to-image", values={"prompt": "{nothing}"}),)))


def test_every_task_has_a_verb() -> None:
    assert set(VERBS) == set(TASKS)
    assert all(hasattr(Verbs, verb) for verb in VERBS.values())


@settings(max_examples=20, deadline=None, derandomize=True, phases=[Phase.explicit, Phase.generate])
@given(workflows())
@example(replace(loads(FILM), steps=loads(FILM).steps[:3], inputs={"prompt": "a" * 100, "shots": ["b" * 70, "c" * 60]}))
def test_a_formatter_and_a_linter_leave_it_as_it_is(workflow: Workflow) -> None:
    text = source(workflow)
    words = [sys.executable, "-m", "ruff", "format", "--isolated", "--line-length", "120", "-"]
    formatted = subprocess.run(words, input=text, capture_output=True, text=True, encoding="utf-8", check=True)
    assert formatted.stdout == text


def test_what_is_too_long_for_a_line_is_broken_from_the_outside() -> None:
    inner = Group("g(", ["a" * 50, "b" * 50], ")")
    line = f"g({'a' * 50}, {'b' * 50})"
    assert rendered(Group("f(", ["x", "y"], ")")) == "f(x, y)"
    assert rendered(Group("some_functions(", [inner], ")")) == f"some_functions(\n    {line}\n)"
    assert rendered(Group("f(", [inner, inner], ")")) == f"f(\n    {line},\n    {line},\n)"


def test_files_are_named_from_the_workflows_directory() -> None:
    steps = (
        Step(name="a", task="image-upscaling", values={"image": "{photo}"}),
        Step(name="b", task="image-upscaling", values={"image": "https://a.example/x.png"}),
        Step(name="c", task="image-upscaling", values={"image": "/x.png"}),
    )
    film = Workflow(
        name="film", steps=steps, inputs={"photo": "in/a.png"}, references=(Carried(name="a", images=("a.png",)),)
    )
    assert relative_paths(film) == ["in/a.png", "a.png"]
