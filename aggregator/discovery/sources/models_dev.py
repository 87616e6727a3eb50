"""models.dev: when models appeared, and whether they are deprecated; media units are not in its prices.

Read with models.dev/api.json (providers, each with models by id: `release_date`, `modalities`, `status`); not compared
with a live answer.
"""

from collections.abc import Mapping

from aggregator.discovery.found import Found, FoundOffer
from aggregator.discovery.listed import these
from aggregator.discovery.source import Answer, Source, day, words

PROVIDERS = {
    "google": "gemini",
    "google-vertex": "vertex",
    "togetherai": "together",
    "alibaba": "dashscope",
    **{name: name for name in ("openai", "xai", "elevenlabs", "openrouter", "recraft", "stability", "minimax")},
}
MEDIA = frozenset({"image", "video", "audio"})


def _read(answer: Answer) -> Found:
    if not any(isinstance(one, Mapping) and "models" in one for one in answer.body.values()):
        raise TypeError("no providers with models")
    offers = []
    for name, one in answer.body.items():
        provider = PROVIDERS.get(str(name))
        models = one.get("models") if isinstance(one, Mapping) else None
        for endpoint, row in models.items() if provider and isinstance(models, Mapping) else ():
            makes = row.get("modalities") if isinstance(row, Mapping) else None
            if not isinstance(makes, Mapping) or not MEDIA & set(words(makes.get("output"))):
                continue
            status = row.get("status")
            offers.append(
                FoundOffer(
                    str(provider),
                    str(endpoint),
                    title=str(row.get("name") or ""),
                    status="deprecated"
                    if status == "deprecated"
                    else "preview"
                    if status in ("alpha", "beta")
                    else None,
                    released=day(row.get("release_date")),
                )
            )
    return Found("models.dev", answer.asked, tuple(offers))


SOURCE = Source(
    name="models.dev",
    title="models.dev",
    docs="https://models.dev",
    checked="2026-11-20",
    read=_read,
    ask=these("/api.json"),
    base_url="https://models.dev",
    needs_key=False,
)
