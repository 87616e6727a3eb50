"""fal's own client, as documented: `run` for a call, `subscribe` for a job, the file's URL read with httpx."""

import asyncio
from pathlib import Path

import fal_client.client
import httpx
from measuring import all_at_once, argument, cpu_us_per_call, one_download, report


def client(base):
    fal_client.client.RUN_URL_FORMAT = f"{base}/run/"
    fal_client.client.QUEUE_URL_FORMAT = f"{base}/queue/"
    return fal_client.client.AsyncClient(key="a:b")


async def call(asked):
    fal = client(asked["base"])

    async def once():
        return (await fal.run("fal-ai/flux", {"prompt": "a fox"}))["images"][0]["url"]

    return await cpu_us_per_call(once, calls=asked["calls"], at_once=asked["at_once"])


async def jobs(asked):
    fal = client(asked["base"])

    async def job(index):
        return (await fal.subscribe("fal-ai/flux/schnell", {"prompt": f"fox {index}"}))["seed"]

    return await all_at_once(job, asked["jobs"])


async def download(asked):
    async def whole(size_bytes):
        async with httpx.AsyncClient(timeout=120) as http:
            response = await http.get(f"{asked['base']}/v1/files/{size_bytes}/content")
        Path(asked["to"]).write_bytes(response.content)  # noqa: ASYNC240  as documented

    await whole(100_000)
    return await one_download(lambda: whole(asked["size_bytes"]), asked["size_bytes"])


if __name__ == "__main__":
    given = argument()
    report(asyncio.run({"call": call, "jobs": jobs, "download": download}[given["measure"]](given)))
