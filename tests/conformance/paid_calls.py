"""One paid call by one client, at an address that misbehaves: run in the clients' environment by `paid_jobs.py`.

    python paid_calls.py CLIENT URL

Each client as it comes: its own retries and its own defaults, but for a time-out of one second, so that nobody waits.
Whatever the call ends with is its own affair; what reached the server is counted there.
"""

import asyncio
import json
import os
import sys
import tempfile
from collections.abc import Callable
from importlib import import_module

TIMEOUT_S = 1.0
PROMPT = "a red fox"
FLUX = "replicate:black-forest-labs/flux-schnell"


def fal(url: str) -> None:
    client, module = import_module("fal_client"), import_module("fal_client.client")
    module.QUEUE_URL_FORMAT = f"{url}/"
    client.SyncClient(key="k", default_timeout=TIMEOUT_S).submit("fal-ai/flux/schnell", {"prompt": PROMPT})


def openai_images(url: str) -> None:
    client = import_module("openai").OpenAI(api_key="k", base_url=url, timeout=TIMEOUT_S)
    client.images.generate(model="gpt-image-1", prompt=PROMPT)


def runway(url: str) -> None:
    client = import_module("runwayml").RunwayML(api_key="k", base_url=url, timeout=TIMEOUT_S)
    client.text_to_video.create(model="gen4.5", prompt_text=PROMPT, duration=4, ratio="1280:720")


def luma(url: str) -> None:
    client = import_module("lumaai").LumaAI(auth_token="k", base_url=url, timeout=TIMEOUT_S)
    client.generations.video.create(model="ray-2", prompt=PROMPT)


def luma_agents(url: str) -> None:
    client = import_module("luma_agents").Luma(auth_token="k", base_url=url, timeout=TIMEOUT_S)
    client.generations.create(prompt=PROMPT)


def together(url: str) -> None:
    client = import_module("together").Together(api_key="k", base_url=url, timeout=TIMEOUT_S)
    client.images.generate(model="black-forest-labs/FLUX.1-schnell", prompt=PROMPT)


def replicate(url: str) -> None:
    client = import_module("replicate").Client(api_token="k", base_url=url, timeout=TIMEOUT_S)
    client.predictions.create(model="google/veo-3.1", input={"prompt": PROMPT}, wait=False)


def google_genai(url: str) -> None:
    genai, types = import_module("google.genai"), import_module("google.genai.types")
    options = types.HttpOptions(base_url=url, timeout=int(TIMEOUT_S * 1000))
    client = genai.Client(api_key="k", http_options=options)  # held: it closes itself when it is let go
    client.models.generate_content(model="gemini-image", contents=PROMPT)


def google_interactions(url: str) -> None:
    genai, types = import_module("google.genai"), import_module("google.genai.types")
    options = types.HttpOptions(base_url=url, timeout=int(TIMEOUT_S * 1000))
    client = genai.Client(api_key="k", http_options=options)
    client.interactions.create(model="gemini-image", input=PROMPT)


def huggingface(url: str) -> None:
    client = import_module("huggingface_hub").InferenceClient(model=url, token="hf_k", timeout=TIMEOUT_S)
    client.text_to_image(PROMPT)


def elevenlabs(url: str) -> None:
    client = import_module("elevenlabs").ElevenLabs(api_key="k", base_url=url, timeout=TIMEOUT_S)
    b"".join(client.text_to_speech.convert(voice_id="v", text="hello"))


def cartesia(url: str) -> None:
    client = import_module("cartesia").Cartesia(api_key="k", base_url=url, timeout=TIMEOUT_S)
    audio = {"container": "wav", "encoding": "pcm_s16le", "sample_rate": 44100}
    client.tts.generate(model_id="sonic", transcript="hello", voice={"mode": "id", "id": "v"}, output_format=audio)


def deepgram(url: str) -> None:
    client, places = import_module("deepgram"), import_module("deepgram.environment")
    at = places.DeepgramClientEnvironment(base=url, production=url, agent=url, agent_rest=url)
    b"".join(
        client.DeepgramClient(api_key="k", environment=at, timeout=TIMEOUT_S).speak.v1.audio.generate(text="hello")
    )


def openrouter(url: str) -> None:
    client = import_module("openrouter").OpenRouter(api_key="k", server_url=url, timeout_ms=int(TIMEOUT_S * 1000))
    client.video_generation.generate(model="google/veo-3.1", prompt=PROMPT, duration=4)


