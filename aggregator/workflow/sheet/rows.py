"""The rows of the page: a step with its takes beside it, or a fan-out with its items."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import TypeVar

from aggregator.workflow.sheet.cards import Media, link, links, origin, take_card, values_of, words_of
from aggregator.workflow.sheet.data import Money, Sheet, Step, money_of, worst
from aggregator.workflow.sheet.markup import Child, Tag, tag

__all__ = ["STATES", "bill_line", "rows_of"]

T = TypeVar("T")

STATES = {
    "made": "made",
    "pick": "pick one",
    "running": "under way",
    "waiting": "waiting",
    "skipped": "skipped",
    "failed": "failed",
}


# --------------------------------------------------------------------------------------------------------------- money


def bill_line(sheet: Sheet) -> Tag:
    """What the run cost, beside its promotions; and all of them together."""
    bills = sheet.bills
    shown = [_bill(one, f"{'+ ' if number else ''}{one}", sheet.run) for number, one in enumerate(bills)]
    if len(bills) > 1:
        total = Money(
            name="together",
            cost_usd=sum((one.cost_usd for one in bills), Decimal(0)),
            unpriced=sum(one.unpriced for one in bills),
            unknown=sum(one.unknown for one in bills),
            held_usd=sum((one.held_usd for one in bills), Decimal(0)),
        )
        shown.append(_bill(total, str(total), sheet.run))
    return tag("dl", shown, class_="bills")


def _bill(of: Money, said: str, own: str) -> Tag:
    return tag("div", tag("dt", of.name), tag("dd", said), class_="own" if of.run == own else None)


# ---------------------------------------------------------------------------------------------------------------- rows


def rows_of(sheet: Sheet, media: Mapping[str, Media], *, is_live: bool) -> Iterator[Tag]:
    """Every step; items of a fan-out that have one take each share a row, where the first of them is."""
    shared: dict[str, list[Step]] = {}
    for step in sheet.steps:
        if step.wanted == 1:
            shared.setdefault(step.fan, []).append(step)
    into: dict[str, list[str]] = {}
    for step in sheet.steps:
        for name in step.needs:
            into.setdefault(name, []).append(step.name)
    for step in sheet.steps:
        items = shared.get(step.fan, []) if step.wanted == 1 else []
        if len(items) < 2:  # noqa: PLR2004  one is no group
            yield _step_row(sheet, step, into.get(step.name, []), media, is_live=is_live)
        elif step is items[0]:
            yield _fan_row(sheet, items, into, media, is_live=is_live)


def _step_row(sheet: Sheet, step: Step, into: list[str], media: Mapping[str, Media], *, is_live: bool) -> Tag:
    common = _common([take.warnings for take in step.takes]) if step.wanted > 1 else []
    said = (step.recipe.words, step.recipe.origins, *common)
    cards = [take_card(step, take, media, is_live=is_live, said=said) for take in step.takes]
    shown_below = ["", *(take.problem for take in step.takes)]
    about = [
        tag("p", step.why, class_="why")
        if step.takes and step.state != "pick" and step.why not in shown_below
        else None,
        words_of(step.recipe.words),
        values_of(step.recipe.values),
        links("from", [origin(one) for one in step.recipe.origins]),
        links("into", [link(name) for name in into]),
        links("carries", [tag("span", name) for name in step.carried]),
        [tag("p", one, class_="warning") for one in common],
    ]
    takes: Child = [tag("li", card) for card in cards]
    shown = (
        tag("ol", takes, class_="takes" if step.wanted > 1 else "takes alone", aria_label=f"Takes of {step.name}")
        if cards
        else tag("p", _nothing(step), class_="nothing")
    )
    return _row(sheet, step.name, [step], about, shown, id=f"step-{step.name}")


def _fan_row(
    sheet: Sheet, items: Sequence[Step], into: Mapping[str, list[str]], media: Mapping[str, Media], *, is_live: bool
) -> Tag:
    words = _same(items, lambda step: step.recipe.words) or ""
    values = _common([[*step.recipe.values.items()] for step in items])
    common = _common([take.warnings for step in items for take in step.takes])
    carried = _same(items, lambda step: step.carried) or ()
    said = ("", words, *common)
    cards: list[Tag] = []
    for step in items:
        recipe = step.recipe
        own = {name: value for name, value in recipe.values.items() if (name, value) not in values}
        above = [
            tag("h3", step.name, _chip([step])),
            words_of(recipe.words) if recipe.words not in said else None,
            values_of(own),
            links("from", [origin(one) for one in recipe.origins]) if step.is_edit or not step.takes else None,
        ]
        below = links("into", [link(name) for name in into.get(step.name, [])])
        made = [
            take_card(step, take, media, is_live=is_live, said=(*said, recipe.words), above=above, below=below)
            for take in step.takes
        ]
        nothing = tag(
            "div", tag("div", above, tag("p", _nothing(step), class_="note"), below, class_="meta"), class_="empty"
        )
        cards.append(tag("li", made or nothing, id=f"step-{step.name}"))
    about = [
        words_of(words),
        values_of(dict(values)),
        links("carries", [tag("span", name) for name in carried]),
        [tag("p", one, class_="warning") for one in common],
    ]
    fan = items[0].fan
    return _row(sheet, fan, items, about, tag("ol", cards, class_="takes", aria_label=f"Items of {fan}"))


def _row(sheet: Sheet, name: str, steps: Sequence[Step], about: Child, shown: Tag, **more: str) -> Tag:
    first = steps[0]
    stage = first.stage if first.stage != sheet.stage else None
    takes = [take for step in steps for take in step.takes]
    spent = None if first.is_edit or not takes else str(money_of(first.stage, takes))
    count = tag("span", f"×{len(steps)}", class_="count") if len(steps) > 1 else None
    head = [
        tag("h2", tag("span", name, id=f"row-{name}"), count, _chip(steps)),
        tag("p", [tag("span", fact) for fact in (first.task, stage, spent) if fact], class_="facts"),
    ]
    classes = f"step {worst(steps)}"
    return tag(
        "section",
        tag("div", head, about, class_="about"),
        shown,
        class_=classes,
        aria_labelledby=f"row-{name}",
        data_step=name,
        **more,
    )


def _chip(steps: Sequence[Step]) -> Tag:
    """The state of steps: whatever wants to be looked at first, and of how many."""
    state = worst(steps)
    count = sum(step.state == state for step in steps)
    said = STATES[state] if len(steps) == 1 else f"{count} {STATES[state]}"
    return tag("span", said, class_=f"chip {state}", hidden=state == "made")


def _nothing(step: Step) -> str:
    why = f": {step.why}" if step.why else ""
    return f"{STATES[step.state].capitalize()}{why}"


def _common(lists: Sequence[Sequence[T]]) -> list[T]:
    """What is in each of several lists."""
    return [one for one in lists[0] if all(one in other for other in lists[1:])] if lists else []


def _same(steps: Sequence[Step], of: Callable[[Step], T]) -> T | None:
    """What is the same of all steps; `None`: it differs."""
    first = of(steps[0])
    return first if all(of(step) == first for step in steps) else None
