"""The Python form: an ordinary function writes its steps down, each with its line, and is told what it cannot do."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from aggregator import Media, Reference, TextToImage
from aggregator.errors import RequestError, WorkflowCheckError
from aggregator.workflow.handles import Handle
from aggregator.workflow.model import Carried, Step, Workflow
from aggregator.workflow.tracing import Steps, trace, workflow

HERE = "tests/workflow/test_tracing.py"


@workflow
async def film(w: Steps, prompt: str, shots: list[str]) -> None:
    still = await w.text_to_image(prompt, name="still", takes=4, pick="person")
    large = await w.upscale_image(still.take(2), factor=2)
    clips = [await w.image_to_video(large, text, duration_s=5) for text in shots]
    cut = await w.edit("concatenate", clips=clips)
    w.output(cut)


def refused(function: Callable[..., Awaitable[None]], *args: Any) -> tuple[str | None, str | None, str]:
    with pytest.raises(WorkflowCheckError) as caught:
        trace(function, *args)
    (problem,) = caught.value.problems
    return problem


def line_of(function: Callable[..., Any], part: str) -> str:
    """Where a part of a function is written."""
    lines, first = inspect.getsourcelines(function)
    return f"{HERE}:{first + next(at for at, line in enumerate(lines) if part in line)}"


def steps_of(function: Callable[..., Awaitable[None]], *args: Any) -> list[Step]:
    return list(trace(function, *args).steps)


def test_a_function_writes_its_steps_down() -> None:
    assert film(prompt="a lighthouse", shots=["push-in", "orbit"]) == Workflow(
        name="film",
        steps=(
            Step(name="still", task="text-to-image", values={"prompt": "a lighthouse"}, takes=4, pick="person"),
            Step(name="image-upscaling", task="image-upscaling", values={"image": "@still#2", "factor": 2}),
            Step(
                name="image-to-video",
                task="image-to-video",
                values={"image": "@image-upscaling", "prompt": "push-in", "duration_s": 5},
            ),
            Step(
                name="image-to-video-2",
                task="image-to-video",
                values={"image": "@image-upscaling", "prompt": "orbit", "duration_s": 5},
            ),
            Step(name="concatenate", task="concatenate", values={"clips": ["@image-to-video", "@image-to-video-2"]}),
        ),
        outputs=("concatenate",),
    )


def test_it_is_the_same_every_time_and_without_the_decorator() -> None:
    once = film("a", ["b"])
    assert once == film("a", ["b"]) == trace(film.function, "a", shots=["b"])
    assert film.__name__ == film.name == "film"


async def test_it_can_be_called_where_an_event_loop_runs() -> None:
    assert film("a", ["b"]).name == "film"
    with pytest.raises(WorkflowCheckError):
        trace(lambda w: w.edit("nothing"))


def test_every_step_has_the_line_of_its_call() -> None:
    made = film("a", ["b", "c"])
    written = inspect.unwrap(film.function)
    places = [str(step.place) for step in made.steps]
    assert places[0] == line_of(written, "text_to_image")
    assert places[2] == places[3] == line_of(written, "image_to_video")
    assert places[4] == line_of(written, "concatenate")
    assert str(made.place) == line_of(written, "@workflow")
    assert made.directory == Path(__file__).parent


def test_a_fan_out_may_be_gathered() -> None:
    async def several(w: Steps) -> None:
        clips = await asyncio.gather(*[w.text_to_video(text) for text in ("a", "b")])
        await asyncio.sleep(0)
        async with asyncio.TaskGroup() as group:
            cut = group.create_task(w.edit("concatenate", clips=clips))
        w.output(cut.result())

    made = trace(several)
    assert [step.name for step in made.steps] == ["text-to-video", "text-to-video-2", "concatenate"]
    assert [str(step.place) for step in made.steps[:2]] == [line_of(several, "gather")] * 2


def test_texts_mean_themselves() -> None:
    async def texts(w: Steps) -> None:
        await w.text_to_image("@{prompt} {{", negative_prompt="@still", when="{x} == 1")

    (step,) = steps_of(texts)
    assert step.values == {"prompt": "@@{{prompt}} {{{{", "negative_prompt": "@@still"}
    assert step.when == "{{x}} == 1"


def test_inputs_are_paths_addresses_results_and_what_steps_make() -> None:
    async def inputs(w: Steps) -> None:
        still = await w.generate(TextToImage(prompt="x", size="8x8"), name="still")
        await w.upscale_image("in/none.png")
        await w.upscale_image(Path(__file__).parent / "@b.png")
        await w.upscale_image("https://a.example/x.png")
        await w.upscale_image(Media(sha256="0" * 64, mime_type="image/png", job_id="j"))
        await w.text_to_image("x", references=[Reference(image=still.take(2), role="style"), {"image": "c.png"}])
        await w.edit("resize", picture=Media(source=Path(__file__)), width=8)

    still, *rest, styled, resized = steps_of(inputs)
    assert still.values == {"prompt": "x", "size": [8, 8]}
    assert [step.values["image"] for step in rest] == [
        "in/none.png",
        "@@b.png",
        "https://a.example/x.png",
        {"sha256": "0" * 64, "mime_type": "image/png", "job_id": "j"},
    ]
    assert styled.values["references"] == [{"image": "@still#2", "role": "style"}, {"image": "c.png"}]
    assert resized.values["picture"] == "test_tracing.py"


def test_options_of_a_step_stand_beside_those_of_the_verb() -> None:
    async def options(w: Steps) -> None:
        still = await w.text_to_image("x", max_usd="0.50", share=0.5, weight=2.0, stage="final", role="shot")
        a = await w.text_to_video("x", carry=["anna"], model="veo-3.1", on_unsupported="adjust", deadline_s=60)
        await w.image_to_video(None, continues=a, when=still.width < 1024, provider_options={"fal": {"a": "{x}"}})
        await w.extend_video(None, "more", continues=a, pick="score:sharpest", takes=3)

    first, a, b, c = steps_of(options)
    assert (first.max_usd, first.share, first.weight, first.stage, first.role) == (
        Decimal("0.50"),
        0.5,
        2.0,
        "final",
        "shot",
    )
    assert (a.carry, a.model, a.on_unsupported, a.deadline_s) == (("anna",), "veo-3.1", "adjust", 60)
    assert (b.continues, b.when, b.values) == ("text-to-video", "@text-to-image.width < 1024", {})
    assert b.provider_options == {"fal": {"a": "{x}"}}
    assert (c.takes, c.pick, c.values) == (3, "score:sharpest", {"prompt": "more"})


def test_every_comparison_is_a_condition() -> None:
    async def conditions(w: Steps) -> None:
        a = await w.text_to_video("x", name="a")
        asked = [a.width < 1, a.height <= 2, a.duration_s > 3, a.fps >= 4, a.size_bytes == 5, a.width != 6]
        for condition in asked:
            await w.upscale_video(a, when=condition)

    assert [step.when for step in steps_of(conditions)[1:]] == [
        "@a.width < 1",
        "@a.height <= 2",
        "@a.duration_s > 3",
        "@a.fps >= 4",
        "@a.size_bytes == 5",
        "@a.width != 6",
    ]


def test_references_and_a_seed_are_the_workflows() -> None:
    async def carried(w: Steps) -> None:
        w.seed = 42
        face = await w.text_to_image("a face", name="face")
        anna = w.reference("anna", images=[face.take(1), "in/anna.png", "@a.png"], voice="@v", prompt="{red}")
        w.reference("look", images=["https://a.example/x.png"], role="look")
        assert [item.name for item in w.references] == [anna, "look"]

    made = trace(carried)
    assert made.seed == 42
    assert made.references == (
        Carried(name="anna", images=("@face#1", "in/anna.png", "@@a.png"), voice="@@v", prompt="{red}"),
        Carried(name="look", images=("https://a.example/x.png",), role="look"),
    )
    assert str(made.references[0].place) == line_of(carried, 'w.reference("anna"')


def test_a_workflow_may_have_another_name() -> None:
    @workflow(name="my film")
    async def other(w: Steps) -> None:
        await w.text_to_image("x")

    assert other().name == "my film"


BRANCHES: dict[str, Callable[[Any], object]] = {
    "bool": bool,
    "int": int,
    "float": float,
    "str": str,
    "len": len,
    "iter": list,
    "index": lambda still: [1, 2][still],
    "in": lambda still: 1 in still,
    "format": lambda still: f"a picture like {still}",
    "less": lambda still: still < 3,
    "condition": lambda still: bool(still.width < 3),
    "fact": lambda still: bool(still.width),
}


@pytest.mark.parametrize("ask", BRANCHES.values(), ids=BRANCHES)
def test_what_is_not_made_yet_cannot_be_asked(ask: Callable[[Handle], object]) -> None:
    async def branches(w: Steps) -> None:
        still = await w.text_to_image("x", name="still")
        ask(still)

    place, _, text = refused(branches)
    assert place is not None
    assert place.startswith(HERE)
    assert "not known while the steps are written down" in text
    assert "still" in text


def test_a_handle_shows_what_it_is() -> None:
    async def shows(w: Steps) -> None:
        still = await w.text_to_image("x")
        assert repr(still.take(2)) == "<what text-to-image#2 will make>"
        assert repr(still.width) == "@text-to-image.width"
        assert still.as_media().job_id == "step:text-to-image"
        assert not hasattr(still, "_colour")
        with pytest.raises(RequestError, match="has no 'colour': nothing has been made yet; what may be asked of it"):
            _ = still.colour
        with pytest.raises(RequestError, match=r"take\(1\), take\(2\) … of it are its takes"):
            _ = still[0]
        await w.upscale_image(still)

    assert len(steps_of(shows)) == 2


async def _key(w: Steps) -> None:
    await w.text_to_image("x", key="k")


async def _wait_s(w: Steps) -> None:
    await w.text_to_image("x", wait_s=3)


async def _tags(w: Steps) -> None:
    await w.text_to_image("x", tags={})


async def _option(w: Steps) -> None:
    await w.generate(TextToImage(prompt="x"), stagee="final")  # type: ignore[call-arg]


async def _parameter(w: Steps) -> None:
    await w.text_to_image("x", colour="red")  # type: ignore[call-arg]


async def _near_option(w: Steps) -> None:
    await w.text_to_image("x", tkes=2)  # type: ignore[call-arg]


async def _verb(w: Steps) -> None:
    await w.text_to_imge("x")


def _not_async(w: Steps) -> None:
    w.output()


async def _value(w: Steps) -> None:
    await w.text_to_video("x", duration_s=-1)


async def _operation(w: Steps) -> None:
    await w.edit("concatenat", clips=[])


async def _bytes(w: Steps) -> None:
    await w.upscale_image(b"x")


async def _not_awaited(w: Steps) -> None:
    still = w.generate(TextToImage(prompt="x"))
    await w.upscale_image(still)  # type: ignore[arg-type]


async def _nothing(w: Steps) -> None: ...


async def _returns(w: Steps) -> Any:
    return await w.text_to_image("x")


async def _amount(w: Steps) -> None:
    await w.text_to_image("x", max_usd="x")


@pytest.mark.parametrize(
    ("function", "part", "said"),
    [
        (_key, "w.", "key is no option of a step: what a step makes is found again"),
        (_wait_s, "w.", "wait_s is no option of a step: nothing is waited for"),
        (_tags, "w.", "tags is no option of a step"),
        (_option, "w.", "unknown option 'stagee'; did you mean 'stage'?"),
        (_parameter, "w.", "unknown parameter of text-to-image 'colour': there are size, resolution"),
        (_near_option, "w.", "unknown parameter of text-to-image 'tkes': did you mean 'takes'?"),
        (_verb, "w.", "unknown verb 'text_to_imge': did you mean 'text_to_image'?"),
        (_not_async, "def", "a workflow function is async: write async def"),
        (_value, "w.", "duration_s: Input should be greater than 0"),
        (_operation, "w.", "unknown task 'concatenat'; did you mean 'concatenate'?"),
        (_bytes, "w.", "bytes and open files cannot be written down"),
        (_not_awaited, "upscale", "write await before the verb"),
        (_nothing, "async def", "no step is written down"),
        (_returns, "async def", "a workflow function returns nothing"),
        (_amount, "w.", "max_usd='x' is not an amount of dollars"),
    ],
)
def test_what_cannot_be_is_refused_with_its_line(function: Callable[..., Any], part: str, said: str) -> None:
    place, _, text = refused(function)
    assert place == line_of(function, part)
    assert said in text


def test_a_mistake_of_the_functions_own_is_its_own() -> None:
    async def wrong(w: Steps) -> None:
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        trace(wrong)
    with pytest.raises(TypeError, match="shots"):
        film("a")  # type: ignore[call-arg]
    with pytest.raises(RequestError, match="nothing has been made"):
        bool(Handle("a", TextToImage(prompt="x")))
