"""The same chain as a function, with a function that picks: the take with the most detail goes on.

    aggregator run examples/image_upscale_video.py --local --out made
    aggregator run examples/image_upscale_video.py --local --out made --set prompt="a harbour at night"

Nobody is waited for; the second line pays for another picture, and for all that is made from it.
"""

from aggregator import Result
from aggregator.workflow import Steps, workflow


def detail(take: Result) -> float:
    """What compresses badly has much in it."""
    return take.artifact.size_bytes


@workflow
async def chain(w: Steps, prompt: str = "a lighthouse at dawn, 35mm", motion: str = "slow push-in") -> None:
    still = await w.text_to_image(prompt, name="still", takes=3, pick="score:detail")
    large = await w.upscale_image(still, factor=2, name="large")
    await w.image_to_video(large, motion, duration_s=4, name="shot")
