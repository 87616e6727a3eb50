"""Accounts and what bounds them: caps for life, for each day, week and month, for credits; and who is near one.

What counts for a period is when it was reserved. A period is an account row of its own, made when it is first needed
and filled from the transfers reserved within it, so that a cap set in mid-month counts the whole month. Every function
runs inside the caller's transaction.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from math import ceil
from typing import Any, Literal, NamedTuple, cast

from sqlalchemy import Connection, bindparam, func, insert, or_, select, update

from aggregator.errors import BudgetExceededError, ConfigurationError, LedgerError
from aggregator.periods import Period, Window, moment, window_of
from aggregator.pricing.money import dollars, from_micro_usd
from aggregator.spend import Budget
from aggregator.store.balances import Figures, earmarks, kept, pending, subtree, sums, totals
from aggregator.store.schema import account, budget, credit_rate, earmark

__all__ = [
    "TOTAL",
    "USD",
    "WARN_AT",
    "Crossing",
    "Level",
    "crossings",
    "in_credits",
    "is_open",
    "levels",
    "no_room",
    "open_account",
    "open_credits",
    "rate_usd",
    "report",
    "set_caps",
    "shown",
]

TOTAL = "total"
"""The cap for an account's life, beside `day`, `week` and `month`."""
USD = "USD"
WARN_AT = (80, 100)
"""Percent of a cap at which it is said how much is used."""


class Level(NamedTuple):
    """An account that a movement of money touches, or a period of one: its row."""

    id: str
    currency: str
    cap: int | None
    held: int
    settled: int
    overrun: int
    warned: int
    window_of: str | None
    until_at: int | None

    @property
    def account(self) -> str:
        """The account itself, where this is a period of it."""
        return self.window_of or self.id

    @property
    def period(self) -> str | None:
        """`month 2026-11`; `None` for an account's life."""
        return None if self.window_of is None else self.id.rpartition("@")[2].replace("/", " ")

    @property
    def used(self) -> int:
        return self.held + self.settled

    def fits(self, cap: int) -> bool:
        """Whether what is bound is within a cap, but for bills that were above their reservations."""
        return self.used <= cap + self.overrun


class Crossing(NamedTuple):
    """A budget of which so much is used now: told once."""

    level: Level
    percent: int

    def as_json(self) -> dict[str, Any]:
        level = self.level
        figures = {"cap": level.cap, "held": level.held, "settled": level.settled}
        return {"account": level.account, "period": level.period, "percent": self.percent, **figures}


_LEVEL = (*(account.c[name] for name in Level._fields),)
# Put together once: that takes longer than running them.
_ACCOUNT = select(account.c.cap, account.c.parent).where(account.c.id == bindparam("of"))
_ADD_ACCOUNT = insert(account)
_CAPS = select(budget.c.period, budget.c.cap).where(budget.c.account == bindparam("of"))
_ONE = select(*_LEVEL).where(account.c.id == bindparam("of"))
_SET_CAP = update(account).where(account.c.id == bindparam("of")).values(cap=bindparam("new_cap"), warned=0)
_ADD_CAP = insert(budget)
_CHANGE_CAP = (
    update(budget)
    .where(budget.c.account == bindparam("of"), budget.c.period == bindparam("each"))
    .values(cap=bindparam("new_cap"))
)


def shown(amount: int, currency: str = USD) -> str:
    """An amount for people: dollars, or credits of a provider."""
    exact = from_micro_usd(amount)
    return dollars(exact) if currency == USD else f"{exact.normalize():f} credits"


# ---------------------------------------------------------------------------------------------------------- accounts


def is_open(connection: Connection, name: str, *, parent: str | None, caps: Mapping[str, int]) -> bool:
    """Whether there is an account, as it is asked for. Reads only; caps that are not given are left alone.

    Args:
        caps: Micro-dollars, for `total`, `day`, `week` or `month`.

    Raises:
        ConfigurationError: It exists with another budget or another parent.

    """
    row = connection.execute(_ACCOUNT, {"of": name}).one_or_none()
    if row is None:
        return False
    if row.parent != parent:
        raise ConfigurationError(f"{name} exists below {row.parent}, not below {parent}: choose another name")
    known = {TOTAL: row.cap, **_caps(connection, name)} if caps else {}
    for period, cap in caps.items():
        if known.get(period) != cap:
            each = "" if period == TOTAL else f" a {period}"
            now = known.get(period)
            was = f"no budget{each}" if now is None else f"a budget of {shown(now)}{each}"
            raise ConfigurationError(
                f"{name} has {was}, not {shown(cap)}: a budget stays as it was set; set_budget() changes it"
            )
    return True


