"""How an offer row's mapping is laid over its provider's: where words of TOML become words of the contract."""

from collections.abc import Callable, Mapping
from typing import Any

from aggregator.contract import Endpoint, Files, Meter, To

__all__ = ["QUANTITIES", "Mappings", "merge"]

Mappings = Callable[[str, str], Endpoint | None]
"""Provider name and task to the provider's own mapping of that task."""

QUANTITIES = frozenset({"characters", "height", "kilo_characters", "megapixels", "megapixels_rounded", "width"})
"""What a meter's `request.<name>` may name beside the task's own fields; `aggregator.pricing.known` works them out."""


def merge(base: Endpoint | None, row: Mapping[str, Any]) -> Endpoint:
    """Lay a row over the provider's mapping: `fields`, `fixed` and `facts` key by key, `files` and `meters` as a whole.

    A field that the row sets to `false` is taken out: this endpoint does not have it.
    """
    base = base or Endpoint()
    fields = dict(base.fields)
    for name, target in row.get("fields", {}).items():
        if target is False:
            fields.pop(name, None)
        else:
            fields[name] = _target(target)
    return Endpoint(
        fields=fields,
        fixed={**base.fixed, **row.get("fixed", {})},
        files=Files(**row["files"]) if "files" in row else base.files,
        meters=tuple(Meter(**meter) for meter in row["meters"]) if "meters" in row else base.meters,
        facts={**base.facts, **row.get("facts", {})},
    )


def _target(target: str | Mapping[str, Any]) -> str | To:
    if isinstance(target, str):
        return target
    return To(
        target["to"], form=target.get("as", ""), values=target.get("values"), listed=bool(target.get("listed", False))
    )
