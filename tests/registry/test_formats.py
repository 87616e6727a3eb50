"""No offer takes a file format that the store cannot tell apart: it would be paid for and then not be kept."""

from aggregator.backends import provider_names, provider_table
from aggregator.contract import To
from aggregator.registry.load import Registry
from aggregator.registry.mapping import mappings_of

KNOWN = {"png", "jpeg", "webp", "wav", "mp3", "flac", "opus", "aac"}
SOUND = {"text-to-speech", "speech-to-speech", "text-to-sound", "text-to-music"}
"""A request for a picture names only formats that are known; one for a sound may ask for bare samples."""


def test_every_format_on_offer_can_be_kept() -> None:
    registry = Registry.bundled(mappings=mappings_of({name: provider_table(name) for name in provider_names()}))
    wrong = []
    for offer in registry.all_offers():
        target, limit = offer.mapping.fields.get("format"), offer.limits.get("format")
        if target is None or offer.task not in SOUND or offer.provider == "local":
            continue
        listed = limit.values if limit is not None else tuple(target.values or ()) if isinstance(target, To) else ()
        wrong += [f"{offer.id} for {offer.task}: {word}" for word in listed or ("any",) if word not in KNOWN]
    assert not wrong
