"""Everything that is wrong with a workflow is said at once, with its file and line, before anything is spent."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from aggregator.errors import WorkflowCheckError, WorkflowError
from aggregator.workflow.checking import check
from aggregator.workflow.circles import circles
from aggregator.workflow.expand import expand
from aggregator.workflow.file import loads
from aggregator.workflow.model import Step, Workflow

from .random_workflows import workflows

STILL = '[steps.still]\ntask = "text-to-image"\nprompt = "x"\n'
SHOT = '[steps.shot]\ntask = "image-to-video"\nimage = "@still"\n'
UP = '[steps.{}]\ntask = "image-upscaling"\nimage = "{}"\n'
FAN = '[steps.fan]\neach = ["a", "b"]\ntask = "text-to-video"\nprompt = "{item}"\n'


def problems(text: str, *, directory: Path = Path(), **inputs: Any) -> list[tuple[str | None, str | None, str]]:
    try:
        check(loads(text, file="f", directory=directory), inputs)
    except WorkflowCheckError as error:
        return [tuple(one) for one in error.problems]  # type: ignore[misc]
    return []


@settings(max_examples=100, deadline=None)
@given(workflows())
def test_what_can_run_is_let_through(workflow: Workflow) -> None:
    workflow = replace(workflow, steps=tuple(replace(step, share=None) for step in workflow.steps))
    check(workflow)
    expand(workflow)


def test_a_film_can_run(tmp_path: Path) -> None:
    (tmp_path / "anna.png").write_bytes(b"x")
    text = f"""
