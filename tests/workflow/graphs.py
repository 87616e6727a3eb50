"""Small graphs that the provider in memory can make, and a world whose clients run them."""

from pathlib import Path
from typing import Any

from aggregator.workflow.model import Step, Workflow
from tests.runner.world import World

PICTURE, EDIT = "text-to-image", "image-to-image"


def picture(name: str, prompt: str = "", **options: Any) -> Step:
    """A step that makes a picture of words."""
    return Step(name=name, task=PICTURE, values={"prompt": prompt or f"a {name}"}, **options)


def edit(name: str, image: str, prompt: str = "", **options: Any) -> Step:
    """A step that makes a picture of a picture."""
    return Step(name=name, task=EDIT, values={"image": image, "prompt": prompt or f"{name}, at night"}, **options)


def flow(*steps: Step, **more: Any) -> Workflow:
    return Workflow(name=more.pop("name", "film"), steps=steps, **more)


def diamond() -> Workflow:
    """One picture, two edits of it, and one of each of these."""
    return flow(
        picture("still"),
        edit("left", "@still"),
        edit("right", "@still"),
        edit("left-more", "@left"),
        edit("right-more", "@right"),
    )


def world(directory: Path, **settings: Any) -> World:
    """Two workhorses and a hero."""
    offers = {"memory:cheap": "0.04", "memory:second": "0.05", "memory:grand": "0.50"}
    return World(directory, offers=offers, tiers={"memory:grand": "hero"}, **settings)


def states(run: Any) -> dict[str, str]:
    """What became of each flat step, in a word."""
    return {name: "reused" if one.reused and one.state == "done" else one.state for name, one in run.outcomes.items()}
