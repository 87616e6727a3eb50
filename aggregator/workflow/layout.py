"""Python text in lines of a given width, broken where a formatter would break it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

__all__ = ["Group", "Node", "inside", "quote_for", "quoted", "rendered", "wrapped"]

WIDTH = 120
INDENT = 4


@dataclass(frozen=True, slots=True)
class Group:
    """Something in brackets that may be broken after each of its items."""

    before: str
    """Up to the bracket, and with it."""
    items: Sequence["Node"]
    after: str
    separator: str = ","
    """A comprehension has none."""


Node = str | Group


def quoted(text: str) -> str:
    """A text as Python writes it: in the quotes that need fewer escapes."""
    quote = quote_for(text)
    return quote + inside(text, quote) + quote


def quote_for(text: str) -> str:
    """Double quotes, unless the text has more of them than of the others."""
    return "'" if text.count('"') > text.count("'") else '"'


def inside(text: str, quote: str) -> str:
    """A text as it stands between these quotes."""
    escaped = json.dumps(text, ensure_ascii=False)[1:-1].replace("\x7f", "\\x7f")
    return escaped if quote == '"' else escaped.replace('\\"', '"').replace("'", "\\'")


def wrapped(before: str, node: Node, after: str = "") -> Node:
    """A piece with something right before and behind it."""
    if isinstance(node, str):
        return before + node + after
    return replace(node, before=before + node.before, after=node.after + after)


def flat(node: Node) -> str:
    """On one line, however long."""
    if isinstance(node, str):
        return node
    return node.before + f"{node.separator} ".join(map(flat, node.items)) + node.after


def rendered(node: Node, indent: int = 0, *, room: int = 0) -> str:
    """On one line if there is room, else broken: without the indent of its first line.

    Args:
        room: How much has to be free behind it.

    """
    line = flat(node)
    if isinstance(node, str) or indent + len(line) + room <= WIDTH:
        return line
    inner = indent + INDENT
    body = flat(Group("", node.items, "", node.separator))
    if inner + len(body) <= WIDTH:
        return f"{node.before}\n{' ' * inner}{body}\n{' ' * indent}{node.after}"
    comma = len(node.separator)
    lines = (f"{' ' * inner}{rendered(item, inner, room=comma)}{node.separator}\n" for item in node.items)
    return f"{node.before}\n{''.join(lines)}{' ' * indent}{node.after}"
