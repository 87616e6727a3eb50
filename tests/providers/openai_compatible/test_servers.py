"""The servers that speak OpenAI's dialect: what each of them is sent otherwise, and what is made of its answers."""

import json
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest

from aggregator import errors
from aggregator.backends import provider_tables
from aggregator.config import Config
from aggregator.providers import _openai
from aggregator.providers.openai_compatible import _SERVERS, PROVIDER
from aggregator.registry.load import Registry
from aggregator.registry.mapping import mappings_of
from aggregator.tasks import (
    ImageToImage,
    ImageToVideo,
    Lora,
    Reference,
    TextToImage,
    TextToMusic,
    TextToSound,
    TextToSpeech,
    TextToVideo,
)
from aggregator.testing.emulator.dialects import SERVERS
from tests.providers.harness import STILL, Shop, asking, opened, parts
from tests.providers.own import cards_of, own_offers

NAME = "openai_compatible"
FOX = TextToVideo(prompt="a fox", duration_s=2)
SAID = TextToSpeech(text="hello", voice="af_heart")


@pytest.fixture
async def shop(quick: Path) -> AsyncIterator[Shop]:
    async with opened(NAME, quick, registry={"paths": [str(one) for one in cards_of(NAME)]}) as found:
        yield found


def test_every_server_of_the_table_is_played_and_offered():
    assert {name.replace("-", "_") for name in SERVERS} == set(_SERVERS)
    assert {one.endpoint.partition("/")[0].replace("-", "_") for one in own_offers(NAME)} >= set(_SERVERS)


def test_an_offer_names_its_server_and_each_task_finds_its_dialect():
    spoken = {(one.model, one.task): one.mapping.dialect for one in own_offers(NAME)}
    assert spoken["mine-sglang", "text-to-video"] == "sglang"
    assert spoken["mine-sglang", "text-to-image"] == "sglang_sync"
    assert spoken["mine-local", "text-to-video"] == "localai"
    assert spoken["mine", "text-to-video"] == "videos"
    assert spoken["mine", "text-to-image"] == ""


def test_what_can_be_canceled_is_said_by_the_table():
    can = [name for name in PROVIDER.dialects if PROVIDER.spoken(name).cancel is not None]
    assert can == ["vllm_omni", "diffusers"]
    polled = [name for name in PROVIDER.dialects if PROVIDER.spoken(name).poll is not None]
    assert set(polled) == {"videos", "vllm_omni", "sglang", "fastvideo", "diffusers"}


# ------------------------------------------------------------------------------------------------------------ vLLM-Omni


async def test_vllm_omni_is_sent_forms_and_says_what_it_made(shop):
    request = FOX.with_(fps=16, seed=7, negative_prompt="text", aspect_ratio="16:9", audio=True)
    result = await shop.buy(request, model="mine-omni")
    assert sorted(parts(shop.paid)) == [
        ("aspect_ratio", "16:9"),
        ("fps", "16"),
        ("generate_sound", "true"),
        ("model", "vllm-omni/wan-2.2"),
        ("negative_prompt", "text"),
        ("num_frames", "32"),
        ("prompt", "a fox"),
        ("seed", "7"),
    ]
    assert result.artifact.facts.duration_s == pytest.approx(33 / 16, abs=0.05)


async def test_without_a_rate_of_frames_seconds_are_sent(shop):
    await shop.buy(FOX, model="mine-omni")
    assert ("seconds", "2") in parts(shop.paid)


async def test_a_dead_job_of_vllm_omni_answers_with_an_error_and_is_dead_all_the_same(shop):
    with pytest.raises(errors.JobFailedError):
        await shop.buy(FOX, "failed", model="mine-omni")
    looks = [one for one in shop.emulator.requests if one.method == "GET"]
    assert [one.status for one in looks].count(500) == 1


