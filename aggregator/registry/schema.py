"""What a card's and an offer's TOML file may say, and how a directory of them becomes plain rows.

A row is JSON: what the index holds and what `load` makes `Card` and `Offer` from. Nothing is loaded by halves: the
first file that is wrong ends it with a `ConfigurationError` that names the file and the reason.
"""

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, JsonValue, StrictBool, model_validator

from aggregator._lines import lines_in
from aggregator._toml import Day, Table, read_toml
from aggregator.contract import UNKNOWN
from aggregator.errors import ConfigurationError
from aggregator.registry.boards import read_boards
from aggregator.registry.graphs import with_graph
from aggregator.registry.mapping import QUANTITIES
from aggregator.registry.rows import Rows, perhaps
from aggregator.registry.units import units
from aggregator.registry.weights import NUMBER, FramesRow, WorkRow
from aggregator.tasks import TASKS

__all__ = ["checked_card", "checked_offer", "read_directory"]

_MIME_TYPE = r"^\w+/(\*|[\w.+-]+)$"
_MODEL_ID = re.compile(r"[a-z0-9][a-z0-9._-]*")
_KINDS = frozenset({"image", "video", "audio"})
_LIFE = ("announced", "preview", "released", "deprecated", "retires")
_MAPPED = ("fields", "fixed", "template", "outputs", "files", "facts", "refs", "inputs", "dialect")
FILE_COUNTS = ("@file.duration_s", "@file.frames", "@file.megapixels")
"""What is billed by what the delivered files hold, where no answer counts it."""
_PER_TASK = ("limits", "defaults", "fields", "fixed", "facts", "refs", "inputs")
"""Tables that a `[tasks.<task>]` table adds to, key by key; everything else it replaces."""


Amount = Annotated[float, Field(allow_inf_nan=False)]
_Said = Annotated[str, Field(pattern=r"\S")]


class _Host(Table):
    provider: _Said
    endpoint: str
    task: str
    checked: Day | None = None
    source: _Said
    status: Literal["announced", "preview", "active", "deprecated", "retired", "unknown"] = "active"
    retires: Day | None = None
    note: str = ""


class _Limit(Table):
    values: tuple[JsonValue, ...] = ()
    min: Amount | None = None
    max: Amount | None = None
    multiple_of: Annotated[float, Field(gt=0)] | None = None
    max_characters: Annotated[int, Field(gt=0)] | None = None
    min_pixels: Annotated[int, Field(gt=0)] | None = None
    max_pixels: Annotated[int, Field(gt=0)] | None = None

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        bounds = [name for name in type(self).model_fields if name != "values"]
        if bool(self.values) == any(getattr(self, name) is not None for name in bounds):
            raise ValueError(f"write a list of values, or a table of {', '.join(bounds)}")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError("min is above max")
        if self.min_pixels is not None and self.max_pixels is not None and self.min_pixels > self.max_pixels:
            raise ValueError("min_pixels is above max_pixels")
        return self


def _limit(value: object) -> object:
    return {"values": value} if isinstance(value, list) else value


class _Weights(Table):
    repository: _Said
    tasks: Annotated[tuple[str, ...], Field(min_length=1)]
    checked: Day
    source: _Said
    license: _Said
    commercial_use: Literal["yes", "no", "conditional", "unknown"] = "unknown"
    vram_gb: Annotated[tuple[Annotated[str, Field(pattern=NUMBER)], ...], Field(max_length=2)] = ()
    vram_note: str = ""
    limits: dict[str, Annotated[_Limit, BeforeValidator(_limit)]] = Field(default_factory=dict)
    defaults: dict[str, JsonValue] = Field(default_factory=dict)
    frames: FramesRow | None = None
    work: WorkRow | None = None
    note: str = ""

    @model_validator(mode="after")
    def _of_their_tasks(self) -> Self:
        for task in (task for task in self.tasks if task in TASKS):
            for table in ("limits", "defaults"):
                for name in getattr(self, table):
                    if name not in TASKS[task].model_fields:
                        raise ValueError(f"{table}: {task} has no field {name!r}")
        return self


class _Model(Table):
    maker: str
    tier: Literal["workhorse", "hero"]
    title: str = ""
    family: str = ""
    checked: Day | None = None
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
            if self.retired or self.equivalents or self.why:
                raise ValueError("retired, equivalents and why are for a status of retired or unavailable")
        elif not self.source:
            raise ValueError("source: say who says so, and when")
        if self.status == "unavailable" and not self.why:
            raise ValueError("why: say what stands in the way")
        return self


