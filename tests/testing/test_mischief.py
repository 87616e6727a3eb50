"""The whole alphabet of faults as a client without manners sees it: what arrives, and what was booked all the same."""

import gzip
from decimal import Decimal

import httpx
import pytest

from aggregator.testing.emulator import Emulator, LeapingClock
from aggregator.testing.emulator.mischief import BOMB_BYTES, LOST

from .conftest import Tiny
from .tiny import tiny

SHORT = httpx.Timeout(5.0, read=0.2)


@pytest.mark.parametrize("fate", [one for one in LOST if one != "http_after"])
def test_what_is_lost_of_an_answer_was_booked_all_the_same(it: Tiny, fate: str) -> None:
    it.emulator.script("tiny", fate)
    it.http.timeout = SHORT
    try:
        it.make()
    except httpx.TransportError:
        pass
    except httpx.DecodingError:
        assert fate == "gzip_bomb"
    assert len(it.emulator.book) == 1


@pytest.mark.parametrize(
    ("fate", "kind"), [("hang_before", httpx.ReadTimeout), ("drop_before", httpx.RemoteProtocolError)]
)
def test_what_is_lost_of_a_request_was_not_booked(it: Tiny, fate: str, kind: type[Exception]) -> None:
    it.emulator.script("tiny", fate)
    it.http.timeout = SHORT
    with pytest.raises(kind):
        it.make()
    assert it.emulator.book == []


@pytest.mark.parametrize(
    ("fate", "kind", "said"),
    [
        ("hang_after", httpx.ReadTimeout, "timed out"),
        ("half_head", httpx.RemoteProtocolError, "disconnected"),
        ("wrong_length", httpx.RemoteProtocolError, "without sending complete"),
    ],
)
def test_a_line_that_ends_too_early(it: Tiny, fate: str, kind: type[Exception], said: str) -> None:
    it.emulator.script("tiny", fate)
    it.http.timeout = SHORT
    with pytest.raises(kind, match=said):
        it.make()


def test_an_answer_that_says_too_little(it: Tiny) -> None:
    it.emulator.script("tiny", "no_id", "broken_json", "page", "http_after:504")
    assert it.make().json() == {}
    with pytest.raises(ValueError, match=r"Unterminated|delimiter|Expecting"):
        it.make().json()
    assert it.make().headers["content-type"] == "text/html"
    assert it.make().status_code == 504


def test_an_id_that_was_given_before(it: Tiny) -> None:
    first = it.make()
    it.emulator.script("tiny", "duplicate_id")
    assert it.make().json() == first.json()
    assert len({entry.job_id for entry in it.emulator.book}) == 2


def test_an_answer_that_lies_about_its_body(it: Tiny) -> None:
    it.emulator.script("tiny", "range_lies", "drip")
    part = it.make()
    assert (part.status_code, part.headers["content-range"][:10]) == (206, "bytes 100-")
    assert it.make().json().keys() == {"id"}
    made = it.ended(it.make())
    it.emulator.disturb("tiny", "gzip_bomb", "wrong_length", on="GET /files/*")
    with httpx.Client(verify=False) as http, http.stream("GET", made["urls"][0]) as answer:
        raw = b"".join(answer.iter_raw())
    assert len(raw) < 2**20 < BOMB_BYTES == len(gzip.decompress(raw))
    with pytest.raises(httpx.RemoteProtocolError):
        httpx.get(made["urls"][0], verify=False)
    assert httpx.get(made["urls"][0], verify=False).status_code == 200


def test_a_result_without_its_file(it: Tiny) -> None:
    made = it.make()
    it.clock.advance(60)
    it.emulator.disturb("tiny", "no_url", on="GET /v1/videos/*")
    assert it.video(made)["urls"] == []
    assert it.video(made)["urls"] != []


def test_a_job_that_goes_back_and_one_that_is_not_known(it: Tiny) -> None:
    it.emulator.script("tiny", "backwards", "forgotten", "late")
    back, forgotten, late = it.make(), it.make(), it.make()
    seen = []
    for _ in range(20):
        seen.append([it.video(one).get("status") for one in (back, forgotten, late)])
        it.clock.advance(1)
    columns = [[row[at] for row in seen] for at in range(3)]
    without = [[one for n, one in enumerate(column) if n == 0 or column[n - 1] != one] for column in columns]
    assert without == [["queued", "running", "queued", "running"], ["queued", "running", None], [None, "running"]]


def test_an_address_that_ends_at_the_first_fetch(it: Tiny) -> None:
    it.emulator.script("tiny", "expired_once")
    made = it.make()
    first = it.ended(made)["urls"]
    assert [httpx.get(url, verify=False).status_code for url in (first[0], first[0])] == [404, 404]
    again = it.video(made)["urls"]
    assert again != first
    assert httpx.get(again[0], verify=False).status_code == 200


def test_what_is_billed_otherwise(it: Tiny) -> None:
    it.emulator.script("tiny", "failed_billed", "overcharged", "failed")
    made = [it.make() for _ in range(3)]
    assert [it.ended(one)["status"] for one in made] == ["failed", "succeeded", "failed"]
    assert [entry.usd for entry in it.emulator.book] == [Decimal("0.60"), Decimal("1.20"), Decimal(0)]


def test_an_odd_word_stands_where_the_table_looks_for_one() -> None:
    with Emulator(seed=1, clock=LeapingClock(), only=("runway",)) as emulator:
        emulator.disturb("runway", "odd_word", on="GET /v1/tasks/*")
        head = {"authorization": f"Bearer {emulator.keys['runway']}", "x-runway-version": "2024-11-06"}
        with httpx.Client(base_url=emulator.url("runway"), headers=head, verify=False) as http:
            body = {"model": "gen4.5", "promptText": "a fox", "ratio": "1280:720", "duration": 5}
            made = http.post("v1/text_to_video", json=body).json()
            said = [http.get(f"v1/tasks/{made['id']}").json()["status"] for _ in range(2)]
    assert said == ["a-word-of-tomorrow", "THROTTLED"]


def test_a_service_without_a_table_has_no_odd_words() -> None:
    with Emulator(services=(tiny(key=None),), latency_s=0) as emulator:
        emulator.script("tiny", "odd_word")
        made = httpx.post(f"{emulator.url('tiny')}/v1/videos", json={"prompt": "x"}, verify=False)
    assert made.json().keys() == {"id"}
