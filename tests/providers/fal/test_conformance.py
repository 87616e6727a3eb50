"""The official client, fal-client 1.0.3, is the oracle: it works with our server, and our engine sends what it sends.

Normalised before comparing, each on purpose:

* `host`, `connection`, `content-length`: of the transport; the body is compared itself.
* `user-agent`: everyone says who they are.
* `accept`, `accept-encoding`: we ask for nothing compressed.
* `logs`: the client sends `true` or `false`, we send `0`; both are documented as booleans.
* the name of an uploaded file: the client sends the name on disk, or none; we send a piece of the content hash.
"""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import fal_client
import fal_client.client
import pytest

from tests.providers.fal.harness import ENDPOINT, IMAGES, Fal, Source, running
from tests.providers.fal.server import CDN_TOKEN, KEY, PNG, Answer, Seen

OF_THE_TRANSPORT = {"host", "connection", "content-length", "user-agent", "accept", "accept-encoding"}


@pytest.fixture
async def fal(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Fal]:
    async with running() as it:
        for name in ("RUN_URL_FORMAT", "QUEUE_URL_FORMAT"):
            monkeypatch.setattr(fal_client.client, name, f"{it.server.url}/")
        monkeypatch.setattr(fal_client.client, "REST_URL", it.server.url)
        monkeypatch.setattr(fal_client.client, "CDN_URL", it.server.cdn_url)
        yield it


@pytest.fixture
async def official(fal: Fal) -> AsyncIterator[fal_client.AsyncClient]:
    client = fal_client.AsyncClient(key=KEY)
    yield client
    await (await client._client).aclose()


def essence(one: Seen) -> dict[str, Any]:
    """What of a request matters to fal."""
    headers = {name: value for name, value in one.headers.items() if name not in OF_THE_TRANSPORT}
    query = {name: value for name, value in one.query.items() if name != "logs"}
    is_json = headers.get("content-type") == "application/json"
    return {
        "method": one.method,
        "port": one.port,
        "path": one.path,
        "query": query,
        "headers": headers,
        "body": one.json if is_json else one.body,
    }


# -------------------------------------------------------------------------- the unmodified client against our server


async def test_the_client_follows_a_job_to_its_result(fal: Fal, official: fal_client.AsyncClient) -> None:
    fal.server.script(words=("IN_QUEUE", "IN_PROGRESS", "COMPLETED"))
    handle = await official.submit(ENDPOINT, {"prompt": "a fox"})
    events = [event async for event in handle.iter_events(interval=0.001)]
    assert [type(event) for event in events] == [fal_client.Queued, fal_client.InProgress, fal_client.Completed]
    assert events[0].position == 1
    result = await handle.get(interval=0.001)
    assert result["images"][0]["url"] == f"{fal.server.cdn_url}/files/out.png"
    assert fal.server.book()["accepted"] == 1
    assert fal.server.jobs[handle.request_id].body == {"prompt": "a fox"}


@pytest.mark.parametrize("endpoint", ["fal-ai/flux/schnell", "fal-ai/veo3.1", "workflows/me/film", "comfy/me/graph"])
async def test_the_addresses_we_hand_out_are_those_the_client_builds(
    endpoint: str, fal: Fal, official: fal_client.AsyncClient
) -> None:
    handle = await official.submit(endpoint, {})
    rebuilt = await official.get_handle(endpoint, handle.request_id)
    assert (handle.status_url, handle.response_url, handle.cancel_url) == (
        rebuilt.status_url,
        rebuilt.response_url,
        rebuilt.cancel_url,
    )


async def test_the_client_cancels(fal: Fal, official: fal_client.AsyncClient) -> None:
    fal.server.script(words=("IN_QUEUE",))
    handle = await official.submit(ENDPOINT, {})
    await handle.cancel()
    assert fal.server.jobs[handle.request_id].canceled
    with pytest.raises(fal_client.FalClientHTTPError) as caught:
        await handle.get()
    assert (caught.value.status_code, caught.value.error_type) == (499, "client_cancelled")


@pytest.mark.parametrize("status", [401, 403, 422, 500])
async def test_the_client_raises_what_our_server_says(status: int, fal: Fal, official: fal_client.AsyncClient) -> None:
    fal.server.script(submit=[Answer(status, {"detail": "no", "error_type": "bad_request"})])
    with pytest.raises(fal_client.FalClientHTTPError) as caught:
        await official.submit(ENDPOINT, {})
    assert (caught.value.status_code, caught.value.error_type, caught.value.message) == (status, "bad_request", "no")
    assert fal.server.book()["accepted"] == 0


