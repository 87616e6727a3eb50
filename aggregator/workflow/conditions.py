"""`when`: whether a step is made at all. `{upscale}`, `{count} > 2`, `@still.width < 1024`: one comparison, no more."""

import operator
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from aggregator.errors import RequestError

__all__ = ["FACTS", "asked_about", "holds", "parse"]

FACTS = ("width", "height", "duration_s", "fps", "size_bytes")
"""What may be asked of what a step made."""
_OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
}
_SPLIT = re.compile(r"^(.*?)\s*(==|!=|<=|>=|<|>)\s*(.*)$", re.DOTALL)
_FACT = re.compile(rf"@([A-Za-z][\w.-]*?)\.({'|'.join(FACTS)})")
_ANY_FACT = re.compile(r"@([A-Za-z][\w.{}-]*)\.(\w+)")
_FALSE = frozenset({"", "false", "no", "0", "none"})


def parse(when: str) -> tuple[str, str | None, str | None]:
    """Left, operator and right; a value alone has neither.

    Raises:
        RequestError: It is not understood.

    """
    match = _SPLIT.match(when)
    left, sign, right = (match[1].strip(), match[2], match[3].strip()) if match else (when.strip(), None, None)
    for side in (left, right):
        if side is not None and side.startswith("@") and (found := _ANY_FACT.fullmatch(side)) is not None:
            if found[2] not in FACTS:
                raise RequestError(f"when = {when!r}: {side} asks for {found[2]!r}; there are {', '.join(FACTS)}")
        elif side is not None and side.startswith("@"):
            raise RequestError(f"when = {when!r}: {side} says nothing to compare: write {side}.width, or another fact")
    if sign is not None and not (left and right):
        raise RequestError(f"when = {when!r}: something is missing beside {sign}")
    return left, sign, right


def asked_about(when: str) -> Iterator[str]:
    """The steps that a condition asks about."""
    for side in parse(when)[::2]:
        if side is not None and (found := _ANY_FACT.fullmatch(side)) is not None:
            yield found[1]


def holds(when: str, facts: Callable[[str], Mapping[str, Any] | None]) -> bool | None:
    """Whether the step is made.

    Args:
        facts: What is known of what a step made, by its flat name; `None`: it is not made yet.

    Returns:
        `None` as long as nobody knows.

    Raises:
        RequestError: Two things are compared that cannot be, or the file does not say what is asked.

    """
    left, sign, right = parse(when)
    values: list[Any] = []
    for side in (left, right):
        if side is None:
            continue
        found = _FACT.fullmatch(side)
        if found is None:
            values.append(_read(side))
            continue
        known = facts(found[1])
        if known is None:
            return None
        if known.get(found[2]) is None:
            raise RequestError(f"when = {when!r}: what {found[1]} made does not say its {found[2]}")
        values.append(known[found[2]])
    if sign is None:
        return bool(values[0]) if isinstance(values[0], float) else str(values[0]).lower() not in _FALSE
    a, b = values
    if isinstance(a, str) != isinstance(b, str):
        a, b = str(a), str(b)
    return _OPERATORS[sign](a, b)


def _read(text: str) -> Any:
    try:
        return float(text)
    except ValueError:
        return text.strip("\"'")
