"""OpenAI's own client, as documented: `images.generate` for a call, `files.content` for a file."""

import asyncio

import openai
from measuring import argument, cpu_us_per_call, one_download, report


def client(base):
    return openai.AsyncOpenAI(api_key="k", base_url=f"{base}/v1", timeout=120)


async def call(asked):
    async with client(asked["base"]) as api:

        async def once():
            return (await api.images.generate(model="gpt-image-1", prompt="a fox")).data[0].b64_json

        return await cpu_us_per_call(once, calls=asked["calls"], at_once=asked["at_once"])


async def download(asked):
    async with client(asked["base"]) as api:

        async def whole(size_bytes):
            (await api.files.content(str(size_bytes))).write_to_file(asked["to"])

        await whole(100_000)
        return await one_download(lambda: whole(asked["size_bytes"]), asked["size_bytes"])


if __name__ == "__main__":
    given = argument()
    report(asyncio.run({"call": call, "download": download}[given["measure"]](given)))