async def test_the_client_sees_a_failed_job(fal: Fal, official: fal_client.AsyncClient) -> None:
    fal.server.script(
        error={"error": "the runner died", "error_type": "runner_disconnected"},
        result=[Answer(503, {"detail": "the runner died"}, {"x-fal-error-type": "runner_disconnected"})],
    )
    handle = await official.submit(ENDPOINT, {})
    status = await handle.status()
    assert isinstance(status, fal_client.Completed)
    assert (status.error, status.error_type) == ("the runner died", "runner_disconnected")
    with pytest.raises(fal_client.FalClientHTTPError) as caught:
        await handle.get()
    assert caught.value.error_type == "runner_disconnected"


async def test_the_client_uploads(fal: Fal, official: fal_client.AsyncClient) -> None:
    url = await official.upload(PNG, "image/png", "fox.png", fallback_repository=[])
    assert url.startswith(f"{fal.server.cdn_url}/files/")
    assert fal.server.files[url.rpartition("/")[2]] == PNG


# ----------------------------------------------------------------------------------- the same intent, byte for byte


async def both(fal: Fal, theirs: Any, ours: Any) -> None:
    """Run both; each must have sent the same requests."""
    start = len(fal.server.seen)
    await theirs
    middle = len(fal.server.seen)
    await ours
    sent_by_client = [essence(one) for one in fal.server.seen[start:middle]]
    assert sent_by_client
    assert [essence(one) for one in fal.server.seen[middle:]] == sent_by_client


@pytest.mark.parametrize(
    "body",
    [
        {"prompt": "a fox", "num_images": 1, "guidance": 0, "sync_mode": False, "image_size": {"width": 640}},
        {"prompt": "ein Füchslein 🦊 \"'\\ \u2028", "duration": "8s", "negative_prompt": None, "loras": []},
        {},
    ],
)
async def test_submit_is_sent_as_the_client_sends_it(
    body: dict[str, Any], fal: Fal, official: fal_client.AsyncClient
) -> None:
    await both(fal, official.submit(ENDPOINT, body), fal.submit(body))
    client, engine = fal.server.submits
    assert client.headers["authorization"] == engine.headers["authorization"] == f"Key {KEY}"
    assert client.json == engine.json == body
    assert client.body == engine.body


async def test_status_is_asked_as_the_client_asks(fal: Fal, official: fal_client.AsyncClient) -> None:
    handle = await official.submit(ENDPOINT, {})
    ours = {"status_url": handle.status_url}
    await both(fal, handle.status(), fal.engine.poll(fal.backend, ours))
    client, engine = fal.server.got("GET", "/status")
    assert (client.query, engine.query) == ({"logs": ["false"]}, {"logs": ["0"]})


async def test_result_is_fetched_as_the_client_fetches_it(fal: Fal, official: fal_client.AsyncClient) -> None:
    handle = await official.submit(ENDPOINT, {})
    reading = await fal.engine.poll(fal.backend, {"status_url": handle.status_url})
    client = await official._client
    await both(
        fal,
        fal_client.client._async_maybe_retry_request(client, "GET", handle.response_url),
        fal.engine.result(fal.backend, IMAGES, {"response_url": handle.response_url}, reading),
    )


async def test_cancel_is_sent_as_the_client_sends_it(fal: Fal, official: fal_client.AsyncClient) -> None:
    fal.server.default = None
    fal.server.script(words=("IN_QUEUE",))
    handle = await official.submit(ENDPOINT, {})

    async def again() -> None:
        fal.server.jobs[handle.request_id].canceled = False
        assert await fal.engine.cancel(fal.backend, {"cancel_url": handle.cancel_url})

    await both(fal, handle.cancel(), again())
    assert [one.body for one in fal.server.got("PUT")] == [b"", b""]


async def test_an_input_is_uploaded_as_the_client_uploads_it(
    fal: Fal, official: fal_client.AsyncClient, tmp_path: Path
) -> None:
    file = tmp_path / "fox.png"
    file.write_bytes(PNG)
    source = Source(str(file))
    name = f"{source.sha256[:16]}.png"
    await both(
        fal,
        official.upload(PNG, "image/png", name, fallback_repository=[]),
        fal.engine.upload(fal.backend, source),
    )
    token, upload = fal.server.seen[2:]
    assert (token.method, token.path, token.query, token.json) == (
        "POST",
        "/storage/auth/token",
        {"storage_type": ["fal-cdn-v3"]},
        {},
    )
    assert (upload.headers["authorization"], upload.headers["content-type"], upload.body) == (
        f"Bearer {CDN_TOKEN}",
        "image/png",
        PNG,
    )


def test_the_package_does_not_need_the_client() -> None:
    sources = Path(fal_client.__file__), Path(__file__).parents[3] / "aggregator"
    assert not [path for path in sources[1].rglob("*.py") if "fal_client" in path.read_text(encoding="utf-8")]
