"""Cards and offers as TOML text, the way people write them: one line where it fits, else a table of its own."""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

__all__ = ["toml_text"]

_WIDTH = 118
_BARE = re.compile(r"[A-Za-z0-9_-]+")


def toml_text(values: Mapping[str, Any], under: tuple[str, ...] = ()) -> str:
    """A document of strings, numbers, truths, days, lists and tables; nothing else can be said.

    A value that is `None` is left out: TOML has no word for it. `under` is the table that the text is to follow.
    """
    return "\n".join(_lines(values, under)).lstrip("\n") + "\n"


def _lines(values: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[str]:
    given = {name: value for name, value in values.items() if value is not None}
    below = {name: value for name, value in given.items() if _needs_a_table(name, value, top=not path)}
    for name, value in given.items():
        if name not in below:
            yield f"{_key(name)} = {_broken(name, value)}"
    for name, value in below.items():
        where = (*path, _key(name))
        for table in value if isinstance(value, list | tuple) else [None]:
            yield f"\n[{'.'.join(where)}]" if table is None else f"\n[[{'.'.join(where)}]]"
            yield from _lines(value if table is None else table, where)


def _needs_a_table(name: str, value: Any, *, top: bool) -> bool:
    if isinstance(value, list | tuple):
        return top and bool(value) and all(isinstance(one, Mapping) for one in value) and not _fits(name, value)
    return isinstance(value, Mapping) and not _fits(name, value)


def _fits(name: str, value: Any) -> bool:
    return len(f"{name} = {_inline(value)}") <= _WIDTH


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else _quoted(name)


def _quoted(text: str) -> str:
    """TOML's texts in quotes are JSON's, but for one character that must be escaped."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007F")


def _broken(name: str, value: Any) -> str:
    """A value over several lines, where one line is too long for it or it has lines itself."""
    if isinstance(value, str) and "\n" in value:
        escaped = "\n".join(_quoted(line)[1:-1].replace('\\"', '"') for line in value.split("\n"))
        return '"""\n' + re.sub(r'"(?=""|\Z)', r"\"", escaped) + '"""'
    if isinstance(value, list | tuple) and not _fits(name, value):
        return "[\n" + "".join(f"    {_inline(one)},\n" for one in value) + "]"
    return _inline(value)


def _inline(value: Any) -> str:
    if isinstance(value, Mapping):
        pairs = ", ".join(f"{_key(name)} = {_inline(one)}" for name, one in value.items() if one is not None)
        return f"{{ {pairs} }}" if pairs else "{}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_inline, value))}]"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, int | float | Decimal):
        return str(value)
    return _quoted(value)
