"""How an offer row's mapping is laid over its provider's: where words of TOML become words of the contract."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from aggregator.contract import BUILD, Blocked, Endpoint, Files, Input, Meter, Provider, To
from aggregator.errors import ConfigurationError

__all__ = ["QUANTITIES", "Mappings", "complete", "mappings_of", "merge"]

Mappings = Callable[[str, str, str], Endpoint | None]
"""Provider, task and dialect to the provider's own mapping, in the dialect that its table speaks there (one task of a
server may be spoken in another one than the rest); `None` where there is no such provider."""

QUANTITIES = frozenset(
    {
        "characters",
        "height",
        "input_audio_seconds",
        "input_frames",
        "input_images",
        "input_megapixels",
        "input_video_seconds",
        "kilo_characters",
        "megapixels",
        "megapixels_rounded",
        "width",
    }
)
"""What a meter's `request.<name>` may name beside the task's own fields; `aggregator.pricing.known` works them out."""


def mappings_of(tables: Mapping[str, Provider]) -> Mappings:
    """The mappings of these tables, as `Registry` asks for them."""

    def mapping_of(name: str, task: str, dialect: str) -> Endpoint | None:
        provider = tables.get(name)
        if provider is None:
            return None
        if dialect and dialect not in provider.dialects:
            known = ", ".join(provider.dialects) or "none"
            raise ConfigurationError(f"{name} has no dialect {dialect!r}; it has {known}")
        own = provider.tasks.get(f"{task}@{dialect}") if dialect else None
        leads_on = own is not None and own.dialect in provider.dialects
        found = own or provider.endpoint(task) or Endpoint()
        return found if leads_on or not dialect else replace(found, dialect=dialect)

    return mapping_of


def merge(base: Endpoint | None, row: Mapping[str, Any]) -> Endpoint:
    """Lay a row over the provider's mapping: `fields`, `fixed`, `facts`, `refs` and `inputs` key by key, `files` and
    `meters` as a whole. What a row cannot say (`submit`, `build`, `encoding`) stays as the provider has it.

    A field that the row sets to `false` is taken out: this endpoint does not have it.
    """
    base = base or _NOTHING
    if _LAID_OVER.isdisjoint(row):
        return base
    fields = base.fields
    if "fields" in row:
        fields = {name: target for name, target in fields.items() if row["fields"].get(name) is not False}
        fields |= {name: _target(target) for name, target in row["fields"].items() if target is not False}
    return Endpoint(  # not `replace`: a thousand of these are made while a process waits for its catalogue
        fields=fields,
        fixed=_over(base.fixed, row.get("fixed")),
        build=base.build,
        files=_collected(_files(row["files"]) if "files" in row else base.files, row.get("outputs", ())),
        meters=_meters(row["meters"]) if "meters" in row else base.meters,
        facts=_over(base.facts, row.get("facts")),
        refs=_over(base.refs, row.get("refs")),
        submit=base.submit,
        encoding=base.encoding,
        inputs=_over(base.inputs, {name: _input(words) for name, words in row.get("inputs", {}).items()}),
        dialect=base.dialect or row.get("dialect", ""),
        template=row.get("template", base.template),
    )


_NOTHING = Endpoint()
_LAID_OVER = frozenset(
    {"fields", "fixed", "files", "meters", "facts", "refs", "inputs", "outputs", "dialect", "template"}
)


def _meters(rows: Sequence[Mapping[str, Any]]) -> tuple[Meter, ...]:
    return tuple(Meter(row["unit"], row["quantity"], row.get("reported")) for row in rows)


def _over(base: Mapping[str, Any], row: Mapping[str, Any] | None) -> Mapping[str, Any]:
    return {**base, **row} if row else base


def complete(row: Mapping[str, Any], mappings: Mappings) -> None:
    """Check what neither a row nor a table can know alone.

    Raises:
        ConfigurationError: The dialect is unknown, a field has nobody to write it, or nothing says where the files are.
    """
    base = mappings(row["provider"], row["task"], row.get("dialect", ""))
    if base is None:  # a row for a provider that is not here is never used
        return
    merged = merge(base, row)
    built = [name for name, to in merged.fields.items() if (to.path if isinstance(to, To) else to) == BUILD]
    if built and merged.build is None:
        raise ConfigurationError(f"fields.{built[0]}: {row['provider']} has no build for {row['task']}")
    if merged.files is None:
        raise ConfigurationError(f"files: neither this row nor {row['provider']} says where the files are")


def _target(target: str | Mapping[str, Any]) -> str | To:
    if isinstance(target, str):
        return target
    return To(
        target["to"],
        form=target.get("as", ""),
        values=target.get("values"),
        listed=bool(target.get("listed", False)),
        times=target.get("times", 0.0),
    )


def _files(words: Mapping[str, Any]) -> Files:
    blocked = words.get("blocked")
    found = None if blocked is None else Blocked(blocked["path"], tuple(blocked.get("values", ())))
    return Files(**{**words, "blocked": found})


def _collected(files: Files | None, outputs: Sequence[str]) -> Files | None:
    """The files of these outputs alone, each in the place of the `*` that stands for all of them."""
    if files is None or not outputs:
        return files
    return replace(files, path=" ".join(path.replace("*", one, 1) for one in outputs for path in files.path.split()))


def _input(words: Mapping[str, Any]) -> Input:
    given: dict[str, Any] = {name: tuple(words[name]) for name in ("accepts", "mime_types") if name in words}
    if "max_bytes" in words:
        given["max_bytes"] = words["max_bytes"] or None  # TOML has no null
    return Input(**given)
