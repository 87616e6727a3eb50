"""One async interface over many hosted and self-hosted video, image and audio model backends.

async with Aggregator.local() as agg, agg.project("trailer", budget_usd="5.00") as p:
    still = await p.text_to_image("a lighthouse at dawn, 35mm", key="still")
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from aggregator._version import __version__

if TYPE_CHECKING:
    from aggregator import errors
    from aggregator.artifact import Artifact, Facts, Lineage, Result, Shortfall
    from aggregator.client import Aggregator
    from aggregator.config import Config
    from aggregator.inputs import Media
    from aggregator.job import AttemptState, Job, JobRecord, Progress, UnknownAttempt
    from aggregator.options import Options
    from aggregator.pricing.drift import Pause
    from aggregator.pricing.quote import Cost, Quote
    from aggregator.project import Project
    from aggregator.promotion import PromotionPlan, PromotionStep
    from aggregator.routing.chain import ChainStep
    from aggregator.routing.chain_fit import Fit
    from aggregator.routing.chain_quote import ChainQuote
    from aggregator.routing.plan import Plan
    from aggregator.spend import Spend
    from aggregator.tasks import (
        FrameInterpolation,
        ImageToImage,
        ImageToVideo,
        ImageUpscaling,
        LipSync,
        Lora,
        Reference,
        Request,
        SpeechToSpeech,
        TextToImage,
        TextToMusic,
        TextToSound,
        TextToSpeech,
        TextToVideo,
        VideoExtension,
        VideoToAudio,
        VideoToVideo,
        VideoUpscaling,
    )

__all__ = [
    "Aggregator",
    "Artifact",
    "AttemptState",
    "ChainQuote",
    "ChainStep",
    "Config",
    "Cost",
    "Facts",
    "Fit",
    "FrameInterpolation",
    "ImageToImage",
    "ImageToVideo",
    "ImageUpscaling",
    "Job",
    "JobRecord",
    "Lineage",
    "LipSync",
    "Lora",
    "Media",
    "Options",
    "Pause",
    "Plan",
    "Progress",
    "Project",
    "PromotionPlan",
    "PromotionStep",
    "Quote",
    "Reference",
    "Request",
    "Result",
    "Shortfall",
    "SpeechToSpeech",
    "Spend",
    "TextToImage",
    "TextToMusic",
    "TextToSound",
    "TextToSpeech",
    "TextToVideo",
    "UnknownAttempt",
    "VideoExtension",
    "VideoToAudio",
    "VideoToVideo",
    "VideoUpscaling",
    "__version__",
    "errors",
]

_HOMES: dict[str, tuple[str, ...]] = {
    "artifact": ("Artifact", "Facts", "Lineage", "Result", "Shortfall"),
    "client": ("Aggregator",),
    "config": ("Config",),
    "inputs": ("Media",),
    "job": ("AttemptState", "Job", "JobRecord", "Progress", "UnknownAttempt"),
    "pricing.drift": ("Pause",),
    "pricing.quote": ("Cost", "Quote"),
    "options": ("Options",),
    "project": ("Project",),
    "promotion": ("PromotionPlan", "PromotionStep"),
    "routing.chain": ("ChainStep",),
    "routing.chain_fit": ("Fit",),
    "routing.chain_quote": ("ChainQuote",),
    "routing.plan": ("Plan",),
    "spend": ("Spend",),
    "tasks": (
        "FrameInterpolation",
        "ImageToImage",
        "ImageToVideo",
        "ImageUpscaling",
        "LipSync",
        "Lora",
        "Reference",
        "Request",
        "SpeechToSpeech",
        "TextToImage",
        "TextToMusic",
        "TextToSound",
        "TextToSpeech",
        "TextToVideo",
        "VideoExtension",
        "VideoToAudio",
        "VideoToVideo",
        "VideoUpscaling",
    ),
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    """Import a public name where it is first used: a program that only plans does not pay for what it never touches."""
    if name == "errors":
        return import_module("aggregator.errors")
    if name not in _HOME:
        raise AttributeError(f"module 'aggregator' has no attribute {name!r}")
    value = getattr(import_module(f"aggregator.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
