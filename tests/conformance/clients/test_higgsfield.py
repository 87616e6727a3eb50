"""The official client of Higgsfield (higgsfield-client 0.2.0): the emulator suits it, and we ask for what it asks for.

Normalised, each on purpose:

* `content-type: application/json` on requests without a body: the client sends it always, we only with one.
* headers of the transport, `user-agent` and `accept` (see `tests.conformance.compare`).
* the name of an upload: it is chance.
"""

import dataclasses
import time
from importlib import import_module
from typing import Any

import pytest

from aggregator.tasks import ImageToImage, ImageToVideo, TextToImage, TextToVideo, VideoToVideo
from tests.conformance.compare import same
from tests.providers.harness import STILL

higgsfield_client = import_module("higgsfield_client")

from higgsfield_client.exceptions import HiggsfieldClientError  # noqa: E402
from higgsfield_client.http import client as module  # noqa: E402
from higgsfield_client.types_ import NSFW, Cancelled, Completed, Failed, InProgress, Queued  # noqa: E402

PROVES = {
    "text-to-image": "client",
    "image-to-image": "client",
    "text-to-video": "client",
    "image-to-video": "client",
    "video-to-video": "client",
}
PICTURE, FILM = "https://example.com/a.png", "https://example.com/a.mp4"
INTENTS: dict[str, tuple[Any, str, dict[str, Any]]] = {
    "text-to-image": (
        TextToImage(prompt="a fox", resolution="4k", aspect_ratio="3:2"),
        "higgsfield-ai/soul/standard",
        {"prompt": "a fox", "resolution": "4K", "aspect_ratio": "3:2"},
    ),
    "text-to-video": (
        TextToVideo(prompt="a fox", duration_s=5, negative_prompt="dogs"),
        "kling-video/v2.5-turbo/pro/text-to-video",
        {"prompt": "a fox", "duration": 5, "negative_prompt": "dogs"},
    ),
    "image-to-video": (
        ImageToVideo(image=PICTURE, prompt="ein Füchslein 🦊", seed=5),
        "higgsfield-ai/dop/standard",
        {"image_url": PICTURE, "prompt": "ein Füchslein 🦊", "seed": 5},
    ),
}


