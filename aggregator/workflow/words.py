"""The texts of a workflow, and what stands in them for inputs: `{prompt}`, `{item.text}`; `{{` is a plain brace."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["PLACE", "names_in", "texts_in", "unclosed_in"]

PLACE = re.compile(r"\{\{|\}\}|\{([A-Za-z][\w-]*)((?:\.[\w-]+)*)\}")
"""A name and the path behind it, or a plain brace, which has neither."""


def texts_in(value: Any) -> Iterator[str]:
    """Every text of a value, however deep; keys are none."""
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list | tuple):
        for one in value:
            yield from texts_in(one)
    elif isinstance(value, str):
        yield value


_UNCLOSED = re.compile(r"\{([A-Za-z][\w-]*)")


def unclosed_in(value: Any) -> Iterator[str]:
    """Every name behind a brace that is not closed."""
    return (match[1] for text in texts_in(value) for match in _UNCLOSED.finditer(PLACE.sub("", text)))


def names_in(value: Any) -> Iterator[re.Match[str]]:
    """Everything in the texts of a value that stands for an input."""
    return (match for text in texts_in(value) for match in PLACE.finditer(text) if match[1] is not None)
