"""Raw httpx: the floor that the SDKs over it are measured against."""

import asyncio
from pathlib import Path

import httpx
from measuring import argument, cpu_us_per_call, one_download, report


async def call(asked):
    limits = httpx.Limits(max_keepalive_connections=0) if asked["way"] == "fresh" else httpx.Limits()
    async with httpx.AsyncClient(limits=limits, headers={"authorization": "Key k"}, timeout=120) as client:

        async def once():
            response = await client.post(f"{asked['base']}/run/fal-ai/flux", json={"prompt": "a fox"})
            return response.json()["images"][0]["url"]

        return await cpu_us_per_call(once, calls=asked["calls"], at_once=asked["at_once"])


async def download(asked):
    url = f"{asked['base']}/v1/files/{{}}/content"
    async with httpx.AsyncClient(timeout=120) as client:

        async def streamed(size_bytes):
            with Path(asked["to"]).open("wb") as file:  # noqa: ASYNC230  as documented
                async with client.stream("GET", url.format(size_bytes)) as response:
                    async for chunk in response.aiter_bytes():
                        file.write(chunk)

        await streamed(100_000)
        return await one_download(lambda: streamed(asked["size_bytes"]), asked["size_bytes"])


if __name__ == "__main__":
    given = argument()
    report(asyncio.run({"call": call, "download": download}[given["measure"]](given)))