class _Card(Table):
    model: _Model
    hosts: tuple[_Host, ...] = ()
    weights: tuple[_Weights, ...] = ()

    @model_validator(mode="after")
    def _known_tasks(self) -> Self:
        for task in [host.task for host in self.hosts] + [task for one in self.weights for task in one.tasks]:
            if task not in TASKS:
                raise ValueError(f"unknown task {task!r}{perhaps(task, TASKS)}")
        return self


class _Rule(Table):
    when: Annotated[dict[str, Annotated[tuple[JsonValue, ...], Field(min_length=1)]], Field(min_length=1)]
    limits: Annotated[dict[str, Annotated[_Limit, BeforeValidator(_limit)]], Field(min_length=1)]


class _Target(Table):
    to: Annotated[str, Field(pattern=r"\S")]
    form: str = Field("", alias="as")
    values: dict[str, JsonValue] | None = None
    listed: StrictBool = False
    times: Literal["fps"] | Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None


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
    only: dict[str, JsonValue] = Field(default_factory=dict)
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
            raise ValueError(f"unknown unit {self.unit!r}{perhaps(self.unit, units())}")
        if self.reported and self.reported.startswith("@file.") and self.reported not in FILE_COUNTS:
            raise ValueError(f"reported: of a file there is {', '.join(FILE_COUNTS)}")
        if self.quantity == UNKNOWN:
            if self.reported is None:
                raise ValueError("quantity: unknown before it is made; say in reported where it is counted")
        elif not self.quantity.startswith("request."):
            try:
                amount = Decimal(self.quantity)
            except InvalidOperation:
                raise ValueError("quantity: write request.<field>, a number as a string, or unknown") from None
            if not amount.is_finite() or amount < 0:
                raise ValueError("quantity: a number from zero up")
        return self


class _Compute(Table):
    gpu: Annotated[str, Field(pattern=r"\S")]
    per: Annotated[str, Field(pattern=r"^(request\.\w+|\d+(\.\d+)?)$")]
    seconds: Annotated[tuple[Annotated[str, Field(pattern=r"^\d+(\.\d+)?$")], ...], Field(min_length=2, max_length=2)]
    source: Annotated[str, Field(pattern=r"\S")]

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if not 0 < Decimal(self.seconds[0]) < Decimal(self.seconds[1]):
            raise ValueError('seconds: write the fewest and the most, which differ, such as ["40", "62"]')
        return self