@pytest.fixture
def client(emulator: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(module, "BASE_URL", emulator.url("higgsfield"))
    sleep = time.sleep
    monkeypatch.setattr(time, "sleep", lambda seconds: sleep(min(seconds, 0.005)))
    return module.SyncClient(base_url=emulator.url("higgsfield"), api_key=emulator.keys["higgsfield"])


OF_USERS: dict[str, tuple[Any, str, dict[str, Any], str]] = {
    "image-to-image": (
        ImageToImage(image=PICTURE, prompt="in winter"),
        "acme/painter/edit-image",
        {"image_urls": [PICTURE], "prompt": "in winter"},
        'fields = { prompt = "prompt", image = { to = "image_urls", listed = true } }',
    ),
    "video-to-video": (
        VideoToVideo(video=FILM, prompt="in winter"),
        "acme/painter/edit-video",
        {"video_url": FILM, "prompt": "in winter"},
        'fields = { prompt = "prompt", video = "video_url" }',
    ),
}
"""Of these tasks the package has no offer: the row is a user's own."""


@pytest.mark.parametrize("task", OF_USERS)
async def test_a_users_own_row_asks_for_what_the_client_asks_for(
    task: str, client: Any, ours: Any, bought: Any, row: Any
) -> None:
    request, application, arguments, fields = OF_USERS[task]
    result = client.subscribe(application, arguments)
    url = result["images"][0]["url"] if task.endswith("image") else result["video"]["url"]
    assert "/files/" in url
    (theirs,) = bought("higgsfield")
    (mine,) = await ours("higgsfield", request, **row("higgsfield", application, task, fields))
    assert same(mine, theirs) == []


@pytest.mark.emulator(latency_s=0.1)
@pytest.mark.parametrize("task", INTENTS)
async def test_the_client_is_served_and_asks_what_we_ask(
    task: str, client: Any, emulator: Any, ours: Any, bought: Any
) -> None:
    request, application, arguments = INTENTS[task]
    controller = client.submit(application, arguments)
    seen = [type(status) for status in controller.poll_request_status(delay=0.005)]
    assert list(dict.fromkeys(seen)) == [Queued, InProgress, Completed]
    result = controller.get()
    url = result["images"][0]["url"] if task.endswith("image") else result["video"]["url"]
    assert "/files/" in url
    (theirs,) = bought("higgsfield")
    looked = emulator.requests[-1]
    (mine,) = await ours("higgsfield", request, model=f"higgsfield:{application}")
    assert same(mine, theirs) == []
    look = emulator.requests[-1]
    assert look.path == f"/requests/{mine.job_id}/status"
    headers = {name: value for name, value in looked.headers.items() if name != "content-type"}
    assert same(dataclasses.replace(look, path=looked.path), dataclasses.replace(looked, headers=headers)) == []


async def test_a_file_is_uploaded_alike(client: Any, emulator: Any, ours: Any) -> None:
    url = client.upload_file(STILL)
    sign, put = emulator.requests
    await ours("higgsfield", ImageToVideo(image=STILL, prompt="a fox"), model="higgsfield:higgsfield-ai/dop/lite")
    our_sign, our_put = emulator.requests[2:4]
    assert same(our_sign, sign) == []
    assert same(dataclasses.replace(our_put, path=put.path), put) == []
    assert url.endswith(put.path)


@pytest.mark.parametrize(
    ("fate", "kind"),
    [("failed", Failed), ("moderated_output", NSFW), ("canceled", Cancelled)],
)
def test_the_client_sees_how_a_job_ended(fate: str, kind: Any, client: Any, emulator: Any) -> None:
    emulator.script("higgsfield", fate)
    controller = client.submit("higgsfield-ai/soul/standard", {"prompt": "a fox"})
    *_, last = controller.poll_request_status(delay=0.005)
    assert isinstance(last, kind)


def test_the_client_cancels_what_waits(client: Any, emulator: Any) -> None:
    controller = client.submit("higgsfield-ai/soul/standard", {"prompt": "a fox"})
    controller.cancel()
    cancel = emulator.requests[-1]
    assert (cancel.method, cancel.path, cancel.body, cancel.status) == (
        "POST",
        f"/requests/{controller.request_id}/cancel",
        b"",
        202,
    )
    assert isinstance(client.status(controller.request_id), Cancelled)


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("bad_key", "Invalid credentials"),
        ("no_credit", "Not enough credits"),
        ("rate_limited", "Maximum number of concurrent requests"),
        ("throttled", "Too many requests"),
        ("invalid", "this is not valid"),
        ("not_found", "Not found"),
        ("locked", "not available"),
        ("unavailable", "Service unavailable"),
        ("server_error", "Internal server error"),
    ],
)
def test_the_client_reads_every_error(fault: str, said: str, client: Any, emulator: Any) -> None:
    emulator.script("higgsfield", fault, fault, fault)  # it asks up to three times
    with pytest.raises(HiggsfieldClientError, match=said):
        client.submit("higgsfield-ai/soul/standard", {"prompt": "a fox"})


async def test_the_webhook_is_asked_for_where_our_table_says(client: Any, emulator: Any) -> None:
    from aggregator.providers.higgsfield import PROVIDER

    client.submit("higgsfield-ai/soul/standard", {"prompt": "a fox"}, webhook_url="https://example.com/hook?a=1")
    assert PROVIDER.webhook is not None
    assert PROVIDER.webhook.ask == "@query.hf_webhook"
    assert emulator.requests[0].query == {"hf_webhook": "https://example.com/hook?a=1"}
