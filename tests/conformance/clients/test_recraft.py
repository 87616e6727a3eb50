"""openai 3.52.0, which Recraft tells its users to take: it is content with the emulator, and asks for what we ask for.

Only the making of pictures can be asked for with it; the tools are held against the vendor's schema in
`tests/providers/recraft`. Not compared: the client's own headers (`x-stainless-*`, `user-agent`).
"""

import urllib.request
from importlib import import_module
from typing import Any

import pytest

from aggregator.tasks import TextToImage
from aggregator.testing.emulator import Emulator
from tests.conformance.compare import same

openai = import_module("openai")

PROVES = {"text-to-image": "client"}
THEIRS = ["x-stainless-*", "openai-*"]


def client(emulator: Emulator, key: str | None = None) -> Any:
    base = emulator.url("recraft") + "/v1"
    return openai.OpenAI(api_key=key or emulator.keys["recraft"], base_url=base, max_retries=0)


INTENTS = {
    "by size": (
        TextToImage(prompt="a fox", size=(1280, 832)),
        "recraftv4_1",
        lambda c: c.images.generate(prompt="a fox", model="recraftv4_1", n=1, size="1280x832"),
    ),
    "with what is Recraft's own": (
        TextToImage(prompt="a fox", aspect_ratio="3:2", seed=3, negative_prompt="rain", format="png"),
        "recraftv3",
        lambda c: c.images.generate(
            prompt="a fox",
            model="recraftv3",
            n=1,
            size="3:2",
            extra_body={"random_seed": 3, "negative_prompt": "rain", "image_format": "png"},
        ),
    ),
}


@pytest.mark.parametrize("intent", INTENTS)
async def test_our_order_is_the_clients(intent: str, emulator: Emulator, ours: Any, bought: Any) -> None:
    request, model, call = INTENTS[intent]
    (mine,) = await ours("recraft", request, model=f"recraft:{model}")
    call(client(emulator))
    (theirs,) = bought("recraft")
    assert same(mine, theirs, ignore_headers=THEIRS) == []


@pytest.mark.parametrize("intent", INTENTS)
def test_the_client_gets_its_picture(intent: str, emulator: Emulator) -> None:
    (made,) = INTENTS[intent][2](client(emulator)).data
    with urllib.request.urlopen(made.url) as file:
        assert file.headers["content-type"] in ("image/webp", "image/png")


def test_the_client_gets_its_picture_inside(emulator: Emulator) -> None:
    answer = client(emulator).images.generate(
        prompt="a fox", model="recraftv4", n=2, response_format="b64_json", size="1024x1024"
    )
    assert all(made.b64_json for made in answer.data)
    assert len(answer.data) == 2


FAULTS = {
    "bad_key": openai.AuthenticationError,
    "not_found": openai.NotFoundError,
    "invalid": openai.BadRequestError,
    "rate_limited": openai.RateLimitError,
    "no_credit": openai.APIStatusError,
    "unavailable": openai.InternalServerError,
}


@pytest.mark.parametrize("fault", FAULTS)
def test_the_client_reads_every_error(fault: str, emulator: Emulator) -> None:
    emulator.script("recraft", fault)
    with pytest.raises(FAULTS[fault]) as caught:
        INTENTS["by size"][2](client(emulator))
    assert caught.value.status_code == emulator.desk("recraft").fault(fault).status


def test_a_wrong_key_is_refused(emulator: Emulator) -> None:
    with pytest.raises(openai.AuthenticationError):
        INTENTS["by size"][2](client(emulator, "wrong"))
