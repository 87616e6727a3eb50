"""Workflows at random that could run: for what has to hold for every one of them."""

import string
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from aggregator.workflow.model import Carried, Step, Workflow

Draw = Callable[[st.SearchStrategy[Any]], Any]

NAMES = st.text(string.ascii_letters, min_size=1, max_size=1).flatmap(
    lambda first: st.text(string.ascii_letters + string.digits + "-_", max_size=6).map(lambda rest: first + rest)
)
TEXTS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=30)
"""Texts with everything in them that has a meaning somewhere: braces, quotes, at-signs, breaks, backslashes."""
AWKWARD = st.sampled_from(
    [
        "{",
        "}",
        "{{x}}",
        "@",
        "@@",
        "@still",
        "@a.2",
        '"""',
        "'''",
        'ends with "',
        "\\",
        "a\nb\n",
        "\r\n",
        "\x7f",
        "{x",
        "é\u2028",
    ]
)
WORDS = st.one_of(AWKWARD, TEXTS)
RESERVED = ("item", "index", "previous")


def escaped(text: str) -> str:
    """A text that means itself."""
    plain = text.replace("{", "{{").replace("}", "}}")
    return f"@{plain}" if plain.startswith("@") else plain


PICTURES = ("text-to-image", "image-to-image", "image-upscaling", "first-frame", "resize")
CLIPS = ("text-to-video", "image-to-video", "video-to-video", "concatenate", "hold")


@st.composite
def workflows(draw: Draw) -> Workflow:
    """Up to eight steps, each of which takes what others before it make; with inputs, fan-outs and references."""
    texts = draw(st.lists(WORDS, min_size=1, max_size=3))
    inputs = {
        "prompt": draw(WORDS.filter(lambda text: text.strip() != "")),
        "shots": [escaped_at(text) for text in texts],
        "count": draw(st.integers(1, 9)),
    }
    inputs["brief"] = {"title": draw(WORDS), "long": draw(st.booleans())}
    names = draw(
        st.lists(
            NAMES.filter(lambda name: name.lower() not in (*inputs, *RESERVED)),
            min_size=1,
            max_size=8,
            unique_by=str.lower,
        )
    )
    references = [Carried(name="anna", images=("https://a.example/anna.png",), prompt=draw(st.none() | TEXTS))]
    references += [Carried(name="bea", role="style", voice=escaped_at(draw(WORDS)))] if draw(st.booleans()) else []
    steps: list[Step] = []
    made: dict[str, list[str]] = {"image": [], "video": []}
    sizes: dict[str, int] = {}
    for name in names:
        step = draw(_step(name, made, sizes, texts))
        steps.append(step)
        made["image" if step.task in PICTURES else "video"].append(name)
    return Workflow(
        name=draw(st.sampled_from(["film", "my film", "class", 'a "b"'])),
        steps=tuple(steps),
        inputs=inputs,
        references=tuple(references),
        seed=draw(st.none() | st.integers(0, 2**63 - 1)),
        outputs=tuple(draw(st.lists(st.sampled_from(names), max_size=2, unique=True))),
    )


def escaped_at(text: str) -> str:
    return f"@{text}" if text.startswith("@") else text


