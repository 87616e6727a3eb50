"""What a feed may say, and no more: models, ways to ask for them, readings and prices. It moves no request.

Every row is checked as a file's is. On top of that, nothing in it may choose another host, a header, or a place where
an answer goes: a feed is read by a running process, with keys that pay.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aggregator.contract import BUILD, Call, Endpoint, Provider, To
from aggregator.errors import ConfigurationError, FeedError
from aggregator.pricing.rows import check_rates
from aggregator.registry.boards import checked_board
from aggregator.registry.mapping import mappings_of
from aggregator.registry.rows import Rows, check_mappings, check_references
from aggregator.registry.schema import checked_card, checked_offer

__all__ = ["Catalogue", "check"]

MAX_TEXT = 4_000
"""Characters of any one text."""
_PIECE = r"[A-Za-z0-9_][A-Za-z0-9_.-]*"
_SEGMENT = re.compile(_PIECE)
_ENDPOINT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@:-]*(/[A-Za-z0-9_][A-Za-z0-9_.@:-]*)*")
"""What stands for `{endpoint}` in a provider's template, behind its host and a `/`: no scheme, `..`, `//` or query."""
_NAMES = re.compile(r"\{\w+\}")
_FORM = re.compile(r"[\w:. x/-]*(\{(:[0-9.]{0,4}[dfg]?)?\}[\w:. x/-]*)+")
_URL_PATH = re.compile(rf"(/|\{{(?P<host>\w+)\}}/)({_PIECE}|\{{\w+\}})([/:]({_PIECE}|\{{\w+\}}))*")
_LEADS_AWAY = re.compile(
    r"webhook|callback|notif|redirect|proxy|bucket|upload|storage|authori[sz]ation|credential|secret|password|api_?key",
    re.IGNORECASE,
)
"""Names of parameters that say where an answer goes, or who pays."""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Checked rows of a whole catalogue, and what of it is of no use here."""

    rows: Rows
    rates: Mapping[str, Sequence[Mapping[str, Any]]]
    left_out: tuple[str, ...] = ()


def check(said: Mapping[str, Any], tables: Mapping[str, Provider], *, source: str) -> Catalogue:
    """Check what a bundle says, against the tables of the providers that there are.

    Offers and rates of a provider that has no table here are left out: a newer version of the package may have it.

    Raises:
        FeedError: It says what it may not say: names the row and the reason. Nothing of it counts.

    """
    try:
        _check_texts(said, source)
        rows = _rows(said)
        check_references(rows)
        known = Rows(rows.cards, {key: row for key, row in rows.offers.items() if key[0] in tables}, rows.boards)
        check_mappings(known, mappings_of(tables))
        for row in known.offers.values():
            _check_offer(row, tables[row["provider"]])
        rates = {
            provider: check_rates(provider, listed, f"rates.{provider}")
            for provider, listed in said["rates"].items()
            if provider in tables
        }
    except ConfigurationError as error:
        raise FeedError(f"{source}: {error}", reason="content") from None
    unknown = sorted({*(key[0] for key in rows.offers), *said["rates"]} - set(tables))
    return Catalogue(known, rates, tuple(f"{name}: there is no provider of this name here" for name in unknown))


def _rows(said: Mapping[str, Any]) -> Rows:
    rows = Rows()
    for model, row in said["cards"].items():
        rows.cards[model] = checked_card(model, row, f"cards.{model}")
    for task, listed in said["offers"].items():
        if not isinstance(listed, list):
            raise ConfigurationError(f"offers.{task}: this must be a list")
        for index, given in enumerate(listed):
            row = checked_offer(given, f"offers.{task}.{index}")
            key = (row["provider"], row["endpoint"], row["task"])
            if row["task"] != task or key in rows.offers:
                raise ConfigurationError(
                    f"offers.{task}.{index}: {':'.join(key[:2])} for {key[2]} stands there already, or elsewhere"
                )
            rows.offers[key] = row
    for board, row in said["boards"].items():
        rows.boards[board] = checked_board(row, f"boards.{board}")
    return rows


def _check_texts(value: Any, where: str, *, lines: bool = False) -> None:
    """No text may hold what moves a terminal's cursor or turns its writing round, nor be endless; one of a template may
    have lines.
    """
    if isinstance(value, str):
        shown = "".join(value.split("\n")) if lines else value
        if not shown.isprintable() or len(value) > MAX_TEXT:
            raise ConfigurationError(f"{where}: a text with control characters, or of more than {MAX_TEXT} characters")
    elif isinstance(value, dict):
        for name, item in value.items():
            _check_texts(name, where)
            inside = lines or name == "template"
            _check_texts(item, f"{where}.{name}" if len(where) < MAX_TEXT else where, lines=inside)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            _check_texts(item, f"{where}.{index}" if isinstance(item, dict | list) else where, lines=lines)


def _check_offer(row: Mapping[str, Any], provider: Provider) -> None:
    where = f"{row['provider']}:{row['endpoint']} for {row['task']}"
    for name in ("endpoint", "version"):
        if name in row and not _ENDPOINT.fullmatch(row[name]):
            raise ConfigurationError(
                f"{where}: {name}: it is written into an address: letters, digits and . _ @ : - between /"
            )
    if row.get("unmapped"):
        return
    spoken = provider.spoken(row.get("dialect", ""))
    own = spoken.endpoint(row["task"], row.get("dialect", "")) or Endpoint()
    targets = _Targets(spoken, own)
    for name, target in row.get("fields", {}).items():
        if target is not False:
            _check_field(targets, target, f"{where}: fields.{name}")
    for path, value in row.get("fixed", {}).items():
        _check_sent(targets, path, value, f"{where}: fixed.{path}")
    _check_template_body(targets, spoken.input_path, row.get("template", {}), f"{where}: template")
    if (url := row.get("files", {}).get("url")) is not None:
        found = _URL_PATH.fullmatch(url)
        if not found or found["host"] not in (None, *spoken.hosts, *spoken.cdns):
            raise ConfigurationError(f"{where}: files.url: a path, or a path after one of the provider's own addresses")
    for name, ref in row.get("refs", {}).items():
        _check_template(ref, f"{where}: refs.{name}")


def _check_field(targets: "_Targets", target: Any, where: str) -> None:
    if isinstance(target, str):
        targets.check(target, where)
        return
    targets.check(target["to"], where)
    form = target.get("as", "")
    if form and (not _FORM.fullmatch(form) or "//" in form or target["to"].startswith("@")):
        raise ConfigurationError(f"{where}: as: a format such as '{{:g}}s', with nothing else in its braces")
    for word, value in (target.get("values") or {}).items():
        _check_sent(targets, target["to"], value, f"{where}: values.{word}")


def _check_template_body(targets: "_Targets", inside: str, body: Mapping[str, Any], where: str) -> None:
    """What a body begins with: no address anywhere, and beside the fields' own place nothing that leads away."""
    for name, value in body.items():
        for place in () if inside and name == inside else (name, *_places(name, value)):
            targets.check(place, f"{where}.{name}")
        if any("//" in text for text in _texts(value)):
            raise ConfigurationError(f"{where}.{name}: an address: a feed may not say where anything goes")


