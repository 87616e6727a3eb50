"""What makes a step the same step: what is asked for and what goes in, by content; and the request it comes to."""

import re
from collections.abc import Mapping
from typing import Any

from aggregator.editing.edits import Edit
from aggregator.identity import content, digest
from aggregator.inputs import Media
from aggregator.registry.cards import Offer
from aggregator.routing.chain import made_of
from aggregator.tasks import Reference, Request
from aggregator.workflow.graph import Node
from aggregator.workflow.kinds import request_class
from aggregator.workflow.model import Ref

__all__ = ["KEY", "Given", "address", "build", "key_of", "mark_of", "parameters", "symbolic"]

VERSION = "w1"
"""Of the address: what was made under another one is not found again."""
KEY = "step:"
"""How the key of a step's job begins."""
ADDRESS_DIGITS = 32
Given = Mapping[str, Media | None]
"""What other steps made, by how they are named (`@shot.2`); `None`: it was skipped."""


def build(node: Node, given: Given, *, take: int = 1) -> Request:
    """The request of a step with all that goes along.

    Args:
        take: From 1. Takes of one seed have seeds one after another.

    Raises:
        RequestError: A value is not what the task takes.

    """
    values = parameters(node, given)
    if isinstance(seed := values.get("seed"), int):
        values["seed"] = seed + take - 1
    return request_class(node.task)(**values)


def parameters(node: Node, given: Given) -> dict[str, Any]:
    """What a step says of its request, and what goes along: not checked yet."""
    read = {name: _read(value, given) for name, value in {**node.values, **node.wanted}.items()}
    return {name: value for name, value in read.items() if value is not None}


def _read(value: Any, given: Given) -> Any:
    if isinstance(value, list):
        return tuple(one for item in value if (one := _read(item, given)) is not None)
    if isinstance(value, Mapping):
        if "image" in value:
            return Reference(image=_read(value["image"], given), role=value.get("role", "character"))
        if "sha256" in value or "url" in value:
            return Media.from_json(value)
        return {name: _read(item, given) for name, item in value.items()}
    if (ref := Ref.of(value)) is not None:
        return given[str(ref)]
    return value[1:] if isinstance(value, str) and value.startswith("@@") else value


def address(node: Node, request: Request, take: int) -> str:
    """Where what a step makes is found again: what is asked for, and what goes in by content; never who makes it, nor
    what the step is called.

    Args:
        request: With all that goes along, its inputs stored.

    """
    version = request.version if isinstance(request, Edit) else None
    words = [VERSION, content(request), version, dict(node.step.provider_options), node.step.on_unsupported, take]
    return digest(words)[:ADDRESS_DIGITS]


def mark_of(offer: Offer) -> str:
    """Which model in which version a plan comes to, as it stands in a key."""
    version = f"@{offer.version}" if offer.version else ""
    return re.sub(r"[^\w.@-]", "_", f"{offer.model}{version}")


def key_of(where: str, mark: str) -> str:
    """The key of the job that makes this content with this model, whichever step asks for it and however."""
    return f"{KEY}{where}:{mark}"


def symbolic(name: str, take: int | None, request: Request) -> Media:
    """What a step will make, as an input of those that follow: planned and priced by, never sent."""
    named = str(Ref(name, take))
    facts = dict(request.expected()) if isinstance(request, Edit) else {}
    return made_of(named.removeprefix("@"), request, facts)
