"""Offers that people wrote, held against what an import makes of the same endpoint."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from aggregator.discovery.documents import document_of
from aggregator.registry.load import bundled_rows

from .documents import fal_facts, fal_offer

Difference = tuple[Any, Any]
"""What the import makes, and what is written."""


def compared_offers() -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every hand-written offer of fal's whose schema we have."""
    for (provider, endpoint, task), row in bundled_rows().offers.items():
        facts = fal_facts().get(endpoint)
        if provider == "fal" and facts is not None and facts["task"] == task and not row.get("unmapped"):
            yield endpoint, row


def differences(row: Mapping[str, Any]) -> dict[str, Difference]:
    """Where the two say something else, by the place in the file. What only a person can know is left out: prices,
    rules beside other values, notes; and defaults, of which the schemas we have may be a sibling's.
    """
    row = _table_or_list(row)
    made = _table_or_list(document_of(fal_offer(row["endpoint"])).map(row["task"], {}).row)
    found: dict[str, Difference] = {}
    for table in ("fields", "limits", "fixed"):
        one, other = made.get(table, {}), row.get(table, {})
        for name in sorted({*one, *other}):
            pair = (_plain(table, one.get(name)), _plain(table, other.get(name)))
            if pair[0] != pair[1]:
                found[f"{table}.{name}"] = pair
    pairs = {
        "required": (sorted(made.get("required", ())), sorted(row.get("required", ()))),
        "files.path": (made.get("files", {}).get("path"), row.get("files", {}).get("path")),
        "files.blocked": (made.get("files", {}).get("blocked"), row.get("files", {}).get("blocked")),
    }
    return found | {place: pair for place, pair in pairs.items() if pair[0] != pair[1]}


def _plain(table: str, value: Any) -> Any:
    """Lists in any order, and numbers as numbers."""
    if table == "limits" and isinstance(value, list):
        value = {"values": value}
    if table == "limits" and isinstance(value, dict):
        return {name: sorted(map(str, item)) if isinstance(item, list) else float(item) for name, item in value.items()}
    if table == "fields" and isinstance(value, dict) and "values" in value:
        return {**value, "values": dict(sorted(value["values"].items()))}
    return value


def _table_or_list(row: Mapping[str, Any]) -> dict[str, Any]:
    """A table of the same words on both sides is a list of them: two ways to write one thing."""
    fields, limits = dict(row.get("fields", {})), dict(row.get("limits", {}))
    for name, target in fields.items():
        table = target.get("values") if isinstance(target, dict) else None
        if table and all(word == value for word, value in table.items()):
            fields[name] = target["to"]
            limits.setdefault(name, list(table))
    return {**row, "fields": fields, "limits": limits}


def _offered(value: Any) -> bool:
    return isinstance(value, dict) and "values" in value


Rule = tuple[str, Callable[[str, Any, Any], bool]]
REASONS: tuple[Rule, ...] = (
    (
        "a range that the type map does not hold: it is on the page of the model",
        lambda place, made, written: place.startswith("limits.") and made is None and written is not None,
    ),
    (
        "whole seconds, which the type map calls numbers",
        lambda place, made, written: place == "limits.duration_s" and written == {**(made or {}), "multiple_of": 1.0},
    ),
    (
        "sizes of the maker's own, from its documentation",
        lambda place, made, written: place in ("fields.aspect_ratio", "limits.size"),
    ),
    (
        "a choice between variants or modes that only a person can make",
        lambda place, made, written: place.startswith("fixed.") and made is None,
    ),
    (
        "without it the model makes something else, though its schema lets it be left out",
        lambda place, made, written: place == "required" and set(made) < set(written),
    ),
    (
        "at least one reference, which the type map does not say",
        lambda place, made, written: place == "limits.references" and written == {**(made or {}), "min": 1.0},
    ),
    ("a person left it out", lambda place, made, written: written is None),
    (
        "a person wrote fewer values, or those of the page of the model",
        lambda place, made, written: place.startswith(("limits.", "fields.")) and _offered(written),
    ),
    (
        "a person knew a field by its description",
        lambda place, made, written: made is None and place.startswith("fields."),
    ),
    (
        "the type map does not say what is in the list of outputs",
        lambda place, made, written: place == "files.path" and made is None,
    ),
    (
        "the type map quotes a number that is sent as one",
        lambda place, made, written: isinstance(made, dict) and made.get("to") == written,
    ),
)
"""Why an import and a person write something else; what is none of these is a fault."""


def reason_of(place: str, made: Any, written: Any) -> str | None:
    return next((reason for reason, holds in REASONS if holds(place, made, written)), None)