class _Offer(Table):
    model: str
    weights: str = ""
    endpoint: Annotated[str, Field(pattern=r"^\S+$")]
    task: str
    checked: Day
    status: Literal["announced", "preview", "active", "deprecated", "retired"] = "active"
    announced: Day | None = None
    preview: Day | None = None
    released: Day | None = None
    deprecated: Day | None = None
    retires: Day | None = None
    retires_checked: Day | None = None
    retires_was: tuple[Day, ...] = ()
    successor: str | None = None
    aliases: tuple[str, ...] = ()
    serves: str | None = None
    serves_from: Day | None = None
    unmapped: str = ""
    version: str | None = None
    dialect: str = ""
    limits: dict[str, Annotated[_Limit, BeforeValidator(_limit)]] = Field(default_factory=dict)
    rules: tuple[_Rule, ...] = ()
    defaults: dict[str, JsonValue] = Field(default_factory=dict)
    required: tuple[str, ...] = ()
    fields: dict[str, Annotated[Any, BeforeValidator(_target)]] = Field(default_factory=dict)
    fixed: dict[str, JsonValue] = Field(default_factory=dict)
    template: dict[str, JsonValue] = Field(default_factory=dict)
    outputs: tuple[Annotated[str, Field(pattern=r"^[\w:-]+$")], ...] = ()
    files: _Files | None = None
    meters: tuple[_Meter, ...] | None = None
    compute: _Compute | None = None
    frames: FramesRow | None = None
    facts: dict[str, str] = Field(default_factory=dict)
    refs: dict[str, str] = Field(default_factory=dict)
    inputs: dict[str, _Input] = Field(default_factory=dict)
    regions: tuple[Annotated[str, Field(pattern=r"^[a-z0-9-]+$")], ...] = ()
    source: str = ""
    note: str = ""

    @model_validator(mode="before")
    @classmethod
    def _of_its_weights(cls, row: Any) -> Any:
        return {"model": row["weights"], **row} if isinstance(row, Mapping) and row.get("weights") else row

    @model_validator(mode="after")
    def _known_names(self) -> Self:
        if self.task not in TASKS:
            raise ValueError(f"unknown task {self.task!r}{perhaps(self.task, TASKS)}")
        self._check_life()
        own = frozenset(TASKS[self.task].model_fields)
        for table in ("limits", "defaults", "required", "fields"):
            for name in getattr(self, table):
                if name not in own:
                    raise ValueError(f"{table}: {self.task} has no field {name!r}{perhaps(name, own)}")
        for name in (name for rule in self.rules for name in (*rule.when, *rule.limits)):
            if name not in own:
                raise ValueError(f"rules: {self.task} has no field {name!r}{perhaps(name, own)}")
        for name in self.inputs:
            if name not in own | _KINDS:
                raise ValueError(f"inputs: {self.task} has no field {name!r}{perhaps(name, own | _KINDS)}")
        self._check_quantities(own | QUANTITIES)
        return self

    def _check_quantities(self, known: frozenset[str]) -> None:
        counted = [("meters", meter.quantity) for meter in self.meters or ()]
        counted += [("compute", self.compute.per)] if self.compute else []
        for where, quantity in counted:
            name = quantity.removeprefix("request.")
            if name != quantity and name not in known:
                raise ValueError(f"{where}: {self.task} has no quantity {name!r}{perhaps(name, known)}")

    def _check_life(self) -> None:
        days = [name for name in _LIFE if getattr(self, name) is not None]
        for earlier, later in pairwise(days):
            if getattr(self, earlier) > getattr(self, later):
                raise ValueError(f"{earlier} is after {later}")
        if (self.retires_checked or self.retires_was) and self.retires is None:
            raise ValueError("retires_checked and retires_was are for a day that retires names")
        if self.serves_from and not self.serves:
            raise ValueError("serves: name the model that answers from serves_from on")
        if self.unmapped and (said := [name for name in _MAPPED if getattr(self, name)]):
            raise ValueError(f"{said[0]}: an offer that is unmapped says nothing of how to ask for it")


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
        card = _plain(_Card.read(read_toml(file), source=str(file), lines=lines_in(file)))
        rows.cards[file.stem] = {**card.pop("model"), **card}
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
        yield _plain(_Offer.read(with_graph(top, file), source=str(file), lines=lines_in(file)))
        return
    if "task" in top or not isinstance(tasks, dict) or not tasks:
        raise ConfigurationError(f'{file}: write either task = "…" or one [tasks.<task>] table per task')
    for task, table in tasks.items():
        if not isinstance(table, dict) or "task" in table:
            line = lines_in(file)(("tasks", task))
            said = "this must be a table, without a task of its own"
            raise ConfigurationError(f"{file}: line {line}: tasks.{task}: {said}")
        merged = {**top, **table, "task": task}
        for name in _PER_TASK:
            if isinstance(top.get(name), dict) and isinstance(table.get(name), dict):
                merged[name] = {**top[name], **table[name]}
        lines = lines_in(file, under=("tasks", task))
        yield _plain(_Offer.read(with_graph(merged, file), source=f"{file}: tasks.{task}", lines=lines))


def _plain(table: Table) -> dict[str, Any]:
    return table.model_dump(mode="json", by_alias=True, exclude_defaults=True)


def checked_card(model: str, row: Any, source: str) -> dict[str, Any]:
    """A card's row of an index, checked as its file is; `source` says which row in the error."""
    if not _MODEL_ID.fullmatch(model):
        raise ConfigurationError(f"{source}: a model's id is lower-case letters, digits, '.', '_', '-'")
    beside = _Card.model_fields.keys() - {"model"}
    split = {name: value for name, value in row.items() if name in beside} if isinstance(row, dict) else {}
    rest = {name: value for name, value in row.items() if name not in beside} if isinstance(row, dict) else row
    card = _plain(_Card.read({"model": rest, **split}, source=source, json=True))
    return {**card.pop("model"), **card}


def checked_offer(row: Any, source: str) -> dict[str, Any]:
    """An offer's row of an index, checked as its file is."""
    provider = row.get("provider") if isinstance(row, dict) else None
    if not isinstance(provider, str):
        raise ConfigurationError(f"{source}: provider: this must be the name of one")
    rest = {name: value for name, value in row.items() if name != "provider"}
    return {"provider": provider, **_plain(_Offer.read(rest, source=source, json=True))}
