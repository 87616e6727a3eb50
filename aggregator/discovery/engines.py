"""Which engine is behind an address: a table of fingerprints, each a page that only that engine answers like that.

Everything is asked with GET and without a credential, so that it costs nothing and tells nobody anything. What the
pages are is in the engines' own documentation; servers of FastAPI are told apart by the paths of their `/openapi.json`.
"""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import JsonValue

from aggregator._http import SendError, Timeouts, Transport
from aggregator._paths import first
from aggregator.contract import HttpRequest
from aggregator.errors import RequestError
from aggregator.tasks import TASKS

__all__ = ["ENGINES", "Engine", "Page", "Recognised", "Served", "recognised"]

TIMEOUTS = Timeouts(connect_s=5.0, read_s=10.0, write_s=5.0)
_OK = 200


@dataclass(frozen=True, slots=True)
class Page:
    """What was answered: JSON where it is some, else text."""

    status: int = 0
    """Zero: nothing was."""
    json: JsonValue = None
    text: str = ""

    @property
    def ok(self) -> bool:
        return self.status == _OK

    def has(self, *paths: str) -> bool:
        """Whether it is an object with all of these."""
        return self.ok and all(first(self.json, path) is not None for path in paths)

    def serves(self, *paths: str) -> bool:
        """Whether it is a description of an API with all of these paths."""
        known = first(self.json, "paths")
        return self.ok and isinstance(known, Mapping) and all(path in known for path in paths)


Ask = Callable[[str], Awaitable[Page]]


@dataclass(frozen=True, slots=True)
class Served:
    """One model, as the server calls it."""

    name: str
    tasks: tuple[str, ...] = ()
    """What it says it is for; empty: it does not say."""


@dataclass(frozen=True, slots=True)
class Engine:
    """How one engine is known, and what to write to use it."""

    name: str
    provider: str
    page: str
    is_it: Callable[[Page], bool]
    dialect: str = ""
    version: tuple[str, str] = ("", "")
    """The page and the path in it that says which version; empty: none does."""
    models: tuple[str, str] = ("", "")
    """The page and the path in it where its models are named."""
    base: str = ""
    """What follows the address in `base_url`."""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Recognised:
    """What is behind an address."""

    address: str
    engine: Engine
    version: str | None
    models: tuple[Served, ...] = field(default=())

    @property
    def base_url(self) -> str:
        return self.address + self.engine.base


_V1 = ("/v1/models", "data[]")
_COG = frozenset({"STARTING", "READY", "BUSY", "SETUP_FAILED", "DEFUNCT", "UNHEALTHY"})
_FORM = "its own workflow file says what it takes: `aggregator registry import comfyui workflow.json`"


def _owner(name: str) -> Callable[[Page], bool]:
    return lambda page: page.ok and name in str(first(page.json, "data[].owned_by") or "").casefold()


def _says(path: str, *words: str) -> Callable[[Page], bool]:
    return lambda page: page.ok and str(first(page.json, path)) in words


def _has(*paths: str) -> Callable[[Page], bool]:
    return lambda page: page.has(*paths)


def _serves(*paths: str) -> Callable[[Page], bool]:
    return lambda page: page.serves(*paths)


def _openai(name: str, dialect: str, page: str, is_it: Callable[[Page], bool], **more: Any) -> Engine:
    return Engine(name, "openai_compatible", page, is_it, dialect, base="/v1", **{"models": _V1, **more})


