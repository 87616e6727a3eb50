"""One provider in the emulator: routes, keys, jobs in time, files, the book, what is recorded."""

from decimal import Decimal
from random import Random

import httpx
import pytest

from aggregator.errors import ConfigurationError
from aggregator.testing.emulator import Answer, Emulator
from aggregator.testing.emulator.clock import LeapingClock
from aggregator.testing.emulator.jobs import Job, order
from aggregator.testing.emulator.service import Route, Service, uuid

from .conftest import Tiny
from .tiny import LIMIT, tiny


def test_a_job_goes_from_the_queue_to_its_file(it: Tiny) -> None:
    answer = it.make()
    assert it.video(answer)["status"] == "queued"
    assert it.video(answer)["position"] == 3
    it.clock.advance(9)
    assert it.video(answer)["position"] == 0
    it.clock.advance(6)
    assert (it.video(answer)["status"], it.video(answer)["progress"]) == ("running", 0.5)
    it.clock.advance(5)
    last = it.video(answer)
    assert (last["status"], last["progress"]) == ("succeeded", 1.0)
    file = httpx.get(last["urls"][0], verify=False)
    assert (file.status_code, file.headers["content-type"], file.content[4:8]) == (200, "video/mp4", b"ftyp")


def test_a_clock_that_moves_from_change_to_change_never_stands_still() -> None:
    rng, clock = Random(7), LeapingClock()
    for _ in range(1_000):
        clock.advance(rng.random())
        made, waits = order("image"), (rng.uniform(0, 20), rng.uniform(0, 20))
        job = Job("one", made, clock.time, created=clock.time(), queued_s=waits[0], running_s=waits[1])
        for _ in range(4):  # one for each change, and one each where a sum was rounded
            clock.advance(job.change_s)
        assert job.is_over


def test_a_job_can_be_canceled_until_it_is_over(it: Tiny) -> None:
    stopped, over = it.make(), it.make()
    assert it.http.delete(f"v1/videos/{stopped.json()['id']}").status_code == 200
    assert it.video(stopped)["status"] == "canceled"
    assert it.http.delete(f"v1/videos/{stopped.json()['id']}").status_code == 409
    assert it.ended(over)["status"] == "succeeded"
    assert it.http.delete(f"v1/videos/{over.json()['id']}").status_code == 409
    assert it.emulator.book.usd == Decimal("0.60")


def test_an_answer_that_is_the_result(it: Tiny) -> None:
    answer = it.http.post("v1/pictures", files={"prompt": (None, "a fox")})
    assert answer.headers["content-type"] == "image/png"
    assert answer.content.startswith(b"\x89PNG")
    entry = it.emulator.book[0]
    assert (entry.state, entry.kind, entry.usd, entry.parameters) == (
        "succeeded",
        "image",
        Decimal("0.04"),
        {"prompt": ["a fox"]},
    )


@pytest.mark.parametrize("key", ["", "Bearer wrong", "Basic x"])
def test_the_key_is_checked_first(it: Tiny, key: str) -> None:
    it.emulator.script("tiny", "failed")
    answer = it.http.post("v1/videos", json={}, headers={"authorization": key})
    assert (answer.status_code, answer.json()) == (401, {"error": "the key is not valid"})
    assert it.emulator.book == []
    assert it.ended(it.make())["status"] == "failed"  # the script was not used up


def test_what_the_vendor_does_not_understand_is_refused_in_its_words(it: Tiny) -> None:
    for content, said in ((b"{", "the body is not JSON"), (b"[]", "the body is not an object")):
        answer = it.http.post("v1/videos", content=content)
        assert (answer.status_code, answer.json()) == (422, {"error": said})
    assert it.http.post("v1/videos", json={"prompt": None}).json() == {"error": "prompt is required"}
    assert it.http.post("v1/pictures", json={"prompt": "no form"}).json() == {"error": "prompt is required"}
    assert it.http.get("v1/videos/t_unknown").status_code == 404
    assert it.http.get("v1/nothing").status_code == 404
    assert it.emulator.book == []
    assert it.emulator.requests[-1].route == ""


