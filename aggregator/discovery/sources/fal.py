"""fal: the ids with category and status, and the price of each; the dates of retirement are not said.

Read with docs.fal.ai/platform-apis/v1/models and .../pricing (2026-11-21); not compared with a live answer. Words for
units that were seen: image, megapixels, seconds, video, 1000 characters; others are kept as they are, without a unit.
"""

from collections.abc import Iterator, Sequence
from urllib.parse import quote

from aggregator.discovery.found import Found, FoundOffer, FoundPrice
from aggregator.discovery.names import TASKS_BY_CATEGORY
from aggregator.discovery.source import Answer, Source, day, rows, usd

PER_CALL = 50
UNITS = {
    "image": "image",
    "images": "image",
    "megapixel": "megapixel",
    "megapixels": "megapixel",
    "second": "video_second",
    "seconds": "video_second",
    "video": "video",
    "videos": "video",
    "1000 characters": "kilo_character",
    "request": "request",
    "requests": "request",
    "compute seconds": "gpu_second",
}
AUDIO = frozenset({"text-to-audio", "text-to-speech", "audio-to-audio", "speech-to-speech"})


def _ask(wanted: Sequence[str], everything: bool) -> Iterator[str]:  # noqa: FBT001
    if everything:
        yield from (f"/v1/models?limit=100&status={status}" for status in ("active", "deprecated"))
    for start in range(0, len(wanted), PER_CALL):
        chunk = ",".join(quote(one, safe="/") for one in wanted[start : start + PER_CALL])
        if not everything:
            yield f"/v1/models?endpoint_id={chunk}&expand=openapi-3.0"
        yield f"/v1/models/pricing?endpoint_id={chunk}"


def _read(answer: Answer) -> Found:
    if "/pricing" in answer.path:
        prices = [price for row in rows(answer.body, "prices") if (price := _price(row)) is not None]
        return Found("fal", answer.asked, prices=tuple(prices))
    found, left_out = [], []
    for row in rows(answer.body, "models"):
        about = row.get("metadata")
        if not isinstance(row.get("endpoint_id"), str) or not isinstance(about, dict):
            left_out.append(f"{row.get('endpoint_id')!r}: no id or no metadata")
            continue
        category = str(about.get("category") or "")
        tasks = TASKS_BY_CATEGORY.get(category, ())
        status = about.get("status")
        found.append(
            FoundOffer(
                "fal",
                row["endpoint_id"],
                tasks if len(tasks) == 1 else (),
                title=str(about.get("display_name") or ""),
                status="deprecated" if status == "deprecated" else "active" if status == "active" else None,
                released=day(about.get("date")),
                schema=row["openapi"] if isinstance(row.get("openapi"), dict) else None,
                note=f"category {category}" if category else "",
            )
        )
    return Found("fal", answer.asked, tuple(found), left_out=tuple(left_out))


def _price(row: object) -> FoundPrice | None:
    assert isinstance(row, dict)
    amount, word = usd(row.get("unit_price")), str(row.get("unit") or "")
    endpoint = row.get("endpoint_id")
    if not isinstance(endpoint, str) or amount is None or str(row.get("currency", "USD")).upper() != "USD":
        return None
    return FoundPrice("fal", endpoint, UNITS.get(word.lower()), amount, f"{amount} USD per {word or 'unit'}")


def _more(answer: Answer) -> str:
    cursor = answer.body.get("next_cursor") if isinstance(answer.body, dict) and answer.body.get("has_more") else None
    return f"{answer.path.partition('&cursor=')[0]}&cursor={quote(str(cursor), safe='')}" if cursor else ""


SOURCE = Source(
    name="fal",
    title="fal's list of models",
    docs="https://docs.fal.ai/platform-apis/v1/models",
    checked="2026-11-21",
    read=_read,
    ask=_ask,
    more=_more,
    provider="fal",
    host="api",
    whole=("fal",),
)
