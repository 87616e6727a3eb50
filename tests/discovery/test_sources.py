"""Each source reads what its documents say it answers; an answer of another form is an error, never a proposal."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from aggregator.discovery.found import Found, FoundOffer
from aggregator.discovery.sources import sources
from aggregator.errors import AuthenticationError, ConfigurationError, ProviderError, ResponseFormatError

from .documents import fal_model, replicate_model
from .shelf import DAY, KEY, Shelf

API = "api.fal.ai/v1/models"
WHERE = {
    "arena": "api.wulong.dev/",
    "artificial-analysis": "artificialanalysis.ai/",
    "bfl": "docs.bfl.ai/",
    "bedrock": "bedrock.us-east-1.amazonaws.com/",
    "comfy": "api.comfy.org/",
    "elevenlabs": "api.elevenlabs.io/",
    "fal": "api.fal.ai/",
    "gemini": "generativelanguage.googleapis.com/",
    "huggingface": "huggingface.co/",
    "ideogram": "api.ideogram.ai/",
    "kling": "kling.ai/",
    "litellm": "raw.githubusercontent.com/",
    "lmarena": "datasets-server.huggingface.co/",
    "models.dev": "models.dev/",
    "openai": "api.openai.com/",
    "openrouter": "openrouter.ai/",
    "portkey": "raw.githubusercontent.com/Portkey-AI/",
    "recraft": "external.api.recraft.ai/",
    "replicate": "api.replicate.com/",
    "runware": "schemas.runware.ai/",
    "stability": "api.stability.ai/",
    "together": "api.together.ai/",
    "topaz_video": "api.topazlabs.com/",
    "venice": "api.venice.ai/",
    "vercel": "ai-gateway.vercel.sh/",
    "xai": "api.x.ai/",
}


def offers(found: Found) -> dict[str, FoundOffer]:
    return {offer.endpoint: offer for offer in found.offers}


def test_every_source_has_a_place_here():
    assert WHERE.keys() == sources().keys()


def test_every_source_says_what_it_was_read_with_and_what_was_not_seen():
    for source in sources().values():
        assert date.fromisoformat(source.checked) <= DAY
        assert source.docs.startswith("https://")


@pytest.mark.parametrize("name", sorted(WHERE))
@pytest.mark.parametrize("answer", ["<html>one moment</html>", "[1, 2]", {"error": "no"}, '{"data": [', {"data": [7]}])
async def test_an_answer_of_another_form_is_an_error(name: str, answer: Any):
    with pytest.raises(ResponseFormatError, match=r"answered in another form|not JSON"):
        await Shelf({WHERE[name]: answer}).found(name, "some/model")


@pytest.mark.parametrize("name", sorted(set(WHERE) - {"replicate", "huggingface"}))
async def test_a_source_that_is_not_where_it_was_is_an_error(name: str):
    with pytest.raises(ProviderError, match="404"):
        await Shelf({}).found(name, "some/model")


async def test_a_source_that_wants_a_key_says_which():
    with pytest.raises(ConfigurationError, match="set FAL_KEY"):
        await Shelf({}).found("fal", NOTHING="1")


async def test_a_key_that_is_refused_is_told_and_not_shown():
    with pytest.raises(AuthenticationError) as caught:
        await Shelf({"api.openai.com/": (401, {"error": {"message": f"bad {KEY}"}})}).found("openai")
    assert KEY not in str(caught.value)


async def test_fal_lists_page_after_page_and_says_prices():
    first = {"models": [fal_model("fal-ai/flux-2", category="text-to-image")], "next_cursor": "Mg==", "has_more": True}
    second = {
        "models": [{"endpoint_id": "x/y", "metadata": {"category": "llm", "status": "active"}}],
        "has_more": False,
    }
    ended = {
        "models": [fal_model("fal-ai/dia-tts", status="deprecated", date="2025-01-14T00:00:00Z")],
        "has_more": False,
    }
    priced = {
        "prices": [{"endpoint_id": "fal-ai/flux-2", "unit_price": 0.012, "unit": "megapixels", "currency": "USD"}]
    }
    shelf = Shelf(
        {
            f"{API}?limit=100&status=active": first,
            f"{API}?limit=100&status=active&cursor=Mg%3D%3D": second,
            f"{API}?limit=100&status=deprecated": ended,
            f"{API}/pricing?endpoint_id=fal-ai/flux-2": priced,
        }
    )
    found = await shelf.found("fal", "fal-ai/flux-2")
    assert found.whole == ("fal",)
    assert offers(found)["fal-ai/flux-2"].tasks == ("text-to-image",)
    assert offers(found)["x/y"].tasks == ()
    assert (offers(found)["fal-ai/dia-tts"].status, offers(found)["fal-ai/dia-tts"].released) == (
        "deprecated",
        date(2025, 1, 14),
    )
    (price,) = found.prices
    assert (price.unit, price.usd) == ("megapixel", Decimal("0.012"))
    assert all(request.headers["Authorization"] == f"Key {KEY}" for request in shelf.asked)


async def test_fal_is_asked_for_the_schema_of_one_endpoint():
    shelf = Shelf({API: {"models": [fal_model("fal-ai/flux-2")], "has_more": False}, f"{API}/pricing": {"prices": []}})
    found = await shelf.found("fal", "fal-ai/flux-2", everything=False)
    assert found.whole == ()
    assert found.offers[0].schema["openapi"] == "3.0.4"
    assert shelf.asked[0].url == f"https://{API}?endpoint_id=fal-ai/flux-2&expand=openapi-3.0"


@pytest.mark.parametrize(
    ("row", "unit"),
    [
        ({"unit_price": 0.05, "unit": "video", "currency": "USD"}, "video"),
        ({"unit_price": "0.05", "unit": "1000 characters", "currency": "USD"}, "kilo_character"),
        ({"unit_price": 0.05, "unit": "credits", "currency": "USD"}, None),
        ({"unit_price": 0.05, "unit": "image", "currency": "EUR"}, "none"),
        ({"unit_price": -1, "unit": "image", "currency": "USD"}, "none"),
        ({"unit_price": None, "unit": "image", "currency": "USD"}, "none"),
    ],
)
async def test_units_that_are_not_known_are_said_and_other_money_is_not_taken(row: dict[str, Any], unit: str | None):
    shelf = Shelf({API: {"models": []}, f"{API}/pricing": {"prices": [{"endpoint_id": "a/b", **row}]}})
    found = await shelf.found("fal", "a/b")
    assert [price.unit for price in found.prices] == ([] if unit == "none" else [unit])


async def test_openrouter_says_prices_by_second_resolution_and_sound():
    skus = {
        "per-video-second": "0.40",
        "per-video-second-1080p": "0.50",
        "duration_seconds_without_audio_720p": "0.03",
        "cents_per_second_output": "12",
        "video_tokens": "0.0000024",
    }
    clip = {"id": "a/clip", "supported_frame_images": ["first_frame"], "created": 1760486400, "pricing_skus": skus}
    picture = {"id": "a/still", "architecture": {"input_modalities": ["text", "image"]}, "supported_parameters": {}}
    at = "openrouter.ai/api/v1"
    shelf = Shelf(
        {
            f"{at}/videos/models": {"data": [clip]},
            f"{at}/images/models": {"data": [picture]},
            f"{at}/models?output_modalities=speech": {"data": [{"id": "a/voice"}]},
        }
    )
    found = await shelf.found("openrouter", NOTHING="1")
    assert offers(found)["a/clip"].tasks == ("text-to-video", "image-to-video")
    assert offers(found)["a/clip"].released == date(2025, 10, 15)
    assert offers(found)["a/still"].tasks == ("text-to-image", "image-to-image")
    assert offers(found)["a/voice"].tasks == ("text-to-speech",)
    assert {(price.unit, price.usd, *price.when.items()) for price in found.prices} == {
        ("video_second", Decimal("0.40")),
        ("video_second", Decimal("0.50"), ("resolution", ("1080p",))),
        ("video_second", Decimal("0.03"), ("audio", (False,)), ("resolution", ("720p",))),
        ("video_second", Decimal("0.12")),
        (None, Decimal("0.0000024")),
    }


async def test_replicate_is_asked_for_each_model_and_a_missing_one_is_gone():
    shelf = Shelf({"api.replicate.com/v1/models/google/veo-3.1": replicate_model("google/veo-3.1")})
    found = await shelf.found("replicate", "google/veo-3.1", "google/veo-0")
    assert offers(found)["google/veo-3.1"].status == "active"
    assert offers(found)["google/veo-3.1"].schema["version"].startswith("ed5b1767")
    assert offers(found)["google/veo-0"].status == "retired"


@pytest.mark.parametrize("as_list", [True, False])
async def test_hugging_face_names_hosts(as_list: bool):
    hosts: Any = {"fal-ai": {"status": "live", "providerId": "fal-ai/flux/dev", "task": "text-to-image"}}
    if as_list:
        hosts = [{"provider": name, **about} for name, about in hosts.items()]
    row = {"id": "black-forest-labs/FLUX.1-dev", "inferenceProviderMapping": hosts}
    found = await Shelf({"huggingface.co/api/models/black-forest-labs/FLUX.1-dev": row}).found(
        "huggingface", "black-forest-labs/FLUX.1-dev"
    )
    (offer,) = found.offers
    assert (offer.endpoint, offer.status, offer.note) == ("fal-ai/flux/dev", "active", "at fal-ai")


async def test_openai_says_when_models_end():
    rows = [
        {"id": "tts-1", "created": 1681940951, "shutdown_date": "2027-01-06"},
        {"id": "gpt-image-2", "created": 1760486400, "shutdown_date": None},
    ]
    found = await Shelf({"api.openai.com/v1/models": {"data": rows}}).found("openai")
    assert offers(found)["tts-1"].retires == date(2027, 1, 6)
    assert offers(found)["gpt-image-2"].retires is None
    assert found.whole == ()


async def test_gemini_pages_and_knows_previews():
    at = "generativelanguage.googleapis.com/v1beta/models?pageSize=1000"
    first = {"models": [{"name": "models/veo-3.1-generate-preview"}], "nextPageToken": "t/1"}
    second = {"models": [{"name": "models/gemini-2.5-flash-image", "supportedGenerationMethods": ["generateContent"]}]}
    found = await Shelf({at: first, f"{at}&pageToken=t%2F1": second}).found("gemini")
    assert offers(found)["veo-3.1-generate-preview"].status == "preview"
    assert offers(found)["gemini-2.5-flash-image"].note == "generateContent"


async def test_elevenlabs_says_what_models_can_do():
    rows = [{"model_id": "eleven_v4", "name": "v4", "can_do_text_to_speech": True, "can_do_voice_conversion": False}]
    found = await Shelf({"api.elevenlabs.io/v1/models": rows}).found("elevenlabs")
    assert offers(found)["eleven_v4"].tasks == ("text-to-speech",)


async def test_kling_names_its_models_in_a_text():
    text = "# Kling\n- kling-v3 (2026-02)\n- `kling-3.0-turbo`: 0.084 USD/s\n- kling-video-o1\nsee kling.ai"
    found = await Shelf({"kling.ai/llms.txt": text}).found("kling")
    assert set(offers(found)) == {"kling-v3", "kling-3.0-turbo", "kling-video-o1"}
    assert found.prices == ()


async def test_openapi_documents_say_what_is_deprecated():
    paths = {"/v2beta/stable-image/generate/core": {"post": {"deprecated": True}}, "/v1/user/balance": {"get": {}}}
    found = await Shelf({"api.stability.ai/v2alpha/openapi": {"paths": paths}}).found("stability")
    assert [(one.endpoint, one.status) for one in found.offers] == [("generate/core", "deprecated")]
    own = {"/generate/ideogram-4": {"post": {"summary": "Generate"}}}
    found = await Shelf({"api.ideogram.ai/openapi.json": {"paths": own}}).found("ideogram")
    assert [(one.endpoint, one.status) for one in found.offers] == [("generate/ideogram-4", "active")]


@pytest.mark.parametrize(
    ("name", "url", "row"),
    [
        ("recraft", "external.api.recraft.ai/v1/models", {"id": "recraftv4"}),
        ("xai", "api.x.ai/v1/models", {"id": "grok-imagine-image"}),
        ("together", "api.together.ai/v1/models", {"id": "vidu/vidu-q1", "type": "video"}),
        ("comfy", "api.comfy.org/v2/models", {"id": "bfl/flux-2-pro"}),
        ("venice", "api.venice.ai/api/v1/models", {"id": "venice-sd35", "model_spec": {"name": "Venice"}}),
        ("vercel", "ai-gateway.vercel.sh/v1/models", {"id": "google/veo-3.1", "type": "video"}),
    ],
)
async def test_plain_lists_of_ids(name: str, url: str, row: dict[str, Any]):
    found = await Shelf({url: {"data": [row, {"no": "id", "type": "video"}]}}).found(name)
    assert set(offers(found)) == {row["id"]}


@pytest.mark.parametrize("end", ["2026-09-30T00:00:00Z", 1790726400, 1790726400.0])
async def test_bedrock_says_the_days_of_a_models_life(end: Any):
    life = {
        "status": "LEGACY",
        "startOfLifeTime": "2024-12-03T00:00:00Z",
        "legacyTime": "2026-03-30",
        "endOfLifeTime": end,
    }
    canvas = {"modelId": "amazon.nova-canvas-v1:0", "modelName": "Nova Canvas", "outputModalities": ["IMAGE"]}
    chat = {"modelId": "amazon.nova-pro-v1:0", "outputModalities": ["TEXT"]}
    plain = {"modelId": "stability.sd3-5-large-v1:0", "outputModalities": ["IMAGE"]}
    listed = {"modelSummaries": [canvas | {"modelLifecycle": life}, chat, plain, {"outputModalities": ["IMAGE"]}]}
    found = await Shelf({"bedrock.us-east-1.amazonaws.com/foundation-models": listed}).found("bedrock")
    one = offers(found)["amazon.nova-canvas-v1:0"]
    assert (one.status, one.released, one.deprecated) == ("deprecated", date(2024, 12, 3), date(2026, 3, 30))
    assert one.retires == date(2026, 9, 30)
    assert offers(found).keys() == {one.endpoint, plain["modelId"]}
    assert offers(found)["stability.sd3-5-large-v1:0"].status is None, "it does not say, so we do not either"
    assert len(found.left_out) == 1


PORTKEY = "raw.githubusercontent.com/Portkey-AI/models/main/pricing/"


def portkey(**images: Any) -> dict[str, Any]:
    """A file of Portkey-AI/models@f654307: cents of an image by quality, then by size."""
    rows = {name: {"pay_as_you_go": words or {"request_token": {"price": 0}}} for name, words in images.items()}
    return {name: {"pricing_config": row} for name, row in {"default": {"pay_as_you_go": {}}, **rows}.items()}


def always(cents: float) -> dict[str, Any]:
    return {"image": {"default": {"default": {"price": cents}}}}


async def test_portkeys_cents_are_dollars_and_what_hangs_on_quality_is_left_out():
    by_size = {"image": {"default": {"default": {"price": 21.1}, "1024x768": {"price": 14.5}}, "low": {}}}
    pages = {
        "fal-ai": portkey(**{"fal-ai/nano-banana-2": always(3.98), "openai/gpt-image-2": by_size, "openai/gpt-4o": {}}),
        "stability-ai": portkey(ultra=always(8), **{"sd3.5-medium": always(3.5)}),
        "byteplus": portkey(**{"seedream-4-5-251128": {"additional_units": {"generated_images": {"price": 4}}}}),
        "together-ai": portkey(**{"black-forest-labs/FLUX.1.1-pro": always(0.04)}),
    }
    found = await Shelf({f"{PORTKEY}{name}.json": page for name, page in pages.items()}).found("portkey")
    assert {(price.provider, price.endpoint): price.usd for price in found.prices} == {
        ("fal", "fal-ai/nano-banana-2"): Decimal("0.0398"),
        ("stability", "generate/ultra"): Decimal("0.08"),
        ("stability", "sd3.5-medium"): Decimal("0.035"),
        ("ark", "seedream-4-5-251128"): Decimal("0.04"),
        ("together", "black-forest-labs/FLUX.1.1-pro"): Decimal("0.04"),
    }
    assert {price.unit for price in found.prices} == {"image"}
    assert found.left_out == ("openai/gpt-image-2: by quality and size",)


async def test_topaz_names_the_models_that_are_up_and_none_that_is_gone():
    said = {"isAvailable": True, "availabilityMessage": "", "supportedModels": ["prob-4", "iris-3"]}
    found = await Shelf({"api.topazlabs.com/video/status": said}).found("topaz_video")
    assert set(offers(found)) == {"prob-4", "iris-3"}
    assert found.whole == ()


async def test_bfl_has_an_operation_for_each_model():
    paths = {
        "/v1/flux-pro-1.1": {"post": {"summary": "FLUX 1.1", "deprecated": True}},
        "/v1/flux-2-pro": {"post": {"summary": "FLUX.2"}},
        "/v1/finetune": {"post": {"summary": "Train"}},
        "/v1/get_result": {"get": {}},
    }
    found = await Shelf({"docs.bfl.ai/openapi.json": {"paths": paths}}).found("bfl")
    assert {one.endpoint: one.status for one in found.offers} == {"flux-pro-1.1": "deprecated", "flux-2-pro": "active"}


async def test_runware_names_models_by_their_air():
    models = {
        "runware:101@1": {"taskType": "imageInference", "id": "flux-1-dev"},
        "google:3@2": {"taskType": "videoInference", "id": "veo-3.1"},
        "openai:gpt@5": {"taskType": "textInference", "id": "gpt-5"},
        "broken:1@1": {"taskType": 42},
    }
    found = await Shelf({"schemas.runware.ai/registry.json": {"version": "x", "models": models}}).found("runware")
    assert {one.endpoint: one.title for one in found.offers} == {"runware:101@1": "flux-1-dev", "google:3@2": "veo-3.1"}
    assert found.left_out == ("broken:1@1: no taskType",)


async def test_what_is_no_picture_clip_or_sound_is_left_alone():
    chat = {"id": "meta/llama", "type": "chat"}
    found = await Shelf({"api.together.ai/v1/models": [chat, {"id": "a/b", "type": "image"}]}).found("together")
    assert set(offers(found)) == {"a/b"}


async def test_litellm_is_read_for_media_only():
    rows: dict[str, Any] = {f"filler-{number}": {"mode": "chat"} for number in range(120)}
    rows["fal_ai/fal-ai/nano-banana"] = {
        "litellm_provider": "fal_ai",
        "mode": "image_generation",
        "output_cost_per_image": 0.039,
    }
    rows["openai/sora-2"] = {
        "litellm_provider": "openai",
        "mode": "video_generation",
        "output_cost_per_second": 0.0,
        "deprecation_date": "2026-09-24",
    }
    found = await Shelf({"raw.githubusercontent.com/BerriAI/litellm": rows}).found("litellm")
    assert [(one.provider, one.endpoint, one.usd) for one in found.prices] == [
        ("fal", "fal-ai/nano-banana", Decimal("0.039"))
    ]
    assert [(one.endpoint, one.retires) for one in found.offers] == [("sora-2", date(2026, 9, 24))]


async def test_models_dev_says_when_models_came():
    models = {
        "gemini-2.5-flash-image": {"modalities": {"output": ["image"]}, "release_date": "2025-10-02"},
        "gemini-3-pro": {"modalities": {"output": ["text"]}, "release_date": "2025-11-18"},
    }
    found = await Shelf({"models.dev/api.json": {"google": {"models": models}, "nobody": {"models": models}}}).found(
        "models.dev"
    )
    assert [(one.provider, one.endpoint, one.released) for one in found.offers] == [
        ("gemini", "gemini-2.5-flash-image", date(2025, 10, 2))
    ]


async def test_artificial_analysis_says_scores_with_their_spread():
    row = {"id": "x", "slug": "veo-3-1", "elo": 1226.5, "rank": 2, "ci95": "-9/+10", "appearances": 8123}
    shelf = Shelf({"artificialanalysis.ai/api/v2/data/media/": {"status": 200, "data": [row, {"slug": "broken"}]}})
    found = await shelf.found("artificial-analysis")
    reading = next(one for one in found.readings if one.board == "artificial-analysis/text-to-video")
    assert (reading.name, reading.score, reading.rank, reading.votes) == ("veo-3-1", 1226.5, 2, 8123)
    assert (reading.minus, reading.plus, reading.as_of) == (9, 10, DAY)
    assert found.left_out
    assert shelf.asked[0].headers["x-api-key"] == KEY


@pytest.mark.parametrize(
    ("spread", "expected"), [({"ci_low": 12, "ci_high": 13}, (12, 13)), ({"ci": 9}, (9, 9)), ({}, (None, None))]
)
async def test_the_arena_says_the_day_of_each_board(
    spread: dict[str, Any], expected: tuple[float | None, float | None]
):
    def board(name: str) -> dict[str, Any]:
        about = {"leaderboard": name, "last_updated": "Jun 29, 2026", "fetched_at": "2026-08-01T19:50:02+00:00"}
        return {"meta": about, "models": [{"rank": 1, "model": "m", "votes": 3010, "score": 1377, **spread}]}

    at = "api.wulong.dev/arena-ai-leaderboards/v1/leaderboard?name="
    names = ("text-to-image", "image-edit", "text-to-video", "image-to-video", "video-edit")
    found = await Shelf({f"{at}{name}": board(name) for name in names}).found("arena")
    reading = next(one for one in found.readings if one.board == "lmarena/video-to-video")
    assert (reading.as_of, reading.score, reading.votes) == (date(2026, 6, 29), 1377, 3010)
    assert (reading.minus, reading.plus) == expected


def arena_row(**words: Any) -> dict[str, Any]:
    """A row as huggingface.co/docs/dataset-viewer/rows wraps one of the set's."""
    row = {"model_name": "veo-3.1-audio", "organization": "google", "license": "Proprietary", "rating": 1363.5}
    row |= {"rating_lower": 1355.5, "rating_upper": 1370.0, "variance": 13.7, "vote_count": 13691.0, "rank": 7}
    row |= {"category": "overall", "leaderboard_publish_date": "2026-08-13", **words}
    return {"row_idx": 0, "row": row, "truncated_cells": []}


