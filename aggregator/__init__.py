"""One async interface over many hosted and self-hosted video, image and audio model backends.

async with Aggregator.local() as agg, agg.project("trailer", budget_usd="5.00") as p:
    still = await p.text_to_image("a lighthouse at dawn, 35mm", key="still")
"""

from aggregator import errors
from aggregator._version import __version__
from aggregator.artifact import Artifact, Facts, Lineage, Result, Shortfall
from aggregator.client import Aggregator
from aggregator.config import Config
from aggregator.inputs import Media
from aggregator.job import AttemptState, Job, JobRecord, Progress
from aggregator.pricing.quote import Cost, Quote
from aggregator.project import Options, Project
from aggregator.promotion import PromotionPlan, PromotionStep
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
    "Config",
    "Cost",
    "Facts",
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
    "VideoExtension",
    "VideoToAudio",
    "VideoToVideo",
    "VideoUpscaling",
    "__version__",
    "errors",
]