def test_uploads_are_kept_and_served_without_the_key(it: Tiny) -> None:
    raw = bytes(range(256)) * 300
    answer = it.http.post("v1/uploads/a/b/c%2Fd:keep", content=raw, headers={"content-type": "image/webp"})
    assert answer.json() == {"url": answer.json()["url"], "folder": "a/b", "name": "c/d"}
    origin, _, _ = answer.json()["url"].partition("/files/")
    assert origin != it.emulator.origin  # as with a CDN: what trusts one need not trust the other
    assert httpx.get(answer.json()["url"], verify=False).content == raw
    assert httpx.get(f"{origin}/files/other.png", verify=False).status_code == 404
    it.http.get(answer.json()["url"])
    assert [one.key_sent for one in it.emulator.downloads] == [False, False, True]


def test_streams_arrive_in_pieces(it: Tiny) -> None:
    with httpx.stream("GET", f"{it.emulator.url('tiny')}/v1/news", verify=False) as answer:
        assert answer.headers["transfer-encoding"] == "chunked"
        assert b"".join(answer.iter_raw()) == b"data: 1\n\ndata: 2\n\n"


def test_what_is_recorded(it: Tiny) -> None:
    it.http.post("v1/videos?a=1&a=2&b=%20", json={"prompt": "ü"}, headers={"X-Odd": "yes"})
    one = it.emulator.requests[0]
    assert (one.provider, one.method, one.path, one.query) == ("tiny", "POST", "/v1/videos", {"a": "2", "b": " "})
    assert (one.raw_query, one.headers["x-odd"], one.json) == ("a=1&a=2&b=%20", "yes", {"prompt": "ü"})
    assert (one.status, one.route, one.job_id) == (200, "/v1/videos", it.emulator.book[0].job_id)
    assert one.key_sent
    assert it.emulator.keys["tiny"] not in repr(one)


def test_the_book_adds_up(it: Tiny) -> None:
    for fate in ("succeeded", "failed", "moderated_output", "canceled", "succeeded"):
        it.emulator.script("tiny", fate)
        it.make()
    assert it.emulator.book.usd == Decimal("3.00")  # as long as nobody knows how they end
    it.clock.advance(60)
    assert it.emulator.book.usd == it.emulator.book.of("tiny").usd == Decimal("1.20")
    assert it.emulator.book.of("other") == []
    said = it.emulator.book.as_json()
    assert [entry["state"] for entry in said["entries"]] == ["succeeded", "failed", "failed", "canceled", "succeeded"]
    assert (said["usd"], said["unpriced"], said["entries"][1]["usd"]) == ("1.20", 0, "0")


@pytest.mark.parametrize(("rule", "billed"), [(True, "0.60"), (False, "0"), (lambda job: job.moderated, "0")])
def test_whether_failures_are_billed_is_the_vendors_rule(rule, billed: str) -> None:
    with Emulator(services=(tiny(bills_failures=rule, bills_canceled=True, key=None),), latency_s=0) as emulator:
        emulator.script("tiny", "failed", "canceled")
        for _ in range(2):
            httpx.post(f"{emulator.url('tiny')}/v1/videos", json={"prompt": "x"}, verify=False)
        assert [str(entry.usd) for entry in emulator.book] == [billed, "0.60"]


def test_a_price_nobody_knows_is_not_zero() -> None:
    with Emulator(services=(service := Service("free", key=None),)) as emulator:
        from aggregator.testing.emulator.service import order

        @service.post("/")
        def make(call) -> Answer:
            return Answer(200, call.take(order("audio")).id)

        httpx.post(f"{emulator.url('free')}/", verify=False)
        assert (emulator.book[0].usd, emulator.book.usd, emulator.book.unpriced) == (None, 0, 1)