seed = 3
outputs = ["cut"]
[inputs]
shots = {{ required = true }}
[references.anna]
images = ["anna.png", "@still"]
voice = "v"
{STILL}takes = 4
pick = "score:sharpest"
{SHOT}each = "{{shots}}"
continues = "previous"
prompt = "{{item}} {{index}}"
when = "@still.width > 1"
[steps.say]
task = "text-to-speech"
text = "hello"
[steps.cut]
task = "concatenate"
clips = ["@shot", "@shot.1"]
[steps.last]
task = "last-frame"
video = "@cut"
[steps.on]
task = "video-extension"
continues = "cut"
"""
    assert problems(text, directory=tmp_path, shots=["a", "b"]) == []


# name, text, where, step, what is said (a part of it)
CASES: dict[str, tuple[str, str | None, str | None, str]] = {
    "task": (
        '[steps.a]\ntask = "text-to-imag"',
        "f:2",
        "a",
        "unknown task 'text-to-imag': did you mean 'text-to-image'?",
    ),
    "parameter": (
        STILL + "promt = 'x'",
        "f:4",
        "still",
        "unknown parameter of text-to-image 'promt': did you mean 'prompt'?",
    ),
    "option": (STILL + "take = 2", "f:4", "still", "'take': did you mean 'takes'?"),
    "size": (STILL + "size = 'large'", "f:4", "still", 'size: write "1280x720": width and height in pixels'),
    "one for several": (
        FAN + '[steps.c]\ntask = "concatenate"\nclips = "@fan.1"',
        "f:7",
        "c",
        'clips takes several: write a list, clips = ["@fan.1"]',
    ),
    "step without @": (
        STILL + SHOT.replace("@still", "still"),
        "f:6",
        "shot",
        "; what the step of this name makes is @still",
    ),
    "open brace": (
        STILL.replace('"x"', '"{{a}} {prompt, {b}"') + "[inputs]\nprompt = 'a'\nb = 'b'",
        "f:3",
        "still",
        "prompt: {prompt is not closed: write {prompt}; {{ is a plain brace",
    ),
    "type": (STILL + "seed = 'x'", "f:4", "still", "seed: Input should be a valid integer"),
    "range": (STILL + "\nsize = '0x0'", "f:5", "still", "size: Input should be greater than or equal to 1"),
    "needed": ('[steps.a]\ntask = "text-to-image"', "f:1", "a", "prompt: Field required"),
    "together": (
        STILL + "size = '8x8'\nresolution = '720p'",
        "f:2",
        "still",
        "give size, or resolution and aspect_ratio",
    ),
    "of an edit": (
        '[steps.a]\ntask = "hold"\nimage = "http://a.example/a.png"',
        "f:1",
        "a",
        "duration_s: Field required",
    ),
    "kind": (
        FAN + '[steps.up]\ntask = "image-upscaling"\nimage = "@fan.1"',
        "f:7",
        "up",
        "image takes a picture; @fan.1 makes a clip",
    ),
    "kind in a list": (
        STILL + '[steps.c]\ntask = "concatenate"\nclips = ["@still"]',
        "f:6",
        "c",
        "clips takes a clip; @still makes a picture",
    ),
    "kind of a file": (
        '[steps.c]\ntask = "last-frame"\nvideo = "http://a.example/a.png"',
        "f:3",
        "c",
        "video takes a clip; a.png is a picture",
    ),
    "kind of a reference": (
        STILL + 'references = [{ image = "@fan.1" }]\n' + FAN,
        "f:4",
        "still",
        "references takes a picture; @fan.1 makes a clip",
    ),
    "either kind": (
        '[steps.s]\ntask = "text-to-sound"\nprompt = "x"\n[steps.r]\ntask = "resize"\nwidth = 8\npicture = "@s"',
        "f:7",
        "r",
        "picture takes a picture or a clip; @s makes a sound",
    ),
    "kind of an edit": (
        '[steps.r]\ntask = "resize"\nwidth = 8\npicture = "http://a.example/a"',
        "f:2",
        "r",
        "picture is of an unknown kind",
    ),
    "through an edit": (
        FAN
        + '[steps.t]\ntask = "trim"\nclip = "@fan.1"\nend_s = 1\n[steps.up]\ntask = "image-upscaling"\nimage = "@t"',
        "f:11",
        "up",
        "image takes a picture; @t makes a clip",
    ),
    "several": (
        STILL + 'takes = 2\npick = "all"\n' + SHOT,
        "f:8",
        "shot",
        "image takes one, and there are 2: say which",
    ),
    "text": (
        '[steps.a]\ntask = "text-to-image"\nprompt = "@still"\n' + STILL,
        "f:3",
        "a",
        "prompt takes what is written, not what a step makes",
    ),
    "step": (
        STILL + SHOT.replace("@still", "@stil"),
        "f:6",
        "shot",
        "image: unknown step 'stil': did you mean 'still'?",
    ),
    "no name": (STILL + SHOT.replace("@still", "@"), "f:6", "shot", "image: '@' names no step"),
    "item of one": (
        STILL + SHOT.replace("@still", "@still.1"),
        "f:6",
        "shot",
        "@still.1: still is one step, not a fan-out",
    ),
    "item of none": (
        FAN + '[steps.e]\ntask = "last-frame"\nvideo = "@fan.3"',
        "f:7",
        "e",
        "@fan.3: fan makes 2, counted from 1",
    ),
    "item with a name": (
        FAN + '[steps.e]\ntask = "last-frame"\nvideo = "@fan.x"',
        "f:7",
        "e",
        "@fan.x is no item of fan: write @fan.2",
    ),
    "take": (STILL + SHOT.replace("@still", "@still#2"), "f:6", "shot", "@still#2: still has 1 take, counted from 1"),
    "input": (
        STILL.replace('"x"', '"{promt}"') + "[inputs]\nprompt = 'a'",
        "f:3",
        "still",
        "prompt: unknown input 'promt': did you mean 'prompt'?",
    ),
    "no input": (
        STILL.replace('"x"', '"{x}"'),
        "f:3",
        "still",
        "prompt: unknown input 'x': there are none; {{ is a plain brace",
    ),
    "item": (STILL.replace('"x"', '"{item}"'), "f:3", "still", "{item} and {index} are of a fan-out"),
    "part of an input": (
        STILL.replace('"x"', '"{b.c}"') + "[inputs]\nb = {d = 1}",
        "f:3",
        "still",
        "prompt: {b.c}: b has no 'c'",
    ),
    "@item": (
        STILL + SHOT.replace("@still", "@item"),
        "f:6",
        "shot",
        "image: @item is what a fan-out is over: write each = …",
    ),
    "reference": (
        STILL + "carry = ['ana']\n[references.anna]\nprompt = 'x'",
        "f:4",
        "still",
        "carry: unknown reference 'ana': did you mean 'anna'?",
    ),
    "image of a reference": (
        "[references.anna]\nimages = ['@stil']\n" + STILL,
        "f:2",
        None,
        "reference anna: unknown step 'stil'",
    ),
    "file of a reference": (
        "[references.anna]\nimages = ['no.png']\n" + STILL,
        "f:2",
        None,
        "reference anna: no file at",
    ),
    "kind of a reference's": (
        "[references.anna]\nimages = ['http://a.example/a.mp4']\n" + STILL,
        "f:2",
        None,
        "reference anna takes pictures; http://a.example/a.mp4 is a clip",
    ),
    "outputs": ("outputs = ['stil']\n" + STILL, "f:1", None, "outputs: unknown step 'stil': did you mean 'still'?"),
    "given": (STILL + "[inputs]\na = {required = true}", "f:5", None, "the input a has to be given: --set a=…"),
    "circle": (
        UP.format("a", "@c") + UP.format("b", "@a") + UP.format("c", "@b"),
        "f:2",
        "a",
        "steps take from each other in a circle: a → c → b → a",
    ),
    "circle of one": ('[steps.a]\ntask = "image-upscaling"\nimage = "@a"', "f:2", "a", "in a circle: a → a"),
    "circle through a condition": (
        STILL + 'when = "@up.width > 3"\n[steps.up]\ntask = "image-upscaling"\nimage = "@still"',
        "f:2",
        "still",
        "still → up → still",
    ),
    "circle through a fan-out": (
        UP.format("a", "@item") + 'each = "@b"\n' + UP.format("b", "@a.1"),
        "f:2",
        "a",
        "a → b → a",
    ),
    "each of nothing": (STILL + "each = []", "f:4", "still", "each is an empty list"),
    "each of no list": (STILL + "each = '{a}'\n[inputs]\na = 'x'", "f:4", "still", "each is 'x', and has to be a list"),
    "each of a step": (STILL + "each = '@stil'", "f:4", "still", "each: unknown step 'stil'"),
    "each of an input": (STILL + "each = '{b}'", "f:4", "still", "each: unknown input 'b'"),
    "continues": (STILL + 'continues = "fan.1"\n' + FAN, "f:4", "still", "text-to-image starts from nothing"),
    "continues what": (
        '[steps.a]\ntask = "image-to-video"\ncontinues = "fon"\n' + FAN,
        "f:3",
        "a",
        "continues: unknown step 'fon': did you mean 'fan'?",
    ),
    "continues a picture": (
        STILL + '[steps.a]\ntask = "image-to-video"\ncontinues = "still"',
        "f:6",
        "a",
        "continues takes a clip; still makes a picture",
    ),
    "previous": (STILL + SHOT + 'continues = "previous"', "f:7", "shot", "continues = 'previous' is of a fan-out"),
    "two beginnings": (
        STILL + SHOT + 'continues = "fan.1"\n' + FAN,
        "f:6",
        "shot",
        "image and continues both say what it starts from",
    ),
    "takes": (STILL + "takes = 65", "f:4", "still", "65 takes: from 1 to 64"),
    "pick": (STILL + 'pick = "best"', "f:4", "still", "pick = 'best': first, person, all, or score:NAME"),
    "when": (STILL + 'when = "@fan.1.colour > 3"\n' + FAN, "f:4", "still", "asks for 'colour'"),
    "when what": (STILL + 'when = "@fon.1.width > 3"\n' + FAN, "f:4", "still", "when: unknown step 'fon'"),
    "when which": (
        STILL + 'when = "@fan.width > 3"\n' + FAN,
        "f:4",
        "still",
        "when: fan is a fan-out: say which, @fan.1",
    ),
    "when an input": (STILL + 'when = "{a} > 3"\n', "f:4", "still", "when: unknown input 'a'"),
    "voices": (
        '[references.a]\nvoice = "x"\n[references.b]\nvoice = "y"\n[steps.s]\ntask = "text-to-speech"\ntext = "x"',
        "f:5",
        "s",
        'it speaks with one voice, and a, b are carried: carry = ["…"] says which',
    ),
    "shares": (
        STILL + "share = 0.6\n" + FAN + "share = 0.6",
        "f:9",
        "fan",
        "the shares of still, fan come to 1.2: at most 1 together",
    ),
    "share": (STILL + "share = 0", "f:4", "still", "share = 0: more than 0, at most 1"),
    "weight": (STILL + "weight = -1", "f:4", "still", "weight = -1.0: more than 0"),
    "max_usd": (STILL + 'max_usd = "0"', "f:4", "still", "max_usd = 0: more than 0"),
    "model of an edit": (
        FAN + '[steps.c]\ntask = "concatenate"\nclips = "@fan"\nmodel = "x"',
        "f:8",
        "c",
        "concatenate is a local edit: it has no model",
    ),
    "takes of an edit": (
        FAN + '[steps.c]\ntask = "concatenate"\nclips = "@fan"\ntakes = 2',
        "f:8",
        "c",
        "concatenate is a local edit: it has no takes",
    ),
    "file": ('[steps.a]\ntask = "image-upscaling"\nimage = "no/a.png"', "f:3", "a", "image: no file at"),
    "address": ('[steps.a]\ntask = "image-upscaling"\nimage = "ftp://a"', "f:3", "a", "'ftp' URLs are not understood"),
    "seed": ("seed = -1\n" + STILL, "f:1", None, "seed -1 is not between 0 and 2^63"),
    "name of a step": ('["steps"."a.b"]\ntask = "text-to-image"\nprompt = "x"', "f:1", "a.b", "'a.b' is no name"),
    "word of a step": (STILL.replace("still", "item"), "f:1", "item", "no step can be named 'item'"),
    "name of an input": (STILL + "[inputs]\nindex = 3", "f:5", None, "no input can be named 'index'"),
    "name of a reference": ('[references."a b"]\nprompt = "x"\n' + STILL, "f:1", None, "'a b' is no name"),
}


@pytest.mark.parametrize(("text", "where", "step", "said"), CASES.values(), ids=CASES)
def test_each_mistake_is_said_once_with_its_line(text: str, where: str, step: str | None, said: str) -> None:
    (problem,) = problems(text)
    assert problem[:2] == (where, step)
    assert said in problem[2]


def test_all_mistakes_of_all_cases_are_said_at_once() -> None:
    text = (
        'outputs = ["x"]\n[steps.a]\ntask = "nothing"\n[steps.b]\ntask = "image-upscaling"\nimage = "@a"\n'
        'factor = "x"\n[steps.c]\ntask = "last-frame"\nvideo = "@b"\n' + UP.format("d", "@d") + "takes = 0\n"
    )
    assert [(where, step) for where, step, _ in problems(text)] == [
        ("f:1", None),
        ("f:3", "a"),
        ("f:7", "b"),
        ("f:10", "c"),
        ("f:12", "d"),
        ("f:14", "d"),
    ]


def test_what_follows_from_a_mistake_is_not_said() -> None:
    text = (
        "[inputs]\nphoto = {required = true}\nlength = {required = true}\n"
        '[steps.a]\ntask = "image-upscalin"\nimage = "{photo}"\n[steps.b]\ntask = "resize"\npicture = "@a"\nwidth = 8\n'
        '[steps.c]\ntask = "image-to-video"\nimage = "{photo}"\nduration_s = "{length}"\nprompt = "{length}"\n'
        '[steps.d]\neach = "{photo}"\ntask = "image-to-video"\nimage = "@a"\n'
        '[steps.e]\ntask = "concatenate"\nclips = ["@d", "@c"]\n'
        '[steps.f]\ntask = "last-frame"\nvideo = "@d.7"\nwhen = "@a.width > 3"\n'
        '[steps.g]\ntask = "image-to-video"\ncontinues = "d"\n'
        '[references.anna]\nimages = ["@a"]\n'
    )
    assert [(where, text.split(":")[0]) for where, _, text in problems(text)] == [
        ("f:2", "the input photo has to be given"),
        ("f:3", "the input length has to be given"),
        ("f:5", "unknown task 'image-upscalin'"),
    ]


def test_an_input_that_there_is_not() -> None:
    ((where, step, text),) = problems(STILL + "[inputs]\nprompt = 'x'", promt="y")
    assert (where, step, text) == ("f:4", None, "unknown input 'promt': did you mean 'prompt'?")


def test_the_error_says_all_of_it_and_holds_it_as_data() -> None:
    with pytest.raises(WorkflowError) as caught:
        check(loads(STILL + "takes = 0\npick = 'x'", name="film", file="film.toml"))
    assert str(caught.value).splitlines() == [
        "film cannot run: 2 problems; nothing was sent",
        "  film.toml:4: still: 0 takes: from 1 to 64",
        "  film.toml:5: still: pick = 'x': first, person, all, or score:NAME of a function of yours",
    ]
    assert caught.value.step == "still"


def test_a_workflow_that_is_written_down_nowhere_is_checked_too() -> None:
    still = Step(name="still", task="text-to-image", values={"prompt": "x"})
    film = Workflow(name="film", steps=(still, replace(still, takes=0)))
    with pytest.raises(WorkflowCheckError) as caught:
        check(film)
    assert caught.value.problems == ((None, "still", "two steps are named 'still'"),)
    with pytest.raises(WorkflowCheckError) as caught:
        check(replace(film, steps=(replace(still, takes="4"),)))  # type: ignore[arg-type]
    assert caught.value.problems == ((None, "still", "takes: Input should be a valid integer"),)
    with pytest.raises(WorkflowCheckError, match="there are no steps"):
        check(replace(film, steps=()))


def test_too_many_steps_are_refused() -> None:
    ((_, _, text),) = problems("[inputs]\nmany = []\n" + STILL + 'each = "{many}"', many=list(range(10_001)))
    assert "more than 10000 steps" in text


def test_a_circle_may_be_thousands_of_steps_long() -> None:
    names = [f"a{number}" for number in range(3_000)]
    after = dict(zip(names, [*names[1:], names[0]], strict=True))
    steps = [Step(name=name, task="image-upscaling", values={"image": f"@{after[name]}"}) for name in names]
    (circle,) = circles(steps)
    assert [step.name for step in circle] == names