def open_account(connection: Connection, name: str, *, parent: str | None, caps: Mapping[str, int]) -> None:
    """Make an account, or find it as it was made; arguments and errors are those of `is_open`."""
    if not is_open(connection, name, parent=parent, caps=caps):
        connection.execute(_ADD_ACCOUNT, {"id": name, "parent": parent, "cap": caps.get(TOTAL)})
        _write_caps(connection, name, caps)


def _caps(connection: Connection, name: str) -> dict[str, int]:
    return {row.period: row.cap for row in connection.execute(_CAPS, {"of": name})}


def _write_caps(connection: Connection, name: str, caps: Mapping[str, int]) -> None:
    if not caps.keys() - {TOTAL}:
        return
    known = _caps(connection, name)
    for period, cap in caps.items():
        if period in known:
            connection.execute(_CHANGE_CAP, {"of": name, "each": period, "new_cap": cap})
        elif period != TOTAL:
            connection.execute(_ADD_CAP, {"account": name, "period": period, "cap": cap})


def set_caps(connection: Connection, name: str, caps: Mapping[str, int], *, at: int) -> None:
    """Change budgets; never below what is spent and reserved, in the present period for that of a period. A period that
    is over keeps the cap it had.
    """
    _write_caps(connection, name, caps)
    base = _level(connection, name)
    if base is None:
        raise LedgerError(f"there is no account {name}")
    for period, cap in caps.items():
        level = base
        if period != TOTAL:
            window = window_of(cast("Period", period), at)
            level = _level(connection, _window_id(name, window)) or _open_window(connection, base, window, cap)
        if not level.fits(cap):
            raise _too_low(level, cap)
        if level.cap == cap:
            continue
        connection.execute(_SET_CAP, {"of": level.id, "new_cap": cap})


def _too_low(level: Level, cap: int) -> ConfigurationError:
    spent, held = shown(level.settled, level.currency), shown(level.held, level.currency)
    when = f" in {level.period}" if level.period else ""
    return ConfigurationError(
        f"a budget of {shown(cap, level.currency)} is too low for {level.account}: {spent} spent, {held} reserved{when}"
    )


def _level(connection: Connection, name: str) -> Level | None:
    row = connection.execute(_ONE, {"of": name}).one_or_none()
    return None if row is None else Level._make(row)


# ----------------------------------------------------------------------------------------------------------- periods


def _window_id(name: str, window: Window) -> str:
    return f"{name}@{window.period}/{window.label}"


_BELOW = subtree(bindparam("name"))
_WITHIN = (pending.c.at >= bindparam("from_at"), pending.c.at < bindparam("until_at"))
_USD_WITHIN = sums(pending.c.debit.in_(_BELOW), *_WITHIN)
_CREDITS_WITHIN = sums(pending.c.currency == bindparam("name"), *_WITHIN)
_KEPT = kept(earmark.c.account.in_(_BELOW))
_KEPT_WITHIN = _KEPT.where(earmark.c.at >= bindparam("from_at"), earmark.c.at < bindparam("until_at"))


def _figures(connection: Connection, base: Level, window: Window) -> Figures:
    """What was reserved within a period, and what became of it."""
    within = {"from_at": window.from_at, "until_at": window.until_at}
    figures = Figures()
    if base.currency == USD:
        for total in totals(connection, _USD_WITHIN, name=base.id, **within):
            figures += total.usd
        figures += Figures(_earmarked(connection, base, window))
    else:
        for total in totals(connection, _CREDITS_WITHIN, name=base.currency, **within):
            figures += total.credits
    return figures


