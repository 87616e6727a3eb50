"""An address of one's own: which engine answers there, which version, what it serves, and what to write to use it."""

import asyncio
import json
from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest

from aggregator._http import SendError
from aggregator.contract import HttpRequest, HttpResponse
from aggregator.discovery.address import proposed
from aggregator.discovery.engines import ENGINES, recognised
from aggregator.errors import RequestError
from aggregator.registry.load import Registry

AT = "http://gpu1:8188"
TODAY = date(2026, 11, 21)
OPENAI = {"object": "list", "data": [{"id": "wan", "object": "model"}]}


class Server:
    """Answers with documents by path; anything else is not there."""

    def __init__(self, pages: Mapping[str, Any], *, up: bool = True) -> None:
        self.pages = pages
        self.up = up
        self.asked: list[HttpRequest] = []

    async def send(self, request: HttpRequest, **_more: Any) -> HttpResponse:
        self.asked.append(request)
        if not self.up:
            raise SendError("connection refused", sent=False)
        found = self.pages.get(request.url.removeprefix(AT))
        status = 404 if found is None else 200
        body = found if isinstance(found, str) else json.dumps(found)
        return HttpResponse(status, {}, body.encode(), request.url)

    def stream(self, *_args: Any, **_more: Any) -> Any:
        raise AssertionError("nothing is downloaded")

    async def aclose(self) -> None:
        """Nothing is open."""


def at(pages: Mapping[str, Any], address: str = AT, *, up: bool = True):
    return asyncio.run(recognised(address, Server(pages, up=up), host="gpu1"))


def models(*names: str, **more: Any) -> dict[str, Any]:
    return {"object": "list", "data": [{"id": name, "object": "model", **more} for name in names]}


def paths(*names: str) -> dict[str, Any]:
    return {"openapi": "3.1.0", "info": {"title": "a"}, "paths": {name: {} for name in names}}


KNOWN = [
    ({"/system_stats": {"system": {"comfyui_version": "0.33.0"}}}, "comfyui", "", "0.33.0"),
    ({"/api/v2/health": {"status": "healthy", "upstream": "http://127.0.0.1:8188"}}, "comfyui_v2", "", None),
    (
        {"/v1/models": models("Wan-AI/x", supported_task_types=["T2V"]), "/server_info": {"version": "0.5.23"}},
        *("openai_compatible", "sglang", "0.5.23"),
    ),
    (
        {"/v1/models": models("a", owned_by="vllm"), "/version": {"version": "0.30.0"}},
        "openai_compatible",
        "vllm_omni",
        "0.30.0",
    ),
    (
        {"/v1/models": models("a", owned_by="aggregator", supported_task_types=["text-to-video"])},
        *("openai_compatible", "diffusers", None),
    ),
    ({"/openapi.json": paths("/v1/videos", "/v1/images")}, "openai_compatible", "fastvideo", None),
    ({"/v1/service/status": {"service_status": "idle"}}, "lightx2v", "", None),
    (
        {"/openapi.json": paths("/dev/captioned_speech", "/v1/audio/speech"), "/v1/models": models("kokoro")},
        *("openai_compatible", "kokoro", None),
    ),
    ({"/openapi.json": paths("/tts", "/upload_reference")}, "openai_compatible", "chatterbox", None),
    ({"/openapi.json": paths("/audio/speech/long")}, "openai_compatible", "chatterbox_api", None),
    ({"/openapi.json": paths("/tts_to_audio/", "/speakers_list")}, "xtts", "", None),
    ({"/openapi.json": paths("/generate")}, "xdit", "", None),
    ({"/sdapi/v1/sd-models": [{"title": "sdxl.safetensors [1]", "model_name": "sdxl"}]}, "sdapi", "", None),
    (
        {"/health-check": {"status": "BUSY", "version": {"coglet": "0.23.1", "python_sdk": "0.23.1"}}},
        "cog",
        "",
        "0.23.1",
    ),
    ({"/-/routes": {"/": "app"}}, "ray_serve", "", None),
    ({"/v2": {"name": "triton", "version": "2.60.0", "extensions": []}}, "kserve", "", "2.60.0"),
    ({"/readyz": "ok", "/v1/models": models("flux")}, "openai_compatible", "localai", None),
    ({"/docs.json": paths("/generate"), "/readyz": "\n"}, "bentoml", "", None),
    ({"/metrics": "inf_batch_current_size 0\ninf_queue_size 0\n"}, "hf_endpoint", "", None),
    ({"/voices": {"en_US": {}}}, "piper", "", None),
    ({"/v1/models": OPENAI}, "openai_compatible", "", None),
]