@st.composite
def _step(draw: Draw, name: str, made: dict[str, list[str]], sizes: dict[str, int], texts: list[str]) -> Step:  # noqa: PLR0912
    tasks = ["text-to-image", "text-to-video"]
    tasks += ["image-to-image", "image-upscaling", "image-to-video", "resize", "hold"] if made["image"] else []
    tasks += ["video-to-video", "first-frame", "concatenate"] if made["video"] else []
    task = draw(st.sampled_from(tasks))
    options: dict[str, Any] = {}
    single = [one for kind in made.values() for one in kind if one not in sizes]
    over: str | None = None
    if draw(st.booleans()):
        kinds = made[
            "image" if task in ("image-to-image", "image-upscaling", "image-to-video", "resize", "hold") else "video"
        ]
        choices: list[Any] = [
            "{shots}",
            [escaped(text) for text in texts],
            [{"text": escaped(text), "n": 2} for text in texts],
        ]
        if kinds and task not in ("text-to-image", "text-to-video"):
            over = draw(st.sampled_from(kinds))
            choices = [f"@{over}"]
        options["each"] = draw(st.sampled_from(choices))
        sizes[name] = sizes.get(over or "", 1) if over else len(texts)
    item = (
        ""
        if over
        else "{item.text}"
        if isinstance(options.get("each"), list) and isinstance(options["each"][0], dict)
        else "{item}"
    )
    prompts = [
        WORDS.map(escaped),
        st.just("{prompt}"),
        st.just("{brief.title} {count}"),
        WORDS.map(lambda text: f"{escaped(text)}{{prompt}}"),
    ]
    if options and item:
        prompts += [st.just(item), st.just(f"{item} of {{index}}, {{{{x}}}}")]
    values: dict[str, Any] = {}
    if task not in ("resize", "hold", "first-frame", "concatenate", "image-upscaling"):
        values["prompt"] = draw(st.one_of(prompts).filter(lambda text: text != ""))
    if task in ("image-to-image", "image-upscaling", "image-to-video", "hold"):
        values["image"] = "@item" if over else draw(st.sampled_from(_refs(made["image"], sizes)))
    if task in ("video-to-video", "first-frame"):
        values["video"] = "@item" if over else draw(st.sampled_from(_refs(made["video"], sizes)))
    if task == "resize":
        values |= {"picture": "@item" if over else draw(st.sampled_from(_refs(made["image"], sizes))), "width": 100}
    if task == "hold":
        values["duration_s"] = draw(st.sampled_from([1, 2.5, "{count}"]))
    if task == "concatenate":
        own = (
            ["@item"]
            if over
            else draw(st.lists(st.sampled_from([f"@{one}" for one in made["video"]]), min_size=1, max_size=3))
        )
        values["clips"] = (
            own[0] if len(own) == 1 and own[0] != "@item" and draw(st.booleans()) and own[0][1:] in sizes else own
        )
    if task in ("text-to-image", "image-to-video") and draw(st.booleans()):
        values["loras"] = [
            {"weights": draw(st.sampled_from(["a/b", "{prompt}"])), "scale": draw(st.sampled_from([1, 0.5]))}
        ]
    if task == "text-to-image" and draw(st.booleans()):
        values["size"] = draw(st.sampled_from(["1280x720", [1280, 720]]))
    if task not in ("resize", "hold", "first-frame", "concatenate"):
        options |= draw(_options())
    if single and draw(st.integers(0, 4)) == 0:
        options["when"] = draw(st.sampled_from([f"@{single[0]}.width < 1024", "{count} > 2", "{brief.long}"]))
    if task == "image-to-video" and "each" in options and not over and draw(st.booleans()):
        options["continues"] = "previous"
    elif task == "image-to-video" and "each" not in options and made["video"] and draw(st.booleans()):
        options["continues"] = draw(st.sampled_from(made["video"]))
        del values["image"]
    return Step(name=name, task=task, values=values, **options)


def _refs(names: list[str], sizes: dict[str, int]) -> list[str]:
    return [f"@{name}.{sizes[name]}" if name in sizes else f"@{name}" for name in names]


@st.composite
def _options(draw: Draw) -> dict[str, Any]:
    given = {
        "takes": draw(st.integers(1, 4)),
        "pick": draw(st.sampled_from(["first", "person", "score:sharpest"])),
        "carry": draw(st.sampled_from([None, (), ("anna",)])),
        "stage": draw(st.sampled_from([None, "final"])),
        "model": draw(st.sampled_from([None, "veo-3.1", "fal:fal-ai/veo3.1"])),
        "on_unsupported": draw(st.sampled_from(["error", "adjust"])),
        "max_usd": draw(st.sampled_from([None, Decimal("0.50")])),
        "share": draw(st.sampled_from([None, 0.1])),
        "weight": draw(st.sampled_from([1.0, 2.5])),
        "deadline_s": draw(st.sampled_from([None, 60.0])),
        "provider_options": draw(st.sampled_from([{}, {"fal": {"a.b": ["{x}", 1, None, {"c": True}]}}])),
    }
    return {name: value for name, value in given.items() if value is not None}
