"""What an endpoint publishes about itself, as rows: fal's OpenAPI, Replicate's schema, OpenRouter's lists. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import JsonValue

from aggregator.discovery import values
from aggregator.discovery.found import FoundOffer
from aggregator.discovery.mapper import LeftOut, Mapped, map_schema, tasks_that_fit
from aggregator.discovery.names import TASKS_BY_CATEGORY
from aggregator.discovery.slots import Slot, slots
from aggregator.discovery.source import words
from aggregator.tasks import TASKS

__all__ = ["PUBLISHERS", "Document", "document_of"]

PUBLISHERS = ("fal", "openrouter", "replicate")
"""The providers whose endpoints can be imported: those that publish what each takes."""

Fixed = Mapping[str, JsonValue]


@dataclass(frozen=True, slots=True)
class Document:
    """What an endpoint says it takes, and how that becomes a row."""

    tasks: tuple[str, ...]
    """What it can be used for, as far as its category and its schema say."""
    map: Callable[[str, Fixed], Mapped]
    row: Mapping[str, Any] = field(default_factory=dict)
    """What the row has for every task: `dialect`, `version`."""
    source: str = ""
    notes: tuple[str, ...] = ()


def document_of(offer: FoundOffer) -> Document:
    """Read what a source found of an endpoint.

    Raises:
        ValueError: It publishes nothing, or in another form.

    """
    if offer.schema is None:
        raise ValueError(
            f"{offer.provider}:{offer.endpoint} publishes no schema{f' ({offer.note})' * bool(offer.note)}"
        )
    try:
        return _READERS[offer.provider](offer, offer.schema)
    except (LookupError, TypeError, AttributeError) as error:
        raise ValueError(f"{offer.provider}:{offer.endpoint}: a schema of another form ({error!r:.80})") from None


def _document(
    inputs: Mapping[str, Slot], outputs: Mapping[str, Slot], possible: Sequence[str], **rest: Any
) -> Document:
    if not inputs:
        raise TypeError("no properties")
    fitting = tasks_that_fit(inputs, outputs, tuple(possible))
    return Document(fitting, lambda task, fixed: map_schema(inputs, outputs, task, fixed=fixed), **rest)


def _fal(offer: FoundOffer, schema: Mapping[str, Any]) -> Document:
    """The body of the POST at its own path, and the answer to the GET of its result."""
    paths = schema["paths"]
    asked = paths[f"/{offer.endpoint}"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    result = paths.get(f"/{offer.endpoint}/requests/{{request_id}}", {}).get("get", {}).get("responses", {})
    answer = result.get("200", {}).get("content", {}).get("application/json", {}).get("schema", {})
    about = schema.get("info", {}).get("x-fal-metadata", {})
    category = str(about.get("category") or offer.note.removeprefix("category "))
    return _document(
        slots(asked, schema),
        slots(answer, schema),
        TASKS_BY_CATEGORY.get(category, tuple(TASKS)),
        source=f"fal's OpenAPI document of {offer.endpoint}",
    )


def _replicate(offer: FoundOffer, found: Mapping[str, Any]) -> Document:
    """The newest version's `Input`; where its files are is the table's own knowledge, but for named outputs."""
    schema = found["openapi_schema"]
    schemas = schema["components"]["schemas"]
    outputs = slots(schemas.get("Output", {}), schema, above="output.")
    version = str(found.get("version") or "")
    return _document(
        slots(schemas["Input"], schema),
        outputs,
        tuple(TASKS),
        source=f"Replicate's schema of {offer.endpoint}, version {version[:8]}",
        notes=("Models that Replicate does not keep running itself are ordered by version: --by-version",),
        row={"version": version} if version else {},
    )


def _openrouter(offer: FoundOffer, row: Mapping[str, Any]) -> Document:
    """The fields are the table's own; what a model takes of them is said by name and type."""
    read: Callable[[Mapping[str, Any], str, Fixed], Mapped] = _clip
    if offer.tasks == ("text-to-speech",):
        read = _nothing
    elif "supported_parameters" in row and "supported_durations" not in row:
        read = _typed
    return Document(offer.tasks, lambda task, fixed: read(row, task, fixed), source="OpenRouter's list of models")


def _clip(row: Mapping[str, Any], task: str, fixed: Fixed) -> Mapped:
    """A video model: lists of what each parameter takes; an empty list is a parameter it does not have."""
    limits: dict[str, Any] = {}
    fields: dict[str, Any] = {}
    for name, listed in (
        ("duration_s", "supported_durations"),
        ("resolution", "supported_resolutions"),
        ("aspect_ratio", "supported_aspect_ratios"),
        ("size", "supported_sizes"),
    ):
        said = row.get(listed)
        taken = _limit(name, said) if isinstance(said, list) else None
        if taken:
            limits[name] = taken
        elif said is not None:
            fields[name] = False
    for name, flag in (("audio", "generate_audio"), ("seed", "seed")):
        if row.get(flag) is False:
            fields[name] = False
    if "last_frame" not in words(row.get("supported_frame_images")) and task == "image-to-video":
        fields["last_image"] = False
    return _listed(task, limits, fields, fixed, words(row.get("allowed_passthrough_parameters")))


def _typed(row: Mapping[str, Any], task: str, fixed: Fixed) -> Mapped:
    """A picture model: a description of each parameter it takes, by type."""
    said = row["supported_parameters"]
    names = {"resolution": "resolution", "aspect_ratio": "aspect_ratio", "format": "output_format", "seed": "seed"}
    names |= {"size": "size", "references": "input_references"}
    limits: dict[str, Any] = {}
    fields: dict[str, Any] = {}
    for name, theirs in names.items():
        about = said.get(theirs)
        if not isinstance(about, Mapping):
            if name != "references" or task == "text-to-image":
                fields[name] = False
        elif about.get("type") == "enum" and (taken := _limit(name, list(about["values"]))):
            limits[name] = taken
        elif about.get("type") == "range" and name == "references":
            limits[name] = {"max": about["max"]}
    return _listed(task, limits, fields, fixed, ())


def _nothing(_row: Mapping[str, Any], task: str, fixed: Fixed) -> Mapped:
    """A speech model: its voices and formats are not said."""
    return _listed(task, {}, {}, fixed, ("voice: which ones there are is not said",))


def _limit(name: str, said: list[Any]) -> Any:
    """What a list of theirs allows, in our words; what is not one of ours is not offered."""
    written = values.writer_of("text-to-image" if name == "format" else "text-to-video", name)(
        Slot(name, frozenset({"string"}), tuple(said), is_open=False)
        if not all(isinstance(value, int) for value in said)
        else Slot(name, frozenset({"integer"}), tuple(said), is_open=False),
        {},
    )
    if isinstance(written, str):
        return None
    target = written.target
    return list(target["values"]) if isinstance(target, dict) and "values" in target else written.limit


def _listed(task: str, limits: dict[str, Any], fields: dict[str, Any], fixed: Fixed, further: Sequence[str]) -> Mapped:
    row = {"limits": limits, "fields": fields, **({"fixed": dict(fixed)} if fixed else {})}
    left_out = tuple(LeftOut(name, "passed through to the host", None) for name in further)
    return Mapped(task, {name: value for name, value in row.items() if value}, left_out)


_READERS: Mapping[str, Callable[[FoundOffer, Mapping[str, Any]], Document]] = {
    "fal": _fal,
    "openrouter": _openrouter,
    "replicate": _replicate,
}