def _check_sent(targets: "_Targets", path: str, value: Any, where: str) -> None:
    """A value that goes into a request: no address, and in a URL nothing that bends it."""
    for place in (path, *_places("" if path == BUILD else path, value)):
        targets.check(place, where)
    for text in _texts(value):
        if "//" in text:
            raise ConfigurationError(f"{where}: an address: a feed may not say where anything goes")
        _check_template(text, where)
        if path.startswith("@") and path != BUILD and not _SEGMENT.fullmatch(text):
            raise ConfigurationError(f"{where}: it is written into an address: letters, digits and . _ -")


def _check_template(text: str, where: str) -> None:
    if set(_NAMES.sub("", text)) & set("{}"):
        raise ConfigurationError(f"{where}: braces hold one name and nothing else")


def _places(path: str, value: Any) -> Iterator[str]:
    """Every place inside a value that is written to a path."""
    for name, item in value.items() if isinstance(value, dict) else ():
        yield f"{path}.{name}"
        yield from _places(f"{path}.{name}", item)
    for item in value if isinstance(value, list) else ():
        yield from _places(path, item)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)


class _Targets:
    """Where in a request of one endpoint a feed may write."""

    def __init__(self, provider: Provider, own: Endpoint) -> None:
        call = own.submit or provider.submit
        self._url = call.url if isinstance(call, Call) else ""
        said = (to.path if isinstance(to, To) else to for to in own.fields.values())
        self._own = {*_parts(said), *own.fixed}
        self._below = f"{provider.input_path}." if provider.input_path else ""
        hook = provider.webhook
        self._closed = {
            path for path in (hook.ask if hook else "", hook.ask_key if hook else "", provider.reference) if path
        }

    def check(self, path: str, where: str) -> None:
        for part in path.split():
            if part == BUILD or part in self._own:
                continue
            if part.startswith("@"):
                name = part.removeprefix("@path.")
                if name == part or f"{{{name}}}" not in self._url:
                    raise ConfigurationError(
                        f"{where}: {part}: a feed may not write headers, queries or other parts of an address"
                    )
                continue
            if _LEADS_AWAY.search(part):
                raise ConfigurationError(f"{where}: {part}: a feed may not say where an answer goes, or who pays")
            for closed in self._closed:
                if any(_meet(full, closed) for full in (part, self._below + part)):
                    raise ConfigurationError(f"{where}: {part}: {closed} is written by the client alone")


def _parts(paths: Iterable[str]) -> Iterator[str]:
    return (part for path in paths for part in path.split())


def _meet(one: str, other: str) -> bool:
    return one == other or one.startswith(other + ".") or other.startswith(one + ".")