def test_rates_and_concurrency_are_told_always_and_enforced_on_request(it: Tiny) -> None:
    for limits, expected in ((False, [200, 200, 200]), (True, [200, 200, 429])):
        with Emulator(services=(tiny(key=None, limit=LIMIT),), clock=it.clock, limits=limits) as emulator:
            said = [httpx.get(f"{emulator.url('tiny')}/v1/news", verify=False) for _ in range(3)]
            assert [one.status_code for one in said] == expected
            assert [one.headers["x-left"] for one in said] == ["1", "0", "0"]
            it.clock.advance(1)
            assert httpx.get(f"{emulator.url('tiny')}/v1/news", verify=False).headers["x-left"] == "1"
    with Emulator(services=(tiny(key=None, concurrency=1),), clock=it.clock, limits=True) as emulator:
        url = f"{emulator.url('tiny')}/v1/videos"
        assert [httpx.post(url, json={"prompt": "x"}, verify=False).status_code for _ in range(2)] == [200, 429]
        it.clock.advance(60)
        assert httpx.post(url, json={"prompt": "x"}, verify=False).status_code == 200


def test_the_same_seed_is_the_same_world() -> None:
    def world(seed: int) -> tuple[str, str, str]:
        with Emulator(services=(tiny(),), seed=seed) as emulator:
            key = {"authorization": f"Bearer {emulator.keys['tiny']}"}
            made = httpx.post(f"{emulator.url('tiny')}/v1/videos", json={"prompt": "x"}, headers=key, verify=False)
            return key["authorization"], made.json()["id"], emulator.desk("tiny").world.secret

    assert world(1) == world(1)
    assert all(mine != other for mine, other in zip(world(1), world(2), strict=True))


def test_a_defect_of_a_service_is_told_apart_from_an_answer(it: Tiny) -> None:
    assert it.http.get("v1/defect").status_code == 500
    assert "ZeroDivisionError" in it.emulator.errors[0]
    with pytest.raises(RuntimeError, match="defective"):
        it.emulator.__exit__(None, None, None)
    it.emulator.errors.clear()


def test_what_is_not_served_is_said() -> None:
    with Emulator(only=("tiny",), services=(tiny(), tiny("other"))) as emulator:
        assert emulator.names == ("tiny",)
        with pytest.raises(ConfigurationError, match="tiny only, not 'other'"):
            emulator.url("other")
        assert httpx.get(f"{emulator.origin}/other/x", verify=False).status_code == 404
        with pytest.raises(KeyError):
            emulator.keys["other"]
    with pytest.raises(ConfigurationError, match="no service 'nobody'"):
        Emulator(only=("nobody",))


def test_routes_take_the_first_match() -> None:
    service = Service("x", ids=uuid)
    service.get("/a/{id}")(lambda _call: Answer())
    service.get("/a/{rest:path}")(lambda _call: Answer())
    assert service.find("GET", "/a/1") == (service.routes[0], {"id": "1"})
    assert service.find("HEAD", "/a/1/2") == (service.routes[1], {"rest": "1/2"})
    assert service.find("GET", "/a%2F7") == (service.routes[0], {"id": "7"})
    assert service.find("POST", "/a/1") is None
    assert Route("GET", "/m/{m}:run", lambda _call: Answer()).match("GET", "/m/veo-3.1:run") == {"m": "veo-3.1"}


def test_another_process_may_read_the_book_and_script(it: Tiny) -> None:
    with httpx.Client(base_url=f"{it.emulator.origin}/_emulator", verify=False) as other:
        assert other.get("").json()["origin"] == it.emulator.origin
        assert other.post("script", json={"provider": "tiny", "fates": ["no_credit"]}).json() == {"scripted": 1}
        assert it.make().status_code == 402
        it.make()
        assert len(other.get("book").json()["entries"]) == 1
        assert [one["status"] for one in other.get("requests").json()] == [402, 200]
        for wrong in ({"provider": "tiny", "fates": ["nonsense"]}, {"provider": "nobody", "fates": []}, {}):
            assert other.post("script", json=wrong).status_code == 400
        assert other.get("nothing").status_code == 404


def test_it_starts_when_it_is_needed_and_stops_with_its_block() -> None:
    with Emulator(services=(tiny(key=None),)) as emulator:
        assert not emulator._serving.is_started
        url = emulator.url("tiny")
        assert httpx.get(f"{url}/v1/news", verify=False).status_code == 200
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{url}/v1/news", verify=False)
