"""The rows and the cards of the page: a step with what it is asked for, and each of its takes."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from aggregator.pricing.money import dollars
from aggregator.workflow.sheet.data import File, Money, Origin, Sheet, Step, Take
from aggregator.workflow.sheet.markup import Child, Tag, tag

__all__ = ["Media", "bill_line", "step_row"]

LONG_WORDS = 260
"""Longer prompts are folded."""
WAVE_PX = 48
STATES = {
    "made": "made",
    "pick": "pick one",
    "running": "under way",
    "waiting": "waiting",
    "skipped": "skipped",
    "failed": "failed",
}
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


# --------------------------------------------------------------------------------------------------------------- money


def bill_line(sheet: Sheet) -> Tag:
    """What the run cost, beside its promotions; and all of them together."""
    bills = sheet.bills
    shown = [_bill(one, f"{'+ ' if number else ''}{_said(one)}", sheet.run) for number, one in enumerate(bills)]
    if len(bills) > 1:
        total = Money(
            name="together",
            cost_usd=sum((one.cost_usd for one in bills), Decimal(0)),
            unknown=sum(one.unknown for one in bills),
            held_usd=sum((one.held_usd for one in bills), Decimal(0)),
        )
        shown.append(_bill(total, _said(total), sheet.run))
    return tag("dl", shown, class_="bills")


def _bill(of: Money, said: str, own: str) -> Tag:
    return tag("div", tag("dt", of.name), tag("dd", said), class_="own" if of.run == own else None)


def _said(of: Money) -> str:
    if not of.unknown:
        return dollars(of.cost_usd)
    return f"{dollars(of.cost_usd)} and {of.unknown} unknown ({dollars(of.held_usd)} reserved)"


# --------------------------------------------------------------------------------------------------------------- steps


def step_row(sheet: Sheet, step: Step, media: Mapping[str, Media], *, is_live: bool) -> Tag:
    """A step with its takes beside it."""
    head = f"step-{step.name}"
    takes: Child = tag("p", _nothing(step), class_="nothing")
    if step.takes:
        takes = tag(
            "ol",
            [_card(step, take, media, is_live=is_live) for take in step.takes],
            class_="takes" if step.wanted > 1 else "takes alone",
            aria_label=f"Takes of {step.name}",
        )
    return tag(
        "section",
        tag("div", _about(sheet, step, head), class_="about"),
        takes,
        class_=f"step {step.state}",
        aria_labelledby=f"{head}-name",
        id=head,
        data_step=step.name,
    )


def _about(sheet: Sheet, step: Step, head: str) -> Child:
    into = [other.name for other in sheet.steps if step.name in other.needs]
    stage = step.stage if step.stage != sheet.stage else None
    spent = None if step.is_edit or not step.takes else _said(step.money)
    return [
        tag(
            "h2",
            tag("span", step.name, id=f"{head}-name"),
            tag("span", STATES[step.state], class_=f"chip {step.state}", hidden=step.state == "made"),
        ),
        tag("p", [tag("span", fact) for fact in (step.task, stage, spent) if fact], class_="facts"),
        tag("p", step.why, class_="why") if step.why and step.takes else None,
        _words(step.recipe.words),
        _values(step),
        _links("from", [_origin(one) for one in step.recipe.origins]),
        _links("into", [_link(name) for name in into]),
        _links("carries", [tag("span", name) for name in step.carried]),
        [tag("p", one, class_="warning") for one in _common(step)],
    ]


def _common(step: Step) -> list[str]:
    """What is to be said of each of several takes is said once."""
    if step.wanted == 1 or not step.takes:
        return []
    first, *others = step.takes
    return [one for one in first.warnings if all(one in other.warnings for other in others)]


def _nothing(step: Step) -> str:
    why = f": {step.why}" if step.why else ""
    return f"{STATES[step.state].capitalize()}{why}"


def _words(words: str) -> Tag | None:
    if not words:
        return None
    if len(words) <= LONG_WORDS:
        return tag("p", words, class_="words", dir="auto")
    return tag(
        "details", tag("summary", f"{words[:LONG_WORDS]}…", dir="auto"), tag("p", words, dir="auto"), class_="words"
    )


def _values(step: Step) -> Tag | None:
    pairs = [tag("span", f"{name} ", tag("b", _shown(value))) for name, value in step.recipe.values.items()]
    return tag("p", pairs, class_="values") if pairs else None


def _shown(value: object) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(_shown(one) for one in value)
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_shown(one)}" for name, one in value.items())
    return f"{value:g}" if isinstance(value, float) else str(value)


def _links(what: str, links: list[Tag]) -> Tag | None:
    return tag("p", tag("span", what, class_="what"), links, class_="links") if links else None


def _link(name: str) -> Tag:
    return tag("a", name, href=f"#step-{name}")


def _origin(of: Origin) -> Tag:
    if of.step is None:
        return tag("span", of.name, title=of.field)
    if of.take is None:
        return tag("a", of.step, href=f"#step-{of.step}", title=of.field)
    return tag("a", f"{of.step} #{of.take}", href=f"#take-{of.step}-{of.take}", title=of.field)


# --------------------------------------------------------------------------------------------------------------- takes


def _card(step: Step, take: Take, media: Mapping[str, Media], *, is_live: bool) -> Tag:
    is_picked = step.can_pick and take.number == step.picked
    number = f", take {take.number} of {step.wanted}" if step.wanted > 1 else ""
    label = f"{step.name}{number}"
    shown: Child = tag("p", take.problem or "under way", class_="missing")
    if take.file is not None:
        shown = _shown_file(take.file, media[take.file.sha256], label)
    about = [
        tag("div", _first_line(step, take, is_live=is_live), class_="line"),
        tag("p", [tag("span", fact) for fact in _facts(take)], class_="facts"),
        _words(take.recipe.words) if take.recipe.words != step.recipe.words else None,
        _links("from", [_origin(one) for one in take.recipe.origins]) if not step.is_edit else None,
        [tag("p", one, class_="warning") for one in take.warnings if one not in _common(step)],
        [tag("p", one, class_="note") for one in take.notes],
        _more(take),
    ]
    return tag(
        "li",
        tag(
            "article",
            tag("div", shown, class_="screen"),
            tag("div", about, class_="meta"),
            class_=f"take{' picked' if is_picked else ''}",
            id=f"take-{step.name}-{take.number}",
            tabindex=-1,
            aria_label=label,
            data_step=step.name,
            data_take=take.number,
        ),
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
        cost = "cost unknown" if take.cost_usd is None else dollars(take.cost_usd)
    size = f"{file.width}×{file.height}" if file is not None and file.width and file.height else None
    facts = [
        cost,
        None if take.seed is None else f"seed {take.seed}",
        size,
        f"{file.duration_s:.1f} s long" if file is not None and file.duration_s else None,
        None if take.took_s is None else f"made in {take.took_s:.1f} s",
        "reused" if take.is_reused else None,
        "stand-in" if take.is_stand_in else None,
    ]
    return [fact for fact in facts if fact]


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
        return [tag("img", src=source, alt=label, decoding="async", **shape), _elsewhere(media)]
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