def test_json_is_refused_by_vllm_omni():
    with asking(NAME, {}) as (http, _):
        answer = http.post("/videos", json={"prompt": "a fox", "model": "vllm-omni/x"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, 400)


async def test_an_adapter_of_vllm_omni_is_text_in_a_form_and_an_object_in_json(shop):
    ink = Lora(weights="/loras/ink", scale=0.5)
    said = {"name": "/loras/ink", "path": "/loras/ink", "scale": 0.5}
    await shop.buy(FOX.with_(loras=(ink,)), model="mine-omni")
    assert ("lora", json.dumps(said)) in parts(shop.paid)
    await shop.buy(TextToImage(prompt="a fox", loras=(ink,)), model="mine-omni")
    assert shop.paid.json["lora"] == said
    with pytest.raises(errors.UnsupportedFieldError, match="one at a time, not 2"):
        _openai.adapter([said, said])


async def test_sound_of_vllm_omni(shop):
    await shop.buy(TextToSound(prompt="rain", duration_s=2, negative_prompt="wind", seed=1), model="mine-omni")
    assert shop.paid.path == "/audio/generate"
    assert shop.paid.json == {
        "model": "vllm-omni/wan-2.2",
        "input": "rain",
        "audio_length": 2,
        "negative_prompt": "wind",
        "seed": 1,
    }
    result = await shop.buy(SAID, model="mine-omni")
    assert result.artifact.mime_type == "audio/wav", "what it makes unasked"
    with pytest.raises((errors.NoRouteError, errors.RequestError)):
        await shop.buy(SAID.with_(format="aac"), model="mine-omni")


# ------------------------------------------------------------------------------------------------------ serve-diffusers


async def test_serve_diffusers_is_sent_seconds_and_a_key_and_says_its_seed(shop):
    request = FOX.with_(fps=16, seed=7, negative_prompt="text", loras=(Lora(weights="ink", scale=0.5),))
    result = await shop.buy(request, model="mine-piped")
    assert sorted(parts(shop.paid)) == [
        ("fps", "16"),
        ("lora", '[{"name": "ink", "scale": 0.5}]'),
        ("model", "diffusers/wan-2.2"),
        ("negative_prompt", "text"),
        ("num_inference_steps", "30"),
        ("prompt", "a fox"),
        ("seconds", "2"),
        ("seed", "7"),
    ]
    assert shop.paid.headers["idempotency-key"]
    assert result.artifact.lineage.seed == 7


async def test_pictures_of_serve_diffusers_have_a_key_too(shop):
    await shop.buy(TextToImage(prompt="a fox", seed=7, size=(64, 64)), model="mine-piped")
    assert shop.paid.headers["idempotency-key"]
    assert shop.paid.json["seed"] == 7
    assert PROVIDER.spoken("diffusers_sync").idempotency == "replay"
    assert PROVIDER.spoken("sglang_sync").idempotency == "none"


async def test_sounds_of_serve_diffusers_say_their_seed_in_the_head(shop):
    result = await shop.buy(TextToMusic(prompt="rain", lyrics="la", duration_s=2), model="mine-piped")
    sent = {"model": "diffusers/wan-2.2", "input": "rain", "lyrics": "la", "audio_length": 2, "num_inference_steps": 30}
    assert (shop.paid.path, shop.paid.json) == ("/audio/generate", sent)
    assert shop.paid.headers["idempotency-key"]
    assert (result.artifact.mime_type, result.artifact.lineage.seed) == ("audio/wav", 7)


async def test_a_lost_answer_of_serve_diffusers_is_asked_for_by_its_key(shop):
    result = await shop.buy(FOX, "drop_after", model="mine-piped")
    sent = [one for one in shop.emulator.requests if one.method == "POST"]
    assert [one.headers["idempotency-key"] for one in sent] == [sent[0].headers["idempotency-key"]] * 2
    assert len(shop.emulator.desk(NAME).jobs) == 1
    assert result.artifact.mime_type == "video/mp4"


# ------------------------------------------------------------------------------------------------- SGLang and FastVideo


@pytest.mark.parametrize(("model", "server"), [("mine-sglang", "sglang"), ("mine-fast", "fastvideo")])
async def test_a_clip_is_json_and_a_form_where_there_is_a_file(shop, model, server):
    result = await shop.buy(FOX.with_(seed=7, size=(640, 360)), model=model)
    assert shop.paid.json == {
        "model": f"{server}/wan-2.2",
        "prompt": "a fox",
        "seconds": "2",
        "seed": 7,
        "size": "640x360",
    }
    assert result.artifact.facts.width == 640
    await shop.buy(ImageToVideo(prompt="go", image=STILL, duration_s=2, fps=8), model=model)
    assert ("input_reference", "image/png") in parts(shop.paid)
    assert ("num_frames", "16") in parts(shop.paid)


async def test_a_picture_of_sglang_is_jpeg_unless_asked_otherwise(shop):
    result = await shop.buy(TextToImage(prompt="a fox", negative_prompt="text"), model="mine-sglang")
    assert shop.paid.json["response_format"] == "b64_json", "its addresses are relative"
    assert result.artifact.mime_type == "image/jpeg"
    result = await shop.buy(TextToImage(prompt="a fox", format="png"), model="mine-sglang")
    assert result.artifact.mime_type == "image/png"


async def test_pictures_of_fastvideo_are_made_elsewhere(shop):
    await shop.buy(TextToImage(prompt="a fox"), model="mine-fast")
    assert shop.paid.path == "/images"
    await shop.buy(ImageToImage(prompt="at night", image=STILL), model="mine-fast")
    assert shop.paid.path == "/images/edits"


@pytest.mark.parametrize("fault", ["crashed", "warming"])
async def test_after_a_bare_failure_nobody_knows(shop, fault):
    with pytest.raises(errors.UnavailableError) as caught:
        await shop.buy(TextToImage(prompt="a fox"), fault, model="mine-sglang")
    assert (caught.value.accepted, len(shop.emulator.requests)) == (None, 1)


# -------------------------------------------------------------------------------------------------------------- LocalAI


async def test_the_negative_prompt_of_localai_is_in_the_prompt_and_a_users_own_bar_is_not(shop):
    await shop.buy(TextToImage(prompt="a|b", negative_prompt="text", size=(64, 64)), model="mine-local")
    assert shop.paid.json == {
        "model": "localai/flux",
        "prompt": "a¦b|text",
        "size": "64x64",
        "response_format": "b64_json",
    }
    job = next(iter(shop.emulator.desk(NAME).jobs.values()))
    assert (job.extra["prompt"], job.extra["negative"]) == ("a¦b", "text")


async def test_pictures_go_to_localai_as_bare_text(shop):
    request = ImageToImage(prompt="at night", image=STILL, references=(Reference(image=STILL),))
    await shop.buy(request, model="mine-local")
    body = shop.paid.json
    assert body["file"].startswith("iVBOR")
    assert [one[:5] for one in body["ref_images"]] == ["iVBOR"]


async def test_localai_answers_a_clip_at_once(shop):
    request = ImageToVideo(prompt="go", image=STILL, duration_s=2, fps=8, size=(64, 32), seed=3)
    result = await shop.buy(request, model="mine-local")
    body = shop.paid.json
    assert (shop.paid.path, body.pop("start_image")[:5]) == ("/video", "iVBOR")
    assert body == {
        "model": "localai/flux",
        "prompt": "go",
        "num_frames": 16,
        "fps": 8,
        "width": 64,
        "height": 32,
        "seed": 3,
        "response_format": "b64_json",
    }
    assert (result.artifact.mime_type, result.artifact.facts.width) == ("video/mp4", 64)
    assert shop.asked == ["POST /video"]


@pytest.mark.parametrize(
    "request_", [TextToSound(prompt="rain", duration_s=2), TextToMusic(prompt="rain", duration_s=2)]
)
async def test_localai_makes_sound_in_the_words_of_elevenlabs(shop, request_):
    await shop.buy(request_, model="mine-local")
    assert shop.paid.path == "/v1/sound-generation"
    assert shop.paid.json == {"model_id": "localai/flux", "text": "rain", "duration_seconds": 2}


# --------------------------------------------------------------------------------------------------------------- speech


async def test_kokoro_is_told_not_to_stream(shop):
    result = await shop.buy(SAID.with_(language="en-GB", speed=1.5), model="mine-kokoro")
    assert shop.paid.json == {
        "model": "kokoro/tts",
        "input": "hello",
        "voice": "af_heart",
        "speed": 1.5,
        "lang_code": "b",
        "stream": False,
    }
    assert result.artifact.mime_type == "audio/mpeg"


async def test_a_voice_of_chatterbox_is_the_name_of_a_file(shop):
    await shop.buy(SAID.with_(voice="Emily.wav", seed=1), model="mine-chatterbox")
    assert shop.paid.json["voice"] == "Emily.wav"
    submission = await shop.submit(
        {"model": "chatterbox/x", "input": "hello", "voice": "nobody"}, "x", "text-to-speech", "chatterbox"
    )
    assert (submission.outcome, submission.error.status_code) == ("rejected", 404)


@pytest.mark.parametrize("change", [{"format": "mp3"}, {"speed": 2}])
async def test_what_a_server_would_ignore_is_refused_before_it_is_asked(shop, change):
    with pytest.raises((errors.NoRouteError, errors.RequestError)):
        await shop.buy(SAID.with_(**change), model="mine-chatterbox-api")
    assert shop.emulator.requests == []


async def test_what_comes_decides_and_not_what_was_asked_for(shop):
    """The same server behind an offer that does not say which it is: it makes WAV although MP3 is asked for."""
    result = await shop.buy(SAID.with_(format="mp3"), model="mine-unnamed")
    assert shop.paid.json["response_format"] == "mp3"
    assert (result.artifact.mime_type, result.artifact.path.suffix) == ("audio/wav", ".wav")


async def test_a_sound_that_is_announced_by_another_name_is_known(shop):
    result = await shop.buy(SAID.with_(format="opus"), model="mine-openedai")
    assert result.artifact.mime_type in ("audio/ogg", "audio/opus")


# -------------------------------------------------------------------------------------------------- two servers at once


async def test_two_servers_of_the_dialect_are_two_providers(tmp_path, quick):
    """The same table under another name, with another address."""
    (tmp_path / "models").mkdir()
    (tmp_path / "offers" / "my_kokoro").mkdir(parents=True)
    (tmp_path / "rates").mkdir()
    (tmp_path / "models" / "voice.toml").write_text('[model]\nmaker = "mine"\ntier = "workhorse"\n')
    (tmp_path / "offers" / "my_kokoro" / "voice.toml").write_text(
        'model = "voice"\nendpoint = "kokoro/tts"\ndialect = "kokoro"\ntask = "text-to-speech"\n'
        'checked = 2026-11-21\nmeters = [{ unit = "request", quantity = "1" }]\n'
    )
    (tmp_path / "rates" / "my_kokoro.toml").write_text(
        '[[rate]]\nendpoint = "*"\nunit = "request"\nusd = "0"\nfrom = 2026-01-01\nnote = "mine"\n'
    )
    place = "aggregator.providers.openai_compatible:PROVIDER"
    async with opened(NAME, quick, registry={"paths": [str(tmp_path)]}) as shop:
        address = shop.emulator.url(NAME)
        shop.settings["providers"] = {"my_kokoro": {"table": place, "base_url": address}}
        shop.settings["routing"] = {"allow": ["my_kokoro"]}
        result = await shop.buy(SAID, model="voice")
        assert shop.paid.json["stream"] is False
        assert (result.cost.amount_usd, shop.paid.path) == (Decimal(0), "/audio/speech")
    config = Config.of({"providers": {"my_kokoro": {"table": place, "base_url": "http://127.0.0.1:8880/v1"}}})
    tables = provider_tables(config)
    assert (tables["my_kokoro"].name, tables["my_kokoro"].base_url) == ("my_kokoro", "http://127.0.0.1:8880/v1")
    assert tables[NAME].base_url == ""
    assert Registry.load([tmp_path], mappings=mappings_of(tables)).offers("text-to-speech")
