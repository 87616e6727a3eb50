"""Topaz video: the models that are up now. One that is missing may only rest, so that nothing is taken for gone.

Read with its Video API 1.0.0 as github tryAGI/Topaz keeps it (`GET /video/status`: `isAvailable`, `supportedModels`);
not compared with a live answer.
"""

from aggregator.discovery.found import Found, FoundOffer
from aggregator.discovery.listed import these
from aggregator.discovery.source import Answer, Source, words


def _read(answer: Answer) -> Found:
    models = words(answer.body["supportedModels"])
    if not models:
        raise TypeError("no supportedModels")
    return Found(
        "topaz_video", answer.asked, tuple(FoundOffer("topaz_video", name, status="active") for name in models)
    )


SOURCE = Source(
    name="topaz_video",
    title="Topaz' list of video models",
    docs="https://developer.topazlabs.com/video-api",
    checked="2026-11-21",
    read=_read,
    ask=these("/video/status"),
    provider="topaz_video",
)
