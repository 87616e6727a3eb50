"""Feeds that are right, spoilt in named ways and rightly signed: each is refused with where and why, none by halves."""

import json
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from aggregator.backends import provider_table
from aggregator.errors import FeedError
from aggregator.pricing.table import bundled_rates
from aggregator.registry.bounds import check
from aggregator.registry.bundle import catalogue_text, pack, unpack
from aggregator.registry.load import bundled_rows
from aggregator.signing import ed25519_public

PRIVATE = bytes(range(32))
KEYS = [ed25519_public(PRIVATE)]
NOW = datetime(2026, 11, 21, tzinfo=UTC)
TABLES = {name: provider_table(name) for name in ("runway", "elevenlabs", "bfl", "luma")}


def real() -> dict:
    """What the package says of a few providers and boards."""
    index = json.loads(catalogue_text(bundled_rows(), bundled_rates().rows))
    offers = {task: [row for row in rows if row["provider"] in TABLES] for task, rows in index["offers"].items()}
    boards = dict(sorted(index["boards"].items(), key=lambda item: len(item[1]["readings"]))[-4:])
    return {**index, "offers": offers, "boards": boards, "rates": {name: index["rates"][name] for name in TABLES}}


REAL = real()


def card(**changes):
    def mutate(said, rng):
        row = said["cards"][rng.choice(sorted(said["cards"]))]
        row.update({name: value for name, value in changes.items() if value is not ...})
        for name in [name for name, value in changes.items() if value is ...]:
            row.pop(name, None)

    return mutate


def offer(**changes):
    def mutate(said, rng):
        mapped = [row for rows in said["offers"].values() for row in rows if not row.get("unmapped")]
        row = rng.choice(mapped)
        row.update({name: value for name, value in changes.items() if value is not ...})
        for name in [name for name, value in changes.items() if value is ...]:
            row.pop(name, None)

    return mutate


def rate(**changes):
    def mutate(said, rng):
        row = rng.choice(said["rates"][rng.choice(sorted(said["rates"]))])
        names = {name.rstrip("_"): value for name, value in changes.items()}
        row.update({name: value for name, value in names.items() if value is not ...})
        for name in [name for name, value in names.items() if value is ...]:
            row.pop(name, None)

    return mutate


def reading(place, value):
    def mutate(said, rng):
        rows = rng.choice([board["readings"] for board in said["boards"].values() if board["readings"]])
        row = rng.choice(rows)
        row[place] = value

    return mutate


def board(**changes):
    return lambda said, rng: said["boards"][rng.choice(sorted(said["boards"]))].update(changes)


def top(part, value):
    return lambda said, _rng: said.update({part: value})


def twice(said, rng):
    rows = rng.choice([rows for rows in said["offers"].values() if rows])
    rows.append(deepcopy(rng.choice(rows)))


def rate_twice(said, rng):
    rows = said["rates"][rng.choice(sorted(said["rates"]))]
    rows.append(deepcopy(rng.choice(rows)))