ARENA_SET = "datasets-server.huggingface.co/rows?dataset=lmarena-ai/leaderboard-dataset&split=latest&config="


async def test_the_arenas_own_set_is_read_page_after_page():
    first = [arena_row(), arena_row(category="anime", rating=1), arena_row(model_name="no-interval", rating_lower=None)]
    pages = {
        ARENA_SET: {"features": [], "rows": [], "num_rows_total": 0, "partial": False},
        f"{ARENA_SET}text_to_video&offset=0&length=100": {"rows": first, "num_rows_total": 101, "partial": False},
        f"{ARENA_SET}text_to_video&offset=100&length=100": {
            "rows": [arena_row(model_name="last", rank=None), arena_row(rating=None)],
            "num_rows_total": 101,
            "partial": False,
        },
    }
    shelf = Shelf(pages)
    found = await shelf.found("lmarena")
    assert [one.name for one in found.readings] == ["veo-3.1-audio", "no-interval", "last"]
    one = found.readings[0]
    assert (one.board, one.score, one.as_of) == ("lmarena/text-to-video", 1363.5, date(2026, 8, 13))
    assert (one.minus, one.plus, one.votes, one.rank) == (8, 6.5, 13691, 7)
    assert (found.readings[1].minus, found.readings[2].rank) == (None, None)
    assert len(found.left_out) == 1
    assert len(shelf.asked) == 6


async def test_a_part_of_the_arenas_set_is_not_taken_for_the_whole():
    part = {"rows": [arena_row()], "num_rows_total": 1, "partial": True}
    with pytest.raises(ResponseFormatError, match="only a part"):
        await Shelf({ARENA_SET: part}).found("lmarena")


async def test_a_list_without_end_is_another_form():
    endless = {"models": [], "next_cursor": "again", "has_more": True}
    with pytest.raises(ResponseFormatError, match="more than 200 pages"):
        await Shelf({API: endless}).found("fal")
