"""How one input can be handed over to one endpoint: the first way that fits, or the reason why there is none."""

from collections.abc import Mapping
from typing import Final

from aggregator.contract import Endpoint, Input, Provider
from aggregator.inputs import Media

__all__ = ["CannotHandOver", "way"]

KINDS: Final[Mapping[str, str]] = {"video": "video", "audio": "audio"}
"""What an input is that is given as an address, by its field; every other one is a picture."""


class CannotHandOver(Exception):  # noqa: N818 - a reason, never an error that a caller sees
    """Why an input cannot be handed over, and what would help."""

    def __init__(self, reason: str, advice: str, *, types: tuple[str, ...] = ()) -> None:
        super().__init__(reason)
        self.advice = advice
        self.types = types
        """What would be taken, where nothing but its type is in the way."""


def way(provider: Provider, endpoint: Endpoint, name: str, media: Media, *, account: str, now_s: float) -> str:
    """One of `url`, `upload`, `data`, `part`, `ref:<name>`.

    Raises:
        CannotHandOver: None of the ways that the endpoint takes fits this input.

    """
    kind = (media.mime_type or "").partition("/")[0] or KINDS.get(name, "image")
    taken = _input(provider, endpoint, name, kind)
    found = next((one for one in taken.accepts if _fits(one, taken, provider, media, account, now_s)), None)
    if found is not None:
        return found
    raise _reason(taken, kind, media)


def _input(provider: Provider, endpoint: Endpoint, name: str, kind: str) -> Input:
    places = ((endpoint.inputs, name), (endpoint.inputs, kind), (provider.inputs, kind), (provider.inputs, ""))
    return next((inputs[key] for inputs, key in places if key in inputs), Input())


def _fits(form: str, taken: Input, provider: Provider, media: Media, account: str, now_s: float) -> bool:
    if form.startswith("ref:"):
        refs = media.refs or {}
        ours = refs.get("provider") == provider.name and refs.get("account") == account
        return ours and form[4:] in refs and float(refs.get("until", "inf")) > now_s
    if form == "url":
        return media.url is not None
    if media.sha256 is None or not _of_type(taken, media):
        return False
    if form == "upload":
        return provider.upload is not None
    return taken.max_bytes is None or (media.size_bytes or 0) <= taken.max_bytes


def _of_type(taken: Input, media: Media) -> bool:
    return not taken.mime_types or media.mime_type in taken.mime_types


def _reason(taken: Input, kind: str, media: Media) -> CannotHandOver:
    forms = set(taken.accepts)
    inside = bool(forms & {"data", "part"})
    if media.url is not None and forms & {"upload", "data", "part"}:
        return CannotHandOver("it takes files, not addresses", "download the input and give its path")
    if media.url is None and not _of_type(taken, media):
        types = ", ".join(taken.mime_types)
        reason = f"it takes no {media.mime_type} here"
        return CannotHandOver(reason, f"convert the input; it takes {types}", types=taken.mime_types)
    if media.url is None and inside:
        return CannotHandOver(
            f"it takes a {kind} of up to {taken.max_bytes} bytes; this one has {media.size_bytes}",
            "make it smaller" + (", or give an address" if "url" in forms else ""),
        )
    if "url" in forms:
        return CannotHandOver(f"it takes a {kind} by address only", "put it where it can be reached, and give its URL")
    return CannotHandOver(
        f"it goes on only from a {kind} that it made itself, with the same key",
        "give the earlier result, before the provider forgets it",
    )
