"""A trailer in four steps: draft on the cheap model, keep what is good, promote it, see what it cost.

It runs as it is, on the embedded backend, which makes stand-ins. With keys in the environment, `Aggregator()` in the
place of `Aggregator.local()` makes the same of real models. Run it twice: nothing is paid twice.
"""

import asyncio

from aggregator import Aggregator


async def main() -> None:
    async with Aggregator.local() as agg, agg.project("trailer", budget_usd="5.00") as p:
        still = await p.text_to_image("a lighthouse at dawn, 35mm", key="still")
        large = await p.upscale_image(still, factor=2, key="large")
        clip = await p.image_to_video(large, "slow push-in", duration_s=5, key="clip")
        await clip.save("draft.mp4")
        final = await p.promote(clip)  # the same recipe on a hero model; the approved picture is kept
        await final.save("final.mp4")
        print(await p.spend())


if __name__ == "__main__":
    asyncio.run(main())