def _earmarked(connection: Connection, base: Level, window: Window | None = None) -> int:
    """How much of what is held is kept for steps of runs that have not reserved yet."""
    if base.currency != USD:
        return 0
    if window is None:
        found = earmarks(connection, _KEPT, name=base.id)
    else:
        found = earmarks(connection, _KEPT_WITHIN, name=base.id, from_at=window.from_at, until_at=window.until_at)
    return sum(total.usd.held for total in found)


def _open_window(connection: Connection, base: Level, window: Window, cap: int) -> Level:
    """Make a period of an account, unless more than `cap` is bound in it: then it is closed, and not written."""
    of = _figures(connection, base, window)
    name = _window_id(base.id, window)
    level = Level(name, base.currency, cap, of.held, of.settled, of.overrun, 0, base.id, window.until_at)
    if level.fits(cap):
        connection.execute(_ADD_ACCOUNT, {**level._asdict(), "from_at": window.from_at})
    return level


# ------------------------------------------------------------------------------------------------------------ levels

_chain = select(account.c.id, account.c.parent).where(
    or_(account.c.id == bindparam("name"), account.c.id == bindparam("credit"))
)
_above = _chain.cte("chain", recursive=True)
_above = _above.union_all(select(account.c.id, account.c.parent).where(account.c.id == _above.c.parent))
_CHAIN = select(*_LEVEL, budget.c.period, budget.c.cap.label("each")).select_from(
    _above.join(account, account.c.id == _above.c.id).outerjoin(budget, budget.c.account == account.c.id)
)
_WINDOWS = select(*_LEVEL).where(account.c.id.in_(bindparam("names", expanding=True)))


def levels(connection: Connection, name: str, provider: str, at: int, *, opening: bool = False) -> list[Level]:
    """Every account that money reserved at `at` for `provider` touches: this one, those above it, their periods that
    are open, and the credits of the provider. One statement where no period has a budget.

    Args:
        opening: Make the periods that are not open yet.

    """
    found: dict[str, Level] = {}
    missing: dict[str, tuple[Level, Window, int]] = {}
    for row in connection.execute(_CHAIN, {"name": name, "credit": f"credits:{provider}"}):
        level = found[row[0]] = Level._make(row[:-2])
        if row.period is not None:
            window = window_of(row.period, at)
            missing[_window_id(level.id, window)] = (level, window, row.each)
    if missing:
        for row in connection.execute(_WINDOWS, {"names": list(missing)}):
            found[row[0]] = Level._make(row)
            del missing[row[0]]
    if opening:
        for key, (level, window, cap) in missing.items():
            found[key] = _open_window(connection, level, window, cap)
    if name not in found:
        raise LedgerError(f"there is no account {name}")
    return list(found.values())


def no_room(
    levels: Iterable[Level], needed: Mapping[str, int], quote: int, what: str = "this call"
) -> BudgetExceededError:
    """Why `what` does not fit: the level that has least left of those on which it does not."""
    tight = [of for of in levels if of.cap is not None and of.used + needed[of.currency] > of.cap]
    level = min(tight, key=lambda of: (of.cap or 0) - of.used)
    cap, currency = level.cap or 0, level.currency
    until = None if level.until_at is None else moment(level.until_at)
    when = "" if until is None else f" until {until:%Y-%m-%d %H:%M} UTC"
    wait = "" if until is None else "wait for the next period, "
    raised = "set_budget()" if currency == USD else f"`budget` below [providers.{currency.partition(':')[2]}.credits]"
    name = f"{level.account}, {level.period}" if level.period else level.account
    # In dollars whatever the budget is in: credits count at the rate of this very quote.
    rate = Fraction(1) if currency == USD or not needed[currency] else Fraction(quote, needed[currency])
    return BudgetExceededError(
        f"{name}: {what} may cost {shown(needed[currency], currency)}, and "
        f"{shown(max(0, cap - level.used), currency)} is left of {shown(cap, currency)}{when} (spent "
        f"{shown(level.settled, currency)}, reserved {shown(level.held, currency)}). Nothing was sent. Raise the "
        f"budget with {raised}, {wait}or choose a cheaper model or stage",
        account=level.account,
        period=level.period,
        until=until,
        quote_usd=from_micro_usd(quote),
        limit_usd=from_micro_usd(round(cap * rate)),
        spent_usd=from_micro_usd(round(level.settled * rate)),
        held_usd=from_micro_usd(round(level.held * rate)),
    )


