"""Writes `recording.json` of the package's own providers: each task and dialect, and each way it can go wrong.

`python -m tests.providers.record [provider …]`. What it writes is looked through before it is committed: from then on
`test_compliance.py` holds the table to it, in both directions. The emulator is written from the vendors' documentation
and, where there is one, proved by the vendor's own client (`make conformance`).
"""

import json
import sys
from collections.abc import Iterable
from pathlib import Path

from aggregator.backends import provider_names, provider_table
from aggregator.contract import Provider
from aggregator.errors import AggregatorError
from aggregator.handing import CannotHandOver, way
from aggregator.inputs import Media
from aggregator.registry.cards import Offer
from aggregator.tasks import Request
from aggregator.testing.driving import Frozen, composed
from aggregator.testing.emulator import Emulator, LeapingClock
from aggregator.testing.inputs import sample, sample_files
from aggregator.testing.record import Recorder
from aggregator.testing.recording import Recording
from tests.facts.validate import spread
from tests.providers.own import own_offers

HERE = Path(__file__).parent
VOICES = {"cartesia": "e07c00bc-4134-4eae-9ea4-1a55fb45746b", "openai_compatible": "af_heart"}
"""Where a voice must be one that the vendor has."""
SHORT = 4_000
"""Characters of a request that a person would still read."""


def record(name: str) -> Recording:
    provider = provider_table(name)
    offers = one_per_task(provider)
    with Emulator(seed=1, only=(name,), latency_s=0.0, clock=LeapingClock(Frozen.now_s)) as emulator:
        recorder = Recorder(provider, emulator)
        refs: dict[str, str] = {}
        for offer in sorted(offers, key=wants_refs):
            kept = recorder.had(offer, richest(provider, offer, recorder.account, refs))
            refs |= kept["ends"].get("refs", {})
        for offer in {one.mapping.dialect: one for one in reversed(offers) if not wants_refs(one)}.values():
            recorder.every_fate(offer, richest(provider, offer, recorder.account, refs))
    return recorder.recording()


def one_per_task(provider: Provider, offers: Iterable[Offer] | None = None) -> list[Offer]:
    """One offer for every task and dialect, those with the richest mapping first; of these, if not of the package's."""
    found: dict[tuple[str, str], Offer] = {}
    own = own_offers(provider.name) if offers is None else [one for one in offers if one.provider == provider.name]
    for offer in sorted(own, key=lambda one: (-len(one.mapping.fields), one.id)):
        found.setdefault((offer.task, offer.mapping.dialect), offer)
    return [found[at] for at in sorted(found)]


def wants_refs(offer: Offer) -> bool:
    """Whether an offer goes on from what the provider made: then something must have been made."""
    return "ref:" in str(offer.mapping.inputs)


def richest(provider: Provider, offer: Offer, account: str, refs: dict[str, str]) -> Request:
    """The request of the spread with the most fields whose inputs can be handed over, local ones if possible."""
    found = []
    for request in spread(offer):
        try:
            spoken = (
                request.with_(voice=VOICES[provider.name])
                if "voice" in request.values() and provider.name in VOICES and "voice" not in offer.limits
                else request
            )
            swapped = with_samples(provider, offer, spoken, account, refs)
            composed(provider, offer, swapped, sample_files(), account)
        except (AggregatorError, CannotHandOver):
            continue
        found.append(swapped)
    short = [one for one in found if len(json.dumps(one.as_json())) < SHORT]
    return max(short or found, key=lambda one: len(one.values()))


def with_samples(provider: Provider, offer: Offer, request: Request, account: str, refs: dict[str, str]) -> Request:
    """The request with inputs that exist: files of ours, else addresses, else what the provider made."""
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
