"""What a card's and an offer's TOML file may say, and how a directory of them becomes plain rows.

A row is JSON: what the index holds and what `load` makes `Card` and `Offer` from. Nothing is loaded by halves: the
first file that is wrong ends it with a `ConfigurationError` that names the file and the reason.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, JsonValue, StrictBool, model_validator

from aggregator.config import Table, nearest, read_toml
from aggregator.errors import ConfigurationError
from aggregator.registry.boards import read_boards
from aggregator.registry.mapping import QUANTITIES, Mappings, complete
from aggregator.registry.units import units
from aggregator.tasks import TASKS

__all__ = ["Key", "Rows", "check_mappings", "check_references", "read_directory"]

Key = tuple[str, str, str]
"""Provider, endpoint, task: what makes two offers the same."""

_MIME_TYPE = r"^\w+/(\*|[\w.+-]+)$"
_MODEL_ID = re.compile(r"[a-z0-9][a-z0-9._-]*")
_KINDS = frozenset({"image", "video", "audio"})
_PER_TASK = ("limits", "defaults", "fields", "fixed", "facts", "refs", "inputs")
"""Tables that a `[tasks.<task>]` table adds to, key by key; everything else it replaces."""


@dataclass(frozen=True, slots=True)
class Rows:
    """Checked rows, and for messages the file each came from."""

    cards: dict[str, dict[str, Any]] = field(default_factory=dict)
    offers: dict[Key, dict[str, Any]] = field(default_factory=dict)
    boards: dict[str, dict[str, Any]] = field(default_factory=dict)
    files: dict[str | Key, str] = field(default_factory=dict)


Day = Annotated[date, Field(strict=True)]
Amount = Annotated[float, Field(allow_inf_nan=False)]


class _Model(Table):
    maker: str
    tier: Literal["workhorse", "hero"]
    title: str = ""
    released: Day | None = None
    status: Literal["active", "retired", "unavailable"] = "active"
    retired: Day | None = None
    successor: str | None = None
    equivalents: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    why: str = ""
    seeds: str | None = None
    license: str | None = None
    is_stand_in: StrictBool = False
    source: str = ""
    note: str = ""

    @model_validator(mode="after")
    def _says_why(self) -> Self:
        if self.status == "active":
            if self.retired or self.equivalents or self.aliases or self.why:
                raise ValueError("retired, equivalents, aliases and why are for a status of retired or unavailable")
        elif not self.source:
            raise ValueError("source: say who says so, and when")
        if self.status == "unavailable" and not self.why:
            raise ValueError("why: say what stands in the way")
        return self


class _Card(Table):
    model: _Model


class _Limit(Table):
    values: tuple[JsonValue, ...] = ()
    min: Amount | None = None
    max: Amount | None = None
    multiple_of: Annotated[float, Field(gt=0)] | None = None
    max_characters: Annotated[int, Field(gt=0)] | None = None
    max_pixels: Annotated[int, Field(gt=0)] | None = None

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        bounds = (self.min, self.max, self.multiple_of, self.max_characters, self.max_pixels)
        if bool(self.values) == any(bound is not None for bound in bounds):
            raise ValueError("write a list of values, or a table of min, max, multiple_of, max_characters, max_pixels")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError("min is above max")
        return self


def _limit(value: object) -> object:
    return {"values": value} if isinstance(value, list) else value


class _Target(Table):
    to: Annotated[str, Field(pattern=r"\S")]
    form: str = Field("", alias="as")
    values: dict[str, JsonValue] | None = None
    listed: StrictBool = False


def _target(value: object) -> object:
    if value is False or (isinstance(value, str) and value.strip()):
        return value
    if not isinstance(value, Mapping):
        raise ValueError("write the path in the body, a table with 'to', or false for a field this endpoint lacks")  # noqa: TRY004
    return _Target.model_validate(value).model_dump(by_alias=True, exclude_defaults=True)


class _Blocked(Table):
    path: Annotated[str, Field(min_length=1)]
    values: tuple[str | StrictBool | int | float, ...] = ()


class _Files(Table):
    path: str = ""
    mime_type: Annotated[str, Field(pattern=_MIME_TYPE)] = "application/octet-stream"
    form: Literal["url", "base64", "hex", "body"] = "url"
    mime_path: str = ""
    url: str = ""
    blocked: _Blocked | None = None

    @model_validator(mode="after")
    def _found(self) -> Self:
        if not self.path and not self.url and self.form != "body":
            raise ValueError('path: write where the files are in the answer, or a url, or form = "body"')
        return self


def _no_limit(value: bool) -> bool:  # noqa: FBT001 - pydantic calls it
    if value:
        raise ValueError("write a number of bytes, or false: no documented limit")
    return value


_Way = Annotated[str, Field(pattern=r"^(url|upload|data|part|ref:\w+)$")]


class _Input(Table):
    accepts: Annotated[tuple[_Way, ...], Field(min_length=1)] | None = None
    max_bytes: Annotated[int, Field(gt=0, strict=True)] | Annotated[StrictBool, AfterValidator(_no_limit)] | None = None
    mime_types: tuple[Annotated[str, Field(pattern=_MIME_TYPE)], ...] = ()


class _Meter(Table):
    unit: str
    quantity: str
    reported: str | None = None

    @model_validator(mode="after")
    def _known(self) -> Self:
        if self.unit not in units():
            raise ValueError(f"unknown unit {self.unit!r}{_perhaps(self.unit, units())}")
        if not self.quantity.startswith("request."):
            try:
                amount = Decimal(self.quantity)
            except InvalidOperation:
                raise ValueError("quantity: write request.<field> or a number as a string") from None
            if not amount.is_finite() or amount < 0:
                raise ValueError("quantity: a number from zero up")
        return self


class _Offer(Table):
    model: str
    endpoint: Annotated[str, Field(pattern=r"^\S+$")]
    task: str
    checked: Day
    status: Literal["announced", "preview", "active", "deprecated", "retired"] = "active"
    released: Day | None = None
    deprecated: Day | None = None
    retires: Day | None = None
    successor: str | None = None
    version: str | None = None
    dialect: str = ""
    limits: dict[str, Annotated[_Limit, BeforeValidator(_limit)]] = Field(default_factory=dict)
    defaults: dict[str, JsonValue] = Field(default_factory=dict)
    required: tuple[str, ...] = ()
    fields: dict[str, Annotated[Any, BeforeValidator(_target)]] = Field(default_factory=dict)
    fixed: dict[str, JsonValue] = Field(default_factory=dict)
    files: _Files | None = None
    meters: tuple[_Meter, ...] | None = None
    facts: dict[str, str] = Field(default_factory=dict)
    refs: dict[str, str] = Field(default_factory=dict)
    inputs: dict[str, _Input] = Field(default_factory=dict)
    source: str = ""
    note: str = ""

    @model_validator(mode="after")
    def _known_names(self) -> Self:
        if self.task not in TASKS:
            raise ValueError(f"unknown task {self.task!r}{_perhaps(self.task, TASKS)}")
        own = frozenset(TASKS[self.task].model_fields)
        for table in ("limits", "defaults", "required", "fields"):
            for name in getattr(self, table):
                if name not in own:
                    raise ValueError(f"{table}: {self.task} has no field {name!r}{_perhaps(name, own)}")
        for name in self.inputs:
            if name not in own | _KINDS:
                raise ValueError(f"inputs: {self.task} has no field {name!r}{_perhaps(name, own | _KINDS)}")
        for meter in self.meters or ():
            name = meter.quantity.removeprefix("request.")
            if name != meter.quantity and name not in own | QUANTITIES:
                raise ValueError(f"meters: {self.task} has no quantity {name!r}{_perhaps(name, own | QUANTITIES)}")
        return self


def _perhaps(word: str, known: Iterable[str]) -> str:
    close = nearest(word, known, count=1)
    return f"; did you mean {close[0]!r}?" if close else f"; known: {', '.join(sorted(known))}"


# ------------------------------------------------------------------------------------------------------------ reading


def read_directory(root: Path) -> Rows:
    """Read `models/*.toml` and `offers/<provider>/*.toml` below `root`."""
    if not root.is_dir():
        raise ConfigurationError(f"{root}: no such directory; [registry] paths must name one that exists")
    if not any((root / name).is_dir() for name in ("models", "offers", "boards", "rates")):
        raise ConfigurationError(
            f"{root}: neither models/, offers/, boards/ nor rates/ is in it; is it the right directory?"
        )
    rows = Rows()
    for file in sorted(root.glob("models/*.toml")):
        if not _MODEL_ID.fullmatch(file.stem):
            raise ConfigurationError(
                f"{file}: the file name is the model's id: lower-case letters, digits, '.', '_', '-'"
            )
        card = _Card.read(read_toml(file), source=str(file))
        rows.cards[file.stem] = _plain(card.model)
        rows.files[file.stem] = str(file)
    for file in sorted(root.glob("offers/*/*.toml")):
        for row in _offers(file):
            key = (file.parent.name, row["endpoint"], row["task"])
            if key in rows.offers:
                raise ConfigurationError(f"{file}: {':'.join(key[:2])} for {key[2]} is in {rows.files[key]} already")
            rows.offers[key] = {"provider": key[0], **row}
            rows.files[key] = str(file)
    rows.boards.update(read_boards(root))
    rows.files.update({board: str(root / "boards" / f"{board}.csv") for board in rows.boards})
    return rows


def _offers(file: Path) -> Iterator[dict[str, Any]]:
    """One row per task: the top of the file, with each `[tasks.<task>]` table laid over it."""
    top = read_toml(file)
    tasks = top.pop("tasks", None)
    if tasks is None:
        yield _plain(_Offer.read(top, source=str(file)))
        return
    if "task" in top or not isinstance(tasks, dict) or not tasks:
        raise ConfigurationError(f'{file}: write either task = "…" or one [tasks.<task>] table per task')
    for task, table in tasks.items():
        if not isinstance(table, dict) or "task" in table:
            raise ConfigurationError(f"{file}: tasks.{task}: this must be a table, without a task of its own")
        merged = {**top, **table, "task": task}
        for name in _PER_TASK:
            if isinstance(top.get(name), dict) and isinstance(table.get(name), dict):
                merged[name] = {**top[name], **table[name]}
        yield _plain(_Offer.read(merged, source=f"{file}: tasks.{task}"))


def _plain(table: Table) -> dict[str, Any]:
    return table.model_dump(mode="json", by_alias=True, exclude_defaults=True)


def check_references(rows: Rows) -> None:
    """Every model and every successor that is named must exist. Call it with all directories laid together."""
    pins = {f"{provider}:{endpoint}" for provider, endpoint, _ in rows.offers}
    for model, card in rows.cards.items():
        file = rows.files.get(model, model)
        _check_successor(card.get("successor"), rows.cards, (), file)
        for other in card.get("equivalents", ()):
            if other not in rows.cards:
                raise ConfigurationError(f"{file}: unknown equivalent {other!r}{_perhaps(other, rows.cards)}")
    for name, board in rows.boards.items():
        for reading in board["readings"]:
            if reading[0] and reading[0] not in rows.cards:
                raise ConfigurationError(
                    f"{rows.files.get(name, name)}: unknown model {reading[0]!r}{_perhaps(reading[0], rows.cards)}"
                )
    for key, offer in rows.offers.items():
        file = rows.files.get(key, ":".join(key))
        if offer["model"] not in rows.cards:
            raise ConfigurationError(f"{file}: unknown model {offer['model']!r}{_perhaps(offer['model'], rows.cards)}")
        _check_successor(offer.get("successor"), rows.cards, pins, file)


def check_mappings(rows: Rows, mappings: Mappings) -> None:
    """Every offer must be whole once its row lies over its provider's own mapping."""
    for key, offer in rows.offers.items():
        try:
            complete(offer, mappings)
        except ConfigurationError as error:
            raise ConfigurationError(f"{rows.files[key]}: {error}") from None


def _check_successor(successor: str | None, cards: Iterable[str], pins: Iterable[str], file: str) -> None:
    known = {*cards, *pins}
    if successor is not None and successor not in known:
        raise ConfigurationError(
            f"{file}: unknown successor {successor!r}: name a model that has a card, or an offer as provider:endpoint"
        )