_WARNED = update(account).where(account.c.id == bindparam("of")).values(warned=bindparam("percent"))


def crossings(connection: Connection, levels: Iterable[Level], warn_at: Sequence[int]) -> tuple[Crossing, ...]:
    """The thresholds that the levels, as they are after a movement, are past for the first time."""
    found: list[Crossing] = []
    for level in levels:
        if not level.cap:
            continue
        past = [percent for percent in sorted(warn_at) if percent > level.warned and _past(level, percent)]
        if past:
            connection.execute(_WARNED, {"of": level.id, "percent": past[-1]})
            found += [Crossing(level, percent) for percent in past]
    return tuple(found)


def _past(level: Level, percent: int) -> bool:
    return level.used * 100 >= percent * (level.cap or 0)


# ----------------------------------------------------------------------------------------------------------- credits


def open_credits(connection: Connection, provider: str, usd: Decimal, caps: Mapping[str, int], *, at: int) -> None:
    """Count a provider's credits from now on. A rate that changed counts from now on, and holds keep theirs.

    Args:
        usd: What one credit costs.
        caps: Millionths of a credit.

    """
    name, currency = f"credits:{provider}", f"credit:{provider}"
    if _level(connection, name) is None:
        connection.execute(_ADD_ACCOUNT, {"id": name, "currency": currency})
    last = connection.execute(
        select(func.max(credit_rate.c.from_at)).where(credit_rate.c.currency == currency)
    ).scalar()
    if last is None or rate_usd(connection, currency) != usd:
        from_at = at if last is None else max(at, last + 1)
        connection.execute(
            insert(credit_rate).values(currency=currency, from_at=from_at, usd=str(usd), source="configuration")
        )
    set_caps(connection, name, caps, at=at)


_RATE = (
    select(credit_rate.c.usd)
    .where(credit_rate.c.currency == bindparam("of"))
    .order_by(credit_rate.c.from_at.desc())
    .limit(1)
)


def rate_usd(connection: Connection, currency: str) -> Decimal:
    """What one credit costs now."""
    return Decimal(connection.execute(_RATE, {"of": currency}).scalar_one())


def in_credits(amount: int, usd: Decimal, rounding: Literal["reserve", "settle"]) -> int:
    """Micro-dollars as millionths of a credit: rounded up for a reservation, half to even for a charge."""
    exact = Fraction(amount) / Fraction(usd)
    return ceil(exact) if rounding == "reserve" else round(exact)


# ------------------------------------------------------------------------------------------------------------ report


def report(connection: Connection, *, at: int, name: str | None = None) -> list[Budget]:
    """Every cap of an account (of all of them, without a name), with what is used of it now."""
    wanted = account.c.window_of.is_(None) if name is None else account.c.id == name
    rows = [Level._make(row) for row in connection.execute(select(*_LEVEL).where(wanted).order_by(account.c.id))]
    return [found for base in rows for found in _caps_of(connection, base, at)]


def _caps_of(connection: Connection, base: Level, at: int) -> Iterator[Budget]:
    if base.cap is not None:
        of = Figures(base.held, base.settled, base.overrun)
        yield _as_budget(base, base.cap, of, _earmarked(connection, base))
    for period, cap in _caps(connection, base.id).items():
        window = window_of(cast("Period", period), at)
        level = _level(connection, _window_id(base.id, window))
        of = Figures(level.held, level.settled, level.overrun) if level else _figures(connection, base, window)
        yield _as_budget(base, cap, of, _earmarked(connection, base, window), window)


def _as_budget(base: Level, cap: int, of: Figures, earmarked: int, window: Window | None = None) -> Budget:
    return Budget(
        account=base.id.removeprefix("project:"),
        period=TOTAL if window is None else window.period,
        label=None if window is None else window.label,
        until=None if window is None else moment(window.until_at),
        currency=base.currency,
        limit=from_micro_usd(cap),
        settled=from_micro_usd(of.settled),
        held=from_micro_usd(of.held),
        earmarked=from_micro_usd(earmarked),
    )