ENGINES: tuple[Engine, ...] = (
    Engine(
        *("ComfyUI", "comfyui", "/system_stats", _has("system.comfyui_version")),
        version=("/system_stats", "system.comfyui_version"),
        note=_FORM,
    ),
    Engine("Comfy API v2", "comfyui_v2", "/api/v2/health", _has("status", "upstream"), note=_FORM),
    _openai("aggregator serve-diffusers", "diffusers", "/v1/models", _owner("aggregator")),
    _openai(
        *("SGLang diffusion", "sglang", "/v1/models", _has("data[].supported_task_types")),
        version=("/server_info", "version"),
    ),
    _openai("SGLang diffusion", "sglang", "/v1/models", _owner("sglang"), version=("/server_info", "version")),
    _openai("vLLM-Omni", "vllm_omni", "/v1/models", _owner("vllm"), version=("/version", "version")),
    _openai("FastVideo", "fastvideo", "/openapi.json", _serves("/v1/videos", "/v1/images")),
    Engine("LightX2V", "lightx2v", "/v1/service/status", _has("service_status")),
    _openai("Kokoro-FastAPI", "kokoro", "/openapi.json", _serves("/dev/captioned_speech", "/v1/audio/speech")),
    _openai("Chatterbox-TTS-Server", "chatterbox", "/openapi.json", _serves("/tts", "/upload_reference")),
    _openai("chatterbox-tts-api", "chatterbox_api", "/openapi.json", _serves("/audio/speech/long")),
    Engine("XTTS API server", "xtts", "/openapi.json", _serves("/tts_to_audio/", "/speakers_list")),
    Engine(
        *("AUTOMATIC1111 or Forge", "sdapi", "/sdapi/v1/sd-models"),
        lambda page: page.ok and isinstance(page.json, list),
        models=("/sdapi/v1/sd-models", "[].title"),
    ),
    Engine(
        *("Cog", "cog", "/health-check", _says("status", *_COG)),
        version=("/health-check", "version.python_sdk"),
        note="its /openapi.json says what the model takes",
    ),
    Engine("Ray Serve", "ray_serve", "/-/routes", lambda page: page.ok and isinstance(page.json, Mapping)),
    Engine(
        *("KServe or Triton", "kserve", "/v2", _has("name", "version", "extensions")),
        version=("/v2", "version"),
    ),
    _openai("LocalAI", "localai", "/readyz", lambda page: page.ok, version=("/version", "version")),
    Engine(
        *("BentoML", "bentoml", "/docs.json", _has("openapi", "paths")),
        note="its /docs.json names every API and what it takes",
    ),
    Engine("Hugging Face inference toolkit", "hf_endpoint", "/metrics", lambda page: "inf_queue_size" in page.text),
    Engine("Piper", "piper", "/voices", lambda page: page.ok and isinstance(page.json, Mapping)),
    Engine("xDiT", "xdit", "/openapi.json", _serves("/generate")),
    _openai("an OpenAI-dialect server", "", "/v1/models", _has("data"), note="which one it is it does not say"),
)
"""Asked in this order: what two engines answer alike stands after what only one does."""


async def recognised(address: str, transport: Transport, *, host: str) -> Recognised:
    """The engine behind an address of the user's own, such as `http://gpu1:8188`, its version and what it serves.

    Raises:
        RequestError: Nothing answers there, or nothing that is known.

    """
    address = address.rstrip("/").removesuffix("/v1")
    pages: dict[str, Page] = {}

    async def ask(path: str) -> Page:
        if path not in pages:
            pages[path] = await _page(address + path, transport, host)
        return pages[path]

    for engine in ENGINES:
        if engine.is_it(await ask(engine.page)) and _not_only_ready(engine, await ask("/docs.json")):
            return Recognised(address, engine, await _version(engine, ask), await _models(engine, ask))
        if len(pages) > 1 and not any(page.status for page in pages.values()):
            raise RequestError(f"nothing answers at {address}: start the server there, or look at the address")
    seen = ", ".join(f"{path} {page.status}" for path, page in pages.items() if page.ok)
    raise RequestError(
        f"no engine that is known answers at {address} (its pages: {seen or 'none'}). Any HTTP server can be used with "
        'a table of your own: [providers.<name>] table = "module:PROVIDER"'
    )


def _not_only_ready(engine: Engine, docs: Page) -> bool:
    """`/readyz` alone is no sign of LocalAI: BentoML has it too."""
    return engine.page != "/readyz" or not docs.has("openapi")


async def _page(url: str, transport: Transport, host: str) -> Page:
    request = HttpRequest("GET", url, {"accept": "application/json, text/plain"}, trusted=False, own_host=host)
    try:
        answer = await transport.send(request, timeouts=TIMEOUTS)
    except SendError:
        return Page()
    text = answer.body.decode("utf-8", "replace")
    try:
        return Page(answer.status, json.loads(text), text)
    except ValueError:
        return Page(answer.status, None, text)


async def _version(engine: Engine, ask: Ask) -> str | None:
    page, path = engine.version
    found = first((await ask(page)).json, path) if page else None
    return str(found) if isinstance(found, str | int | float) else None


async def _models(engine: Engine, ask: Ask) -> tuple[Served, ...]:
    page, path = engine.models
    found = (await ask(page)).json if page else None
    if isinstance(found, Mapping):
        found = found.get(path.removesuffix("[]"))
    each = (_served(one) for one in found) if isinstance(found, list) else ()
    return tuple(one for one in each if one is not None)


def _served(item: JsonValue) -> Served | None:
    if not isinstance(item, Mapping):
        return None
    name = item.get("id") or item.get("model_name") or item.get("title")
    said = item.get("supported_task_types") or item.get("task_type") or ()
    words = [said] if isinstance(said, str) else said if isinstance(said, list) else []
    known = (_WORDS.get(word, word) for word in map(str, words))
    tasks = tuple(dict.fromkeys(word for word in known if word in TASKS))
    return Served(str(name), tasks) if name else None


_WORDS = {
    "T2V": "text-to-video",
    "I2V": "image-to-video",
    "TI2V": "image-to-video",
    "V2V": "video-to-video",
    "T2I": "text-to-image",
    "I2I": "image-to-image",
}
"""SGLang's words."""
