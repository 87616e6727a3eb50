"""litellm's public price file: media prices with their sources, and days of deprecation. Slow to remove, and some of
its units are wrong (Stability's edits, by ten): the least trusted source of prices, and none of life or death.

Read with BerriAI/litellm 1.109.1, `model_prices_and_context_window.json`.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from aggregator.discovery.found import Found, FoundOffer, FoundPrice
from aggregator.discovery.listed import these
from aggregator.discovery.source import Answer, Source, day, usd

PROVIDERS = {
    "fal_ai": "fal",
    "black_forest_labs": "bfl",
    "runwayml": "runway",
    "together_ai": "together",
    "vertex_ai": "vertex",
    **{
        name: name
        for name in (
            *("openai", "gemini", "stability", "recraft", "elevenlabs", "deepgram", "replicate", "openrouter", "xai"),
            *("minimax", "ideogram", "dashscope"),
        )
    },
}
UNITS = {
    "output_cost_per_image": "image",
    "output_cost_per_second": "video_second",
    "output_cost_per_video_per_second": "video_second",
    "input_cost_per_character": "character",
}
STABILITY = {
    **{name: f"edit/{name}" for name in ("inpaint", "outpaint", "erase", "search-and-replace", "search-and-recolor")},
    **{name: f"edit/{name}" for name in ("remove-background", "replace-background-and-relight")},
    **{name: f"control/{name}" for name in ("sketch", "structure", "style", "style-transfer")},
    **{name: f"upscale/{name}" for name in ("fast", "conservative", "creative")},
    "stable-image-ultra": "generate/ultra",
    "stable-image-core": "generate/core",
}
"""Its names of Stability's endpoints."""
MODES = frozenset({"image_generation", "image_edit", "video_generation", "audio_speech"})


def _read(answer: Answer) -> Found:
    if not isinstance(answer.body, Mapping) or len(answer.body) < 100:  # noqa: PLR2004
        raise TypeError("no table of models")
    offers: list[FoundOffer] = []
    prices: list[FoundPrice] = []
    for key, row in answer.body.items():
        if not isinstance(row, Mapping) or row.get("mode") not in MODES:
            continue
        named = str(row.get("litellm_provider") or "")
        provider = PROVIDERS.get(named.partition("-")[0] if named.startswith("vertex_ai") else named)
        if provider is None:
            continue
        endpoint = str(key).removeprefix(f"{named}/")
        endpoint = STABILITY.get(endpoint, endpoint) if provider == "stability" else endpoint
        if (ends := day(row.get("deprecation_date"))) is not None:
            offers.append(FoundOffer(provider, endpoint, retires=ends))
        prices += _prices(provider, endpoint, row)
    return Found("litellm", answer.asked, tuple(offers), tuple(prices))


def _prices(provider: str, endpoint: str, row: Mapping[str, Any]) -> Iterator[FoundPrice]:
    for name, unit in UNITS.items():
        amount = usd(row.get(name))
        if amount:  # nought stands for what is billed in another unit
            yield FoundPrice(provider, endpoint, unit, amount, f"{name} {amount}")


SOURCE = Source(
    name="litellm",
    title="litellm's price file",
    docs="https://github.com/BerriAI/litellm/blob/main/model_prices_and_context_window.json",
    checked="2026-11-20",
    read=_read,
    ask=these("/BerriAI/litellm/main/model_prices_and_context_window.json"),
    base_url="https://raw.githubusercontent.com",
    needs_key=False,
)
