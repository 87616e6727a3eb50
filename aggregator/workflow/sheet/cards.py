"""The cards of the page: a take with its picture, clip or sound, and everything that is known of it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from aggregator.workflow.sheet.data import File, Origin, Step, Take, money_of
from aggregator.workflow.sheet.markup import Child, Tag, tag

__all__ = ["Media", "link", "links", "origin", "take_card", "values_of", "words_of"]

LONG_WORDS = 260
"""Longer prompts are folded."""
MAX_LINKS = 12
WAVE_PX = 48
SHORTEST_S = 0.1
BY = {"person": "picked", "score": "picked by score", "first": "the first"}


@dataclass(frozen=True, slots=True)
class Media:
    """How a file is shown."""

    address: str | None
    """The file itself; `None`: it is not in the page."""
    still: str | None
    """The address of a picture of it."""
    bars: tuple[float, ...] = ()
    """The shape of a sound."""
    link: str | None = None
    """Where it lies."""


# --------------------------------------------------------------------------------------------------------------- words


def words_of(words: str) -> Tag | None:
    """A prompt; a long one is folded."""
    if not words:
        return None
    if len(words) <= LONG_WORDS:
        return tag("p", words, class_="words", dir="auto")
    return tag(
        "details", tag("summary", f"{words[:LONG_WORDS]}…", dir="auto"), tag("p", words, dir="auto"), class_="words"
    )


def values_of(values: Mapping[str, object]) -> Tag | None:
    """Parameters other than the words."""
    pairs = [tag("span", f"{name} ", tag("b", _shown(value))) for name, value in values.items()]
    return tag("p", pairs, class_="values") if pairs else None


def _shown(value: object) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(_shown(one) for one in value)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_shown(one)}" for name, one in value.items())
    return f"{value:g}" if isinstance(value, float) else str(value)


def links(what: str, found: list[Tag]) -> Tag | None:
    """A line that says what something is from, or goes into."""
    if not found:
        return None
    more = tag("span", f"and {len(found) - MAX_LINKS} more") if len(found) > MAX_LINKS else None
    return tag("p", tag("span", what, class_="what"), found[:MAX_LINKS], more, class_="links")


def link(name: str) -> Tag:
    """The way to a step."""
    return tag("a", name, href=f"#step-{name}")


def origin(of: Origin) -> Tag:
    """What something was made from."""
    if of.step is None:
        return tag("span", of.name, title=of.field)
    if of.take is None:
        return tag("a", of.step, href=f"#step-{of.step}", title=of.field)
    return tag("a", f"{of.step} #{of.take}", href=f"#take-{of.step}-{of.take}", title=of.field)


# --------------------------------------------------------------------------------------------------------------- takes


def take_card(
    step: Step,
    take: Take,
    media: Mapping[str, Media],
    *,
    is_live: bool,
    said: Collection[object] = (),
    above: Child = None,
    below: Child = None,
) -> Tag:
    """A take.

    Args:
        said: What the row says of all its takes: words, warnings, and what they are made from.
        above, below: What the row does not say of its step, but each card of its own.

    """
    is_picked = step.can_pick and take.number == step.picked
    number = f", take {take.number} of {step.wanted}" if step.wanted > 1 else ""
    label = f"{step.name}{number}"
    shown: Child = tag("p", take.problem or "under way", class_="missing problem" if take.problem else "missing")
    if take.file is not None:
        shown = _shown_file(take.file, media[take.file.sha256], label)
    origins = take.recipe.origins
    about = [
        tag("div", _first_line(step, take, is_live=is_live), class_="line"),
        tag("p", [tag("span", fact) for fact in _facts(take)], class_="facts"),
        words_of(take.recipe.words) if take.recipe.words not in said else None,
        None if step.is_edit or origins in said else links("from", [origin(one) for one in origins]),
        [tag("p", one, class_="warning") for one in take.warnings if one not in said],
        [tag("p", one, class_="note") for one in take.notes],
        _more(take),
    ]
    return tag(
        "article",
        tag("div", shown, class_="screen"),
        tag("div", above, about, below, class_="meta"),
        class_=f"take{' picked' if is_picked else ''}",
        id=f"take-{step.name}-{take.number}",
        tabindex=-1,
        aria_label=label,
        data_step=step.name,
        data_take=take.number,
    )


def _first_line(step: Step, take: Take, *, is_live: bool) -> Child:
    is_picked = take.number == step.picked
    name = tag("span", take.model or "made here", class_="model", title=take.offer)
    number = tag("span", str(take.number), class_="number", aria_hidden="true") if step.wanted > 1 else None
    if not step.can_pick or take.file is None:
        return [number, name]
    if is_live:
        pressed = "true" if is_picked else "false"
        pick: Child = tag(
            "button",
            "Picked" if is_picked else "Pick",
            type="button",
            class_="pick",
            aria_pressed=pressed,
            aria_label=f"Pick take {take.number} of {step.name}",
        )
    else:
        pick = tag("span", BY.get(step.picked_by or "", "picked"), class_="badge") if is_picked else None
    return [number, name, pick]


def _facts(take: Take) -> list[str]:
    file = take.file
    cost = None
    if take.job is not None:
        cost = "cost unknown" if take.cost_usd is None else str(money_of("", [take]))
    size = f"{file.width}×{file.height}" if file is not None and file.width and file.height else None
    facts = [
        cost,
        None if take.seed is None else f"seed {take.seed}",
        size,
        f"{file.duration_s:.1f} s long" if file is not None and file.duration_s else None,
        None if take.took_s is None else f"made in {_seconds(take.took_s)}",
        "reused" if take.is_reused else None,
        "stand-in" if take.is_stand_in else None,
    ]
    return [fact for fact in facts if fact]


def _seconds(amount_s: float) -> str:
    return f"{amount_s:.1f} s" if amount_s >= SHORTEST_S else f"<{SHORTEST_S} s"


def _more(take: Take) -> Tag | None:
    others = take.files[1:]
    if not others:
        return None
    return tag("p", f"and {len(others)} more file{'s' if len(others) > 1 else ''} of the same job", class_="note")


def _shown_file(file: File, media: Media, label: str) -> Child:
    shape = {"width": file.width, "height": file.height}
    if file.kind == "image":
        source = media.address or media.still
        if source is None:
            return [tag("p", "the picture cannot be shown", class_="missing"), _elsewhere(media)]
        return [tag("img", src=source, alt=label, **shape), _elsewhere(media)]
    if media.address is None:
        still = tag("img", src=media.still, alt=label, **shape) if media.still else _wave(media.bars)
        return [still, _elsewhere(media)]
    play = tag("button", type="button", class_="play", aria_label=f"Play {label}", aria_pressed="false")
    seek = tag("input", type="range", class_="seek", min=0, max=1000, value=0, aria_label=f"Position in {label}")
    if file.kind == "audio":
        sound = tag("audio", src=media.address, preload="none")
        return [tag("div", _wave(media.bars), class_="sound"), sound, play, seek]
    film = tag(
        "video",
        src=media.address,
        poster=media.still,
        preload="none" if media.still else "metadata",
        muted=True,
        loop=True,
        playsinline=True,
        aria_label=label,
        **shape,
    )
    return [film, play, seek]


def _elsewhere(media: Media) -> Tag | None:
    """A file that is too large for the page lies where it was stored."""
    if media.address is not None or media.link is None:
        return None
    return tag("a", "open the file", href=media.link, class_="file", target="_blank", rel="noopener noreferrer")


def _wave(bars: tuple[float, ...]) -> Tag:
    """The shape of a sound around its middle."""
    middle = WAVE_PX / 2
    path = "".join(f"M{x + 0.5:g} {middle - h:g}v{2 * h:g}" for x, bar in enumerate(bars) if (h := max(0.5, bar * 22)))
    return tag(
        "svg",
        tag("path", d=path or f"M0 {middle:g}h1"),
        viewBox=f"0 0 {max(1, len(bars))} {WAVE_PX}",
        preserveAspectRatio="none",
        class_="wave",
        aria_hidden="true",
    )
