"""Runware: which models of which makers it serves, for which kind of work. It is no provider of ours: a sign of life of
its makers' models. Its prices are asked for one by one in a form that was not seen, and are not read.

Read with the registry that its own client reads (github Runware/runware-python@4b73482 runware/registry.py): models by
their AIR, each with `taskType` and `id`. Not compared with a live answer.
"""

from collections.abc import Mapping

from aggregator.discovery.found import Found, FoundOffer
from aggregator.discovery.listed import these
from aggregator.discovery.source import Answer, Source

_KINDS = ("image", "video", "audio", "upscale")


def _read(answer: Answer) -> Found:
    models = answer.body["models"]
    if not isinstance(models, Mapping) or not models:
        raise TypeError("no models")
    found, left_out = [], []
    for air, about in models.items():
        kind = about.get("taskType") if isinstance(about, Mapping) else None
        if not isinstance(kind, str):
            left_out.append(f"{air}: no taskType")
        elif any(word in kind.lower() for word in _KINDS):
            found.append(FoundOffer("runware", str(air), title=str(about.get("id") or ""), status="active"))
    return Found("runware", answer.asked, tuple(found), left_out=tuple(left_out))


SOURCE = Source(
    name="runware",
    title="Runware's registry",
    docs="https://github.com/Runware/runware-python",
    checked="2026-11-21",
    read=_read,
    ask=these("/registry.json"),
    base_url="https://schemas.runware.ai",
    needs_key=False,
)
