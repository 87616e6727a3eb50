"""OpenRouter: what its models take, typed, and what they cost; ends are not said.

Read with openrouter.ai/docs (video generation; 2026-11-20) and PyPI openrouter 1.3.84 (`VideoModel`, `ImageModel`). Of
`pricing_skus` only `per-video-second[-<resolution>]` is documented; `duration_seconds…` and `cents_per_second_output`
were seen in public clients. Any other is kept as it is said, without a unit. Not compared with a live answer.
"""

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from aggregator.discovery.found import Found, FoundOffer, FoundPrice
from aggregator.discovery.source import Answer, Source, day_of_seconds, rows, usd, words

_SECOND = re.compile(
    r"(?:per[-_]video[-_]second|duration_seconds)(?:[-_](with|without)[-_]audio)?(?:[-_](\d{3,4}p|[1-9]k))?",
    re.IGNORECASE,
)
_CENTS = re.compile(r"cents_per_(?:video_)?second_output(?:_(\d{3,4}p|[1-9]k))?", re.IGNORECASE)
_LISTS = ("/videos/models", "/images/models", "/models?output_modalities=speech")


def _ask(_wanted: Sequence[str], _everything: bool) -> Sequence[str]:  # noqa: FBT001
    return _LISTS


def _read(answer: Answer) -> Found:
    offers, prices = [], []
    for row in rows(answer.body, "data"):
        endpoint = row["id"]
        offers.append(
            FoundOffer(
                "openrouter",
                str(endpoint),
                _tasks(answer.path, row),
                title=str(row.get("name") or ""),
                status="active",
                released=day_of_seconds(row.get("created")),
                schema=dict(row),
            )
        )
        skus = row.get("pricing_skus")
        if isinstance(skus, Mapping):
            prices += [price for sku, value in skus.items() if (price := _price(str(endpoint), sku, value)) is not None]
    return Found("openrouter", answer.asked, tuple(offers), tuple(prices))


def _tasks(path: str, row: Mapping[str, Any]) -> tuple[str, ...]:
    if path.startswith("/videos"):
        frames = words(row.get("supported_frame_images"))
        return ("text-to-video", "image-to-video") if "first_frame" in frames else ("text-to-video",)
    if path.startswith("/images"):
        shape = row.get("architecture")
        taken = words(shape.get("input_modalities")) if isinstance(shape, Mapping) else ()
        return ("text-to-image", "image-to-image") if "image" in taken else ("text-to-image",)
    return ("text-to-speech",)


def _price(endpoint: str, sku: str, value: Any) -> FoundPrice | None:
    amount = usd(value)
    if amount is None:
        return None
    said = f"{sku}: {amount}"
    if match := _SECOND.fullmatch(sku):
        when = {"audio": (match[1].lower() == "with",)} if match[1] else {}
        when |= {"resolution": (match[2].lower(),)} if match[2] else {}
        return FoundPrice("openrouter", endpoint, "video_second", amount, said, when)
    if match := _CENTS.fullmatch(sku):
        when = {"resolution": (match[1].lower(),)} if match[1] else {}
        return FoundPrice("openrouter", endpoint, "video_second", amount / Decimal(100), said, when)
    return FoundPrice("openrouter", endpoint, None, amount, said)


SOURCE = Source(
    name="openrouter",
    title="OpenRouter's lists of models",
    docs="https://openrouter.ai/docs/features/multimodal/video-generation",
    checked="2026-11-20",
    read=_read,
    ask=_ask,
    provider="openrouter",
    needs_key=False,
    whole=("openrouter",),
)