@pytest.mark.parametrize(
    ("pages", "provider", "dialect", "version"), KNOWN, ids=[f"{row[1]} {row[2]}" for row in KNOWN]
)
def test_every_engine_is_known_by_its_pages(pages, provider, dialect, version):
    found = at(pages)
    assert (found.engine.provider, found.engine.dialect, found.version) == (provider, dialect, version)


def test_every_fingerprint_has_a_case_and_every_provider_and_dialect_is_there():
    from aggregator.backends import provider_table

    assert {(row[1], row[2]) for row in KNOWN} == {(engine.provider, engine.dialect) for engine in ENGINES}
    for engine in ENGINES:
        table = provider_table(engine.provider)
        assert not engine.dialect or engine.dialect in table.dialects, engine.name


def test_nothing_is_sent_but_questions_without_a_credential():
    server = Server({"/docs.json": paths("/x")})
    asyncio.run(recognised(f"{AT}/v1/", server, host="gpu1"))
    assert {(one.method, one.trusted, one.own_host, one.json) for one in server.asked} == {("GET", False, "gpu1", None)}
    assert len({one.url for one in server.asked}) == len(server.asked)


def test_where_nothing_answers_two_questions_are_enough():
    with pytest.raises(RequestError, match="nothing answers at http://gpu1:8188: start the server"):
        at({}, up=False)


def test_what_nobody_knows_is_said_with_what_it_answered():
    with pytest.raises(RequestError, match=r"no engine that is known.*/v1/models 200.*module:PROVIDER"):
        at({"/v1/models": {"models": []}})


# --------------------------------------------------------------------------------------------------- what to write


def offers(pages: Mapping[str, Any]):
    return proposed(at(pages), Registry.bundled(), TODAY)


def test_a_model_with_known_weights_becomes_an_offer_of_them():
    name = "Wan-AI/Wan2.2-TI2V-5B-Diffusers"
    made = offers(
        {"/v1/models": models(name, supported_task_types=["T2V", "I2V"]), "/server_info": {"version": "0.5.23"}}
    )
    assert made.configuration == f'[providers.openai_compatible]\nbase_url = "{AT}/v1"\n'
    (file,) = made.offers
    assert file == "offers/openai_compatible/wan-ai-wan2.2-ti2v-5b-diffusers.toml"
    assert made.offers[file] == (
        'weights = "wan-2.2-ti2v-5b"\nendpoint = "Wan-AI/Wan2.2-TI2V-5B-Diffusers"\nchecked = 2026-11-21\n'
        f'dialect = "sglang"\nsource = "SGLang diffusion 0.5.23 at {AT}"\n'
        'tasks = { text-to-video = {}, image-to-video = { required = ["prompt"] } }\n'
    )


@pytest.mark.parametrize("name", ["/models/Wan2.1-T2V-1.3B", "Wan2.1-T2V-1.3B-Diffusers", "wan-2.1-t2v-1.3b"])
def test_a_folder_or_our_own_name_is_known_too(name):
    made = offers({"/v1/models": models(name, owned_by="vllm")})
    assert 'weights = "wan-2.1-t2v-1.3b"' in "".join(made.offers.values())


def test_a_model_of_no_card_is_named_and_left_to_a_person():
    made = offers({"/v1/models": models("mine", owned_by="vllm")})
    assert (made.unknown, made.offers) == (("mine",), {})


def test_what_is_proposed_loads(tmp_path):
    from aggregator.backends import provider_tables
    from aggregator.config import Config
    from aggregator.registry.mapping import mappings_of

    made = offers({"/v1/models": models("Wan-AI/Wan2.1-T2V-1.3B-Diffusers", supported_task_types=["T2V"])})
    for file, text in made.offers.items():
        path = tmp_path / file
        path.parent.mkdir(parents=True)
        path.write_text(text)
    registry = Registry.load([tmp_path], mappings=mappings_of(provider_tables(Config.of())))
    offer = next(one for one in registry.offers("text-to-video") if one.provider == "openai_compatible")
    assert (offer.model, offer.mapping.dialect) == ("wan-2.1-t2v-1.3b", "sglang")
    assert offer.frames is not None
