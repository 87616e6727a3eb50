"""Tables of TOML files: read, checked, frozen. What is wrong is said with its file, key and the nearest known key."""

import difflib
import re
import tomllib
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, ValidationInfo, model_validator

from aggregator._lines import Lines
from aggregator.errors import ConfigurationError

__all__ = ["Day", "Table", "money", "nearest", "read_toml"]

_ABOUT = re.compile(r"unknown key '([^']+)'|unknown (\w+) '|(\w+): (?:[^']*'([^']+)')?")


def nearest(word: str, known: Iterable[str], *, count: int = 3) -> tuple[str, ...]:
    """The known words that look most like `word`."""
    return tuple(difflib.get_close_matches(word, sorted(set(known)), n=count, cutoff=0.5))


def read_toml(path: Path) -> dict[str, Any]:
    """Read one TOML file, or say which file, which line and why not."""
    text = ""
    try:
        text = path.read_text(encoding="utf-8")
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        end = f"(at line {len(text.splitlines())}, the end of the document)"
        said = str(error).replace("(at end of document)", end)
        raise ConfigurationError(f"{path}: not valid TOML: {said}") from None
    except UnicodeDecodeError:
        raise ConfigurationError(f"{path}: not UTF-8 text: save it as UTF-8") from None
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be read: {error.strerror or error}") from None


_JSON = "json"


def _day(value: object, info: ValidationInfo) -> object:
    """JSON has no days: there they are written as text, in TOML never."""
    if info.context == _JSON and isinstance(value, str):
        with suppress(ValueError):
            return date.fromisoformat(value)
    return value


Day = Annotated[date, Field(strict=True), BeforeValidator(_day)]


class Table(BaseModel):
    """A frozen table of a TOML file, whose unknown keys are refused with the nearest known one."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _known_keys(cls, values: Any) -> Any:
        if not isinstance(values, Mapping):
            raise ValueError("this must be a table")  # noqa: TRY004 - pydantic collects ValueErrors only
        known = [field.alias or name for name, field in cls.model_fields.items()]
        unknown = [key for key in values if key not in known]
        if unknown:
            raise ValueError("; ".join(cls._refusal(str(key), known) for key in unknown))
        return values

    @classmethod
    def _refusal(cls, key: str, known: Iterable[str]) -> str:
        close = nearest(key, known, count=1)
        hint = f"did you mean {close[0]!r}?" if close else f"known keys: {', '.join(known)}"
        return f"unknown key {key!r}; {hint}"

    @classmethod
    def read(cls, values: Mapping[str, Any], *, source: str, lines: Lines | None = None, json: bool = False) -> Self:
        """Check `values`; `source` (a file, mostly) stands first in the error, then the line, if `lines` tells it.

        Args:
            json: They were written as JSON, not TOML.

        """
        try:
            return cls.model_validate(values, context=_JSON if json else None)
        except ValidationError as error:
            raise ConfigurationError(f"{source}: {_explain(error, lines)}") from None


def _explain(error: ValidationError, lines: Lines | None) -> str:
    problems = []
    for item in error.errors(include_url=False, include_input=False):
        where = ".".join(str(part) for part in item["loc"])
        message = item["msg"].removeprefix("Value error, ")
        said = f"{where}: {message}" if where else message
        problems.append(said if lines is None else f"line {lines((*item['loc'], *_named(message)))}: {said}")
    return "; ".join(dict.fromkeys(problems))


def _named(message: str) -> tuple[str, ...]:
    """The key that a message about a whole table begins with, and what it quotes of it."""
    found = _ABOUT.match(message)
    return tuple(word for word in found.groups() if word) if found else ()


def money(value: object) -> Decimal:
    """An amount of dollars above zero, from a string."""
    if isinstance(value, bool | float) or not isinstance(value, str | int | Decimal):
        raise ValueError('write it as a string, such as "100.00": a float is not an exact amount')  # noqa: TRY004
    try:
        amount = Decimal(value)
    except InvalidOperation:
        raise ValueError('not an amount: write US dollars as a string, such as "100.00"') from None
    if not amount.is_finite() or amount <= 0:
        raise ValueError("a budget must be above zero; leave it out for none")
    return amount
