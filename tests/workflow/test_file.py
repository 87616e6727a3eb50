"""The TOML form: read with the line of everything, written so that it reads back, and refused with reasons."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aggregator.errors import ConfigurationError, RequestError, WorkflowCheckError
from aggregator.registry.writing import toml_text
from aggregator.workflow.file import dumps, loads, read
from aggregator.workflow.model import Carried, Step, Workflow

from .random_workflows import workflows

FILM = '''\
name = "film"
seed = 42
outputs = ["cut"]

[inputs]
prompt = "a lighthouse at dawn"
shots = ["slow push-in", "orbit left"]
who = { required = true }

[references.anna]
images = ["anna.png"]
role = "character"
voice = "warm"

[steps.still]
task = "text-to-image"
prompt = """
{prompt}, 35mm,
[steps.shot] with "quotes" and = signs
"""
takes = 4
pick = "person"
max_usd = "0.50"
loras = [
    { weights = "a/b", scale = 0.5 },
]

[steps.shot]
each = "{shots}"
task = "image-to-video"
image = "@still"
prompt = "{item}"
continues = "previous"

[steps]
cut.task = "concatenate"
cut.clips = "@shot"
"quoted".task = "hold"
inline = { task = "hold", image = "@still" }
'''


def refused(text: str) -> list[tuple[str | None, str | None, str]]:
    with pytest.raises(WorkflowCheckError) as caught:
        loads(text, file="film.toml")
    return list(caught.value.problems)


def without_null(workflow: Workflow) -> Workflow:
    """TOML has no word for it."""
    for step in workflow.steps:
        workflow = workflow.with_step(step.name, provider_options={})
    return workflow


@settings(max_examples=200, deadline=None)
@given(workflows())
def test_what_is_written_reads_back_as_the_same(workflow: Workflow) -> None:
    film = without_null(workflow)
    text = dumps(film)
    assert loads(text) == film
    assert dumps(loads(text)) == text


@settings(max_examples=300, deadline=None)
@given(st.text(st.sampled_from("a\"\\\n\r\t' \x7f{"), max_size=12))
def test_any_text_survives(text: str) -> None:
    film = Workflow(name="film", steps=(Step(name="a", task="b", values={"prompt": text}),))
    assert loads(dumps(film)) == film


def test_everything_in_it_is_read() -> None:
    film = loads(FILM, directory=Path("films"))
    assert (film.name, film.seed, film.outputs, film.directory) == ("film", 42, ("cut",), Path("films"))
    assert film.inputs == {"prompt": "a lighthouse at dawn", "shots": ["slow push-in", "orbit left"], "who": None}
    assert film.references == (Carried(name="anna", images=("anna.png",), voice="warm"),)
    assert [step.name for step in film.steps] == ["still", "shot", "cut", "quoted", "inline"]
    still = film.step("still")
    assert still.values["prompt"] == '{prompt}, 35mm,\n[steps.shot] with "quotes" and = signs\n'
    assert (still.takes, still.pick, str(still.max_usd)) == (4, "person", "0.50")
    assert film.step("shot").each == "{shots}"


def test_everything_in_it_has_its_line() -> None:
    film = loads(FILM, file="film.toml")
    places = {step.name: step.place for step in film.steps}
    assert {name: str(place) for name, place in places.items()} == {
        "still": "film.toml:15",
        "shot": "film.toml:28",
        "cut": "film.toml:36",
        "quoted": "film.toml:38",
        "inline": "film.toml:39",
    }
    still = places["still"]
    assert still is not None
    assert [still.at(key).line for key in ("prompt", "takes", "loras", "nothing")] == [17, 21, 24, 15]
    assert places["inline"] is not None
    assert places["inline"].at("image").line == 39
    assert film.references[0].place is not None
    assert film.references[0].place.at("voice").line == 13
    assert film.place is not None
    assert [film.place.at(key).line for key in ("outputs", "inputs.shots", "seed", "x")] == [3, 7, 2, 1]


def test_the_name_is_the_files_unless_it_says_another(tmp_path: Path) -> None:
    path = tmp_path / "film.toml"
    path.write_text('[steps.a]\ntask = "text-to-image"\nprompt = "é"\n', encoding="utf-8")
    film = read(path)
    assert (film.name, film.directory) == ("film", tmp_path)
    assert film.steps[0].place is not None
    assert film.steps[0].place.file == str(path)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read: No such file"):
        read(tmp_path / "none.toml")
    (tmp_path / "latin.toml").write_bytes(b'name = "\xe9"')
    with pytest.raises(ConfigurationError, match="not UTF-8"):
        read(tmp_path / "latin.toml")


@pytest.mark.parametrize(
    ("text", "where", "step", "said"),
    [
        ("\nx = \n", "film.toml:2", None, "not valid TOML"),
        ("x = [", "film.toml:1", None, "not valid TOML"),
        ("", "film.toml:1", None, "there are no steps"),
        ("steps = 3", "film.toml:1", None, "steps is a table"),
        ("[steps.a]\ntask = 'x'\n[step.b]\n", "film.toml:3", None, "unknown key 'step': did you mean 'steps'?"),
        ("[steps]\n\na = 3", "film.toml:3", "a", "a step is a table"),
        ("[references]\nb = 3\n[steps.a]\ntask = 'x'", "film.toml:2", None, "a reference is a table"),
        ("[references.b]\nimage = 'x'\n[steps.a]\ntask = 'x'", "film.toml:2", None, "did you mean 'images'?"),
        (
            "[references.b]\nrole = 'hero'\n[steps.a]\ntask = 'x'",
            "film.toml:2",
            None,
            "references.0.role: Input should be",
        ),
        ("[steps.a]\nprompt = 'x'", "film.toml:1", "a", "it has no task"),
        ("[steps.a]\ntask = 'x'\ntakes = '4'", "film.toml:3", "a", "takes: Input should be a valid integer"),
        ("[steps.a]\ntask = 'x'\ntakes = true", "film.toml:3", "a", "takes: Input should be a valid integer"),
        ("[steps.a]\ntask = 3", "film.toml:2", "a", "task: Input should be a valid string"),
        ("[steps.a]\ntask = 'x'\ncarry = 'anna'", "film.toml:3", "a", "carry: Input should be a valid array"),
        (
            "[steps.a]\ntask = 'x'\nmax_usd = 0.5",
            "film.toml:3",
            "a",
            'max_usd: a float is not an exact amount: write "0.5"',
        ),
        ("[steps.a]\ntask = 'x'\nname = 'b'", "film.toml:3", "a", "'name' is no key of a step"),
        (
            "[steps.a]\ntask = 'x'\nday = 2026-11-21",
            "film.toml:3",
            "a",
            "2026-11-21 is neither text nor a usual number",
        ),
        ("[steps.a]\ntask = 'x'\nb = [1, nan]", "film.toml:3", "a", "nan is neither text nor a usual number"),
        ("seed = '3'\n[steps.a]\ntask = 'x'", "film.toml:1", None, "seed: Input should be a valid integer"),
        ("outputs = 'a'\n[steps.a]\ntask = 'x'", "film.toml:1", None, "outputs: Input should be a valid array"),
    ],
)
def test_what_is_no_workflow_is_refused_with_its_line(text: str, where: str, step: str | None, said: str) -> None:
    (problem,) = refused(text)
    assert problem[:2] == (where, step)
    assert said in problem[2]


def test_all_that_is_wrong_is_said_at_once() -> None:
    problems = refused("[steps.a]\ntakes = '4'\nname = 'x'\n[references.b]\nimage = 1\n")
    assert [place for place, _, _ in problems] == ["film.toml:1", "film.toml:2", "film.toml:3", "film.toml:5"]


def test_what_toml_has_no_word_for_is_not_written() -> None:
    def film(**given: object) -> Workflow:
        return Workflow(name="film", steps=(Step(name="a", task="b", values=given),))  # type: ignore[arg-type]

    with pytest.raises(RequestError, match=r"a\.x\.y holds null"):
        dumps(film(x={"y": [None]}))
    with pytest.raises(RequestError, match="a parameter named 'takes' cannot be written"):
        dumps(film(takes=3))


def test_it_is_written_as_people_write_it() -> None:
    film = loads(FILM)
    text = dumps(film)
    assert 'prompt = """\n{prompt}, 35mm,\n[steps.shot] with "quotes" and = signs\n"""\n' in text
    assert '[steps.shot]\neach = "{shots}"\ntask = "image-to-video"\nimage = "@still"\n' in text
    assert "who = { required = true }" in text
    long = Workflow(name="film", steps=film.steps, inputs={"shots": ["a slow push-in over the roofs of the town"] * 4})
    assert 'shots = [\n    "a slow push-in over the roofs of the town",\n' in dumps(long)


def test_quotes_at_the_end_of_several_lines_are_escaped() -> None:
    assert toml_text({"a": 'x\n""""'}) == 'a = """\nx\n\\"\\""\\""""\n'