CONTENT = {
    "a card without a maker": card(maker=...),
    "a card without a tier": card(tier=...),
    "a tier that is none": card(tier="champion"),
    "a card with a word of its own": card(colour=3),
    "a card's day that is none": card(released="2026-02-30"),
    "a card's day that is a number": card(released=20260101),
    "a successor that is none": card(successor="no-such-model"),
    "a title that moves the cursor": card(title="\x1b[2J"),
    "a title that is turned round": card(title="a\u202eb"),
    "a note without an end": card(note="x" * 5000),
    "a card's id with a path": lambda said, _rng: said["cards"].update({"../x": {"maker": "m", "tier": "hero"}}),
    "a card that is a list": lambda said, _rng: said["cards"].update({"x": []}),
    "a card that is a text": lambda said, _rng: said["cards"].update({"x": "card"}),
    "an offer without a model": offer(model=...),
    "an offer of a model without a card": offer(model="no-such-model"),
    "an offer without a provider": offer(provider=...),
    "an offer whose provider is a list": offer(provider=["fal"]),
    "an offer without an endpoint": offer(endpoint=...),
    "an endpoint elsewhere": offer(endpoint="https://example.com/x"),
    "an endpoint that climbs": offer(endpoint="a/../../b"),
    "an endpoint with a query": offer(endpoint="a?b=c"),
    "an endpoint from the root": offer(endpoint="//a"),
    "a version that climbs": offer(version="../x"),
    "a task that is none": offer(task="text-to-vido"),
    "an offer that was never checked": offer(checked=...),
    "an offer's status that is none": offer(status="resting"),
    "a host of its own": offer(base_url="https://example.com"),
    "a credential of its own": offer(auth={"env": ["HOME"]}),
    "a call of its own": offer(submit={"method": "POST", "url": "https://example.com"}),
    "a header": offer(fixed={"@headers.authorization": "x"}),
    "a query": offer(fixed={"@query.a": "x"}),
    "a place for answers": offer(fixed={"webhook_url": "x"}),
    "an address in the body": offer(fixed={"a": "https://example.com"}),
    "a template with a format": offer(fixed={"a": "{model:>9999999}"}),
    "a field to a header": offer(fields={"seed": "@headers.x"}),
    "a field that is none": offer(fields={"no_such_field": "x"}),
    "a field to nowhere": offer(fields={"seed": ""}),
    "a field with a number": offer(fields={"seed": 3}),
    "a file elsewhere": offer(files={"url": "https://example.com/{id}"}),
    "files that are nowhere": offer(files={"mime_type": "video/mp4"}),
    "a dialect that is none": offer(dialect="klingon"),
    "a meter of no unit": offer(meters=[{"unit": "picture", "quantity": "1"}]),
    "a meter of less than nothing": offer(meters=[{"unit": "image", "quantity": "-1"}]),
    "a meter that is code": offer(meters=[{"unit": "image", "quantity": "__import__('os')"}]),
    "a limit upside down": offer(limits={"seed": {"min": 5, "max": 1}}),
    "a limit of nothing": offer(limits={"seed": {}}),
    "a limit that is infinite": offer(limits={"seed": {"max": 1e999}}),
    "an offer twice": twice,
    "an offer that is a text": lambda said, _rng: said["offers"].update({"text-to-image": ["offer"]}),
    "offers that are no list": lambda said, _rng: said["offers"].update({"text-to-image": {}}),
    "a price that is a float": rate(usd=0.4),
    "a price that is no number": rate(usd="a lot"),
    "a price below nothing": rate(usd="-1"),
    "a price without an end": rate(usd="Infinity"),
    "a rate without a price": rate(usd=...),
    "a rate without a unit": rate(unit=...),
    "a rate of no unit there is": rate(unit="pictures"),
    "a rate without a day": rate(from_=...),
    "a rate's day that is none": rate(from_="2026-13-01"),
    "a rate's day with an hour": rate(from_="2026-01-01T00:00:00Z"),
    "a rate for two things": rate(endpoint="x", model="y"),
    "a rate under a condition of nothing": rate(when={"resolution": []}),
    "a rate with a word of its own": rate(discount="0.1"),
    "a rate twice": rate_twice,
    "rates that are no list": lambda said, _rng: said["rates"].update({"bfl": {"rate": []}}),
    "a rate that is a text": lambda said, _rng: said["rates"]["bfl"].append("0.40"),
    "a reading of a model without a card": reading(0, "no-such-model"),
    "a reading without a name": reading(1, ""),
    "a score in words": reading(2, "many"),
    "a reading's day that is none": reading(3, "2026-02-30"),
    "a reading of less than no rank": reading(2, []),
    "a board without a task": board(task=...),
    "a board of a task that is none": board(task="text-to-vido"),
    "a board of no kind": board(kind="rumour"),
    "a board with a word of its own": board(url="https://example.com"),
    "readings that are no list": board(readings={}),
    "a reading that is a text": board(readings=["first"]),
    "a reading that is too long": board(readings=[["", "n", 1.0, "2026-01-01", None, None, None, "s", "c", "n", "?"]]),
}
DOCUMENT = {
    "no cards": lambda text: text.replace(b'"cards"', b'"card"', 1),
    "a part more": lambda text: text.replace(b'{"cards"', b'{"hosts":{},"cards"', 1),
    "a comma too many": lambda text: text.replace(b"},", b"},,", 1),
    "a brace is missing": lambda text: text.rstrip()[:-1],
    "something after the end": lambda text: text + b"{}",
    "no JSON": lambda _text: b"[rate]\nusd = 1",
    "a number that is none": lambda text: text.replace(b'"cards": {', b'"cards":{"a":NaN,', 1),
    "not UTF-8": lambda text: text.replace(b'"cards"', b'"c\xffrds"', 1),
    "nested without an end": lambda _text: b'{"cards":' + b"[" * 200_000,
    "nothing": lambda _text: b"",
}


def refusal(document: bytes) -> FeedError:
    data = pack(document, PRIVATE, serial=1, issued_at=NOW, expires_at=NOW + timedelta(days=1))
    with pytest.raises(FeedError) as error:
        check(unpack(data, KEYS, source="feed").catalogue, TABLES, source="feed")
    return error.value


def test_what_is_spoilt_was_right():
    document = json.dumps(REAL).encode()
    data = pack(document, PRIVATE, serial=1, issued_at=NOW, expires_at=NOW + timedelta(days=1))
    taken = check(unpack(data, KEYS, source="feed").catalogue, TABLES, source="feed")
    assert len(taken.rows.offers) > 30
    assert taken.left_out == ()


@pytest.mark.parametrize("name", sorted(CONTENT))
def test_a_spoilt_feed_is_refused(name):
    said = deepcopy(REAL)
    CONTENT[name](said, Random(name))
    for row in said["boards"].values():
        if row.get("task") is ...:
            del row["task"]
    error = refusal(json.dumps(said).replace(": Infinity", ": 1e999").encode())
    assert error.reason == "content"
    where, _, why = str(error).removeprefix("feed: ").partition(": ")
    assert where.startswith(("cards.", "offers.", "rates.", "boards.", "feed", *(f"{name}:" for name in TABLES))) or (
        "unknown model" in why or "unknown successor" in why
    ), str(error)
    assert len(why) > 10


@pytest.mark.parametrize("name", sorted(DOCUMENT))
def test_a_spoilt_document_is_refused(name):
    error = refusal(DOCUMENT[name](json.dumps(REAL).encode()))
    assert error.reason == "malformed"
    assert str(error).startswith("feed: ")
