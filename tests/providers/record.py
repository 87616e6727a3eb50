"""Writes `recording.json` of providers: each task, and each way it can go wrong, had with the emulator.

`python -m tests.providers.record [provider …]`. What it writes is looked through before it is committed: from then on
`test_compliance.py` holds the table to it, in both directions. The emulator is written from the vendors' documentation
and, where there is one, proved by the vendor's own client (`make conformance`).
"""

import asyncio
import json
import re
import sys
from pathlib import Path

from aggregator._http import HttpxTransport
from aggregator.backends import provider_names, provider_table
from aggregator.contract import Provider
from aggregator.errors import AggregatorError
from aggregator.handing import CannotHandOver, way
from aggregator.inputs import Media
from aggregator.registry.cards import Offer
from aggregator.tasks import Request
from aggregator.testing.compliance import backend_at, ends_of, pins_of
from aggregator.testing.driving import composed, drive, engine_over
from aggregator.testing.emulator import Emulator
from aggregator.testing.inputs import sample, sample_files
from aggregator.testing.recording import Keeper, Recording
from tests.facts.validate import offers_of, spread

HERE = Path(__file__).parent
SAME_ADDRESS = "http://emulator.invalid"
NOT_RECORDED = ("drop_before", "drop_after", "truncated", "server_error_after", "slow", "expired", "succeeded")
"""Transport faults are the same for everybody; the suite makes them itself."""


def record(name: str) -> Recording:
    provider = provider_table(name)
    offers = one_per_task(provider)
    with Emulator(seed=1, only=(name,), latency_s=0.0) as emulator:
        base = emulator.settings(name)["base_url"]
        key = emulator.keys[name]
        cases, refs = [], {}
        for offer in sorted(offers, key=wants_refs):
            cases.append(asyncio.run(case(provider, offer, base, key, offer.task, refs)))
            refs |= cases[-1]["ends"].get("refs", {})
        cases.sort(key=lambda one: one["name"])
        fates = [fate for fate in emulator.fates(name) if fate not in NOT_RECORDED]
        for offer in {one.mapping.dialect: one for one in reversed(offers) if not wants_refs(one)}.values():
            for fate in fates:
                emulator.script(name, fate)
                cases.append(asyncio.run(case(provider, offer, base, key, f"{offer.task}: {fate}")))
    about = f"the emulator, which answers as {provider.docs} says (read {provider.checked})"
    recording = Recording(about, base, key, pins_of(provider), cases)
    text = re.sub(r"http(:|%3A)(//|%2F%2F)127\.0\.0\.1(:|%3A)\d+", SAME_ADDRESS, json.dumps(vars(recording)))
    return Recording(**json.loads(text))


def wants_refs(offer: Offer) -> bool:
    """Whether an offer goes on from what the provider made: then something must have been made."""
    return "ref:" in str(offer.mapping.inputs)


def one_per_task(provider: Provider) -> list[Offer]:
    """One offer for every task and dialect, those with the richest mapping first."""
    found: dict[tuple[str, str], Offer] = {}
    for offer in sorted(offers_of(provider.name), key=lambda one: (-len(one.mapping.fields), one.id)):
        found.setdefault((offer.task, offer.mapping.dialect), offer)
    return [found[at] for at in sorted(found)]


async def case(
    provider: Provider, offer: Offer, base: str, key: str, name: str, refs: dict[str, str] | None = None
) -> dict:
    keeper = Keeper(HttpxTransport())
    backend = backend_at(provider, base, key)
    try:
        request = richest(provider, offer, backend.account, refs or {})
        order = composed(provider, offer, request, sample_files(), backend.account)
        said = f"{name} [{offer.mapping.dialect}]" if offer.mapping.dialect else name
        driven = await drive(engine_over(keeper), backend, order, key=said)
    finally:
        await keeper.aclose()
    return {
        "name": said,
        "offer": offer.id,
        "task": offer.task,
        "dialect": offer.mapping.dialect,
        "request": request.as_json(),
        "exchanges": [one.as_json() for one in keeper.exchanges],
        "ends": ends_of(driven, order),
    }


def richest(provider: Provider, offer: Offer, account: str, refs: dict[str, str]) -> Request:
    """The request of the spread with the most fields whose inputs can be handed over, local ones if possible."""
    found = []
    for request in spread(offer):
        try:
            swapped = with_samples(provider, offer, request, account, refs)
            composed(provider, offer, swapped, sample_files(), account)
        except (AggregatorError, CannotHandOver):
            continue
        found.append(swapped)
    short = [one for one in found if len(json.dumps(one.as_json())) < 4_000]
    return max(short or found, key=lambda one: len(one.values()))


def with_samples(provider: Provider, offer: Offer, request: Request, account: str, refs: dict[str, str]) -> Request:
    spoken = provider.spoken(offer.mapping.dialect)
    swaps = {}
    for name, media in request.media():
        kind = name if name in ("video", "audio") else "image"
        local = sample(kind)
        known = {"provider": provider.name, "account": account, **refs}
        for choice in (local, Media(url=f"https://example.com/{kind}", **facts(local)), with_refs(local, known)):
            try:
                way(spoken, offer.mapping, name, choice, account=account, now_s=0)
            except CannotHandOver:
                continue
            swaps[id(media)] = choice
            break
    return request.replace_media(swaps)


def facts(media: Media) -> dict:
    return {name: value for name in ("width", "height", "duration_s", "fps") if (value := getattr(media, name))}


def with_refs(media: Media, refs: dict[str, str]) -> Media:
    return Media(sha256=media.sha256, mime_type=media.mime_type, size_bytes=media.size_bytes, refs=refs, **facts(media))


def main(names: list[str]) -> None:
    for name in names or [one for one in provider_names() if one != "local"]:
        recording = record(name)
        path = HERE / name / "recording.json"
        path.parent.mkdir(exist_ok=True)
        recording.write(path)
        good = sum("files" in one["ends"] for one in recording.cases)
        print(f"{name}: {good} of {len(recording.cases)} cases end with a file")  # noqa: T201


if __name__ == "__main__":
    main(sys.argv[1:])