def ark(url: str) -> None:
    client = import_module("volcenginesdkarkruntime").Ark(api_key="k", base_url=url, timeout=TIMEOUT_S)
    client.content_generation.tasks.create(model="seedance", content=[{"type": "text", "text": PROMPT}])


def higgsfield(url: str) -> None:
    module = import_module("higgsfield_client.http.client")
    module.BASE_URL = url
    module.SyncClient(base_url=url, api_key="k:s", timeout=TIMEOUT_S).submit("flux", {"prompt": PROMPT})


def comfy(url: str) -> None:
    os.environ |= {"COMFY_ROUTER_BASE_URL": url, "COMFY_BASE_URL": url, "COMFY_API_KEY": "k"}
    with import_module("comfy_sdk").Comfy(timeout=TIMEOUT_S) as client:
        client.models.run_detailed("bfl/flux-pro-1.1", {"prompt": PROMPT})


def ours(offer: str, verb: str, words: str) -> Callable[[str], None]:
    """This library: the call; where it bought something or may have, the same keyed call as of a program that is run
    once more; and `resume`.
    """
    provider = offer.partition(":")[0]

    def call(url: str) -> None:
        asyncio.run(order(url))

    async def order(url: str) -> None:
        aggregator, errors, engine, http = (
            import_module(f"aggregator{name}") for name in ("", ".errors", ".engine", "._http")
        )
        engine.PAID_TIMEOUTS = http.Timeouts(read_s=TIMEOUT_S)
        import_module("aggregator.runner.reconcile").LOOKS_S = 0.0
        os.environ["PROVIDER_KEY"] = "k:s"
        with tempfile.TemporaryDirectory() as home:
            config = {
                "directory": home,
                "allow_ephemeral": True,
                "providers": {provider: {"base_url": url, "api_key_env": "PROVIDER_KEY"}},
                "routing": {"allow": [provider]},
            }
            for _ in range(2):
                async with aggregator.Aggregator(config) as agg, agg.project("film", budget_usd="1000") as p:
                    try:
                        await getattr(p, verb)(words, model=offer, key="shot", max_usd="100", wait_s=60)
                    except errors.ProviderError as error:
                        if error.accepted is False:
                            break  # it certainly bought nothing: the same key would be a new order
            async with aggregator.Aggregator(config) as agg:
                await agg.resume()

    return call


CLIENTS: dict[str, tuple[Callable[[str], None], str]] = {
    "fal-client": (fal, "fal-client"),
    "openai": (openai_images, "openai"),
    "runwayml": (runway, "runwayml"),
    "lumaai": (luma, "lumaai"),
    "luma-agents": (luma_agents, "luma-agents"),
    "together": (together, "together"),
    "cartesia": (cartesia, "cartesia"),
    "volcengine-ark-runtime": (ark, "volcengine-ark-runtime"),
    "comfy-sdk": (comfy, "comfy-sdk"),
    "google-genai, interactions": (google_interactions, "google-genai"),
    "google-genai, generate_content": (google_genai, "google-genai"),
    "deepgram-sdk": (deepgram, "deepgram-sdk"),
    "elevenlabs": (elevenlabs, "elevenlabs"),
    "higgsfield-client": (higgsfield, "higgsfield-client"),
    "huggingface_hub": (huggingface, "huggingface_hub"),
    "openrouter": (openrouter, "openrouter"),
    "replicate": (replicate, "replicate"),
    "aggregator at fal": (ours("fal:fal-ai/flux/schnell", "text_to_image", PROMPT), "aggregator"),
    "aggregator at openai": (ours("openai:gpt-image-2.5-flare", "text_to_image", PROMPT), "aggregator"),
    "aggregator at runway": (ours("runway:seedance2_mini", "text_to_video", PROMPT), "aggregator"),
    "aggregator at luma": (ours("luma:uni-1", "text_to_image", PROMPT), "aggregator"),
    "aggregator at replicate": (ours(FLUX, "text_to_image", PROMPT), "aggregator"),
    "aggregator at elevenlabs": (ours("elevenlabs:eleven_flash_v2", "text_to_speech", "hello"), "aggregator"),
}
"""By the name in the table: the call, and the package whose version counts."""


def main() -> None:
    name, url = sys.argv[1:]
    said = ""
    try:
        CLIENTS[name][0](url)
    except Exception as error:  # noqa: BLE001 - how a call ends is the client's affair
        said = f"{type(error).__name__}: {error}"
    print(json.dumps(said[:300]))  # noqa: T201


if __name__ == "__main__":
    main()
