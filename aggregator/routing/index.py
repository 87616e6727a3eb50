"""Ranked offers, kept: who can serve requests that look alike, in which order and at which price, is worked out once.

It belongs to one view and one day. A lane holds the offers that one kind of call may use; a ranking is theirs for all
requests that these offers cannot tell apart (`sight`). Offers whose price reads the words themselves are looked at for
every request, and put in their places. The property tests hold it against the plain scan.
"""

import json
from bisect import bisect_left, insort
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from heapq import merge
from operator import attrgetter

from aggregator.errors import ConfigurationError, UnknownModelError
from aggregator.registry.quality import Standing
from aggregator.routing.candidates import Entry, Excluded, Row, Scan, rows_of
from aggregator.routing.plan import Ask
from aggregator.routing.policy import Policy, policy_of
from aggregator.routing.sight import WORDS, Reading, Sight, read_by, reading_of
from aggregator.routing.target import Target, target_of
from aggregator.routing.walk import Moment
from aggregator.tasks import Request
from aggregator.view import View

__all__ = ["Index", "Lane", "Ranking", "in_order"]

KEPT = 20_000
"""So many ranked offers are kept at most, some kilobytes each: those asked for last."""
_LANES = 1_000
_BLIND = Sight((), frozenset())
_BY_KEY = attrgetter("key")


@dataclass(slots=True)
class Lane:
    """The offers that one kind of call may use: a task, a stage, and who is asked for."""

    target: Target
    policy: Policy
    standings: Mapping[str, Standing]
    rows: list[Row] = field(default_factory=list)
    """Those whose price does not read the words of a request."""
    readers: list[Row] = field(default_factory=list)
    """Those whose price does."""
    priced: frozenset[str] = frozenset()
    """Which lists and inputs their prices read, as far as it was seen."""
    sight: Sight = _BLIND
    readings: Mapping[str, Reading] = field(default_factory=dict)
    """By offer, what its price goes by."""

    def learn(self, read: Mapping[str, frozenset[str]]) -> bool:
        """Take note of what prices were seen to read, by offer; whether that is news."""
        readers = [row for row in self.rows if read.get(row.id, frozenset()) & WORDS]
        self.readers += readers
        self.rows = [row for row in self.rows if row not in readers] if readers else self.rows
        priced = self.priced.union(*(read.get(row.id, frozenset()) for row in self.rows))
        if not readers and priced == self.priced and self.sight is not _BLIND:
            return False
        self.priced, self.sight = priced, Sight(self.rows, priced)
        return True


class Ranking:
    """Offers in their order."""

    def __init__(self, entries: list[Entry], told: tuple[int, int]) -> None:
        self.entries = entries
        self._told = told
        self._by_id: dict[str, Entry] = {}

    def of(self, name: str) -> Iterator[Entry]:
        """Those of one model, or the one offer of this id."""
        return (entry for entry in self.entries if name in (entry.row.offer.model, entry.id))

    def hear(self, moment: Moment, policy: Policy) -> None:
        """Put those whose record here has changed in their new places."""
        if moment.told == self._told:
            return
        (told, hour), (count, now) = self._told, moment.told
        self._by_id = self._by_id or {entry.id: entry for entry in self.entries}
        changed = moment.told_since(told) if hour == now and count >= told else None
        for pin in list(self._by_id) if changed is None else changed:
            if (entry := self._by_id.get(pin)) is not None:
                self._place(entry, moment, policy)
        self._told = moment.told

    def _place(self, entry: Entry, moment: Moment, policy: Policy) -> None:
        track = moment.track(entry.id)
        if track == entry.track:
            return
        moved = self._by_id[entry.id] = entry.with_track(track)
        key = policy.key(moved)
        assert key is not None  # only a policy of the user's own turns down, and its rankings are not put right
        moved.key = key
        del self.entries[bisect_left(self.entries, entry.key, key=_BY_KEY)]
        insort(self.entries, moved, key=_BY_KEY)


class Index:
    """All rankings of one view on one day."""

    def __init__(self, view: View, day: date, usable: Mapping[str, str | None]) -> None:
        self.view = view
        self._usable = usable
        self.day = day
        self._rows: dict[str, tuple[Row, ...]] = {}
        self._lanes: dict[Hashable, Lane] = {}
        self._rankings: OrderedDict[Hashable, Ranking] = OrderedDict()
        self._size = 0

    def rows(self, task: str) -> tuple[Row, ...]:
        """Every offer of a task."""
        if task not in self._rows:
            self._rows[task] = rows_of(self.view, task, self.day, self._usable)
        return self._rows[task]

    def lane(self, request: Request, ask: Ask) -> Lane:
        """Where a call belongs.

        Raises:
            RequestError, RoutingError: The stage or the model is unknown, or the model is retired.

        """
        key = (request.task, ask.stage, ask.role, ask.model)
        lane = self._lanes.get(key)
        if lane is None:
            if len(self._lanes) >= _LANES:
                self._lanes.clear()
                self._rankings.clear()
                self._size = 0
            lane = self._lanes[key] = self._lane(request, ask)
        return lane

    def _lane(self, request: Request, ask: Ask) -> Lane:
        view = self.view
        policy = policy_of(view.config, ask.stage)
        target = target_of(
            view.registry,
            view.config,
            request,
            ask,
            self.day,
            lambda offer: self._usable.get(offer.provider, "") is None,
        )
        self._check_trial(policy, request.task)
        lane = Lane(target, policy, view.quality.standings(request.task, self.day, role=ask.role))
        scan = self.scan(lane, request, ask, Moment(self.day))
        lane.rows = [row for row in self.rows(request.task) if scan.closed(row) is None]
        lane.readings = {row.id: reading_of(row, view.prices, self.day) for row in lane.rows}
        lane.learn({name: reading.names for name, reading in lane.readings.items()})
        return lane

    def _check_trial(self, policy: Policy, task: str) -> None:
        """A model on trial must be one there is, or its share would go to nobody without a word."""
        canary, registry = policy.settings.canary, self.view.registry
        if canary is None or any(row.id == canary.model for row in self.rows(task)):
            return
        try:
            registry.card(canary.model)
        except UnknownModelError as error:
            if not any(offer.id == canary.model for offer in registry.all_offers()):
                where = f"[policy.{policy.stage}] canary"
                raise UnknownModelError(f"{where}: {error}", nearest=error.nearest) from None

    def scan(
        self,
        lane: Lane,
        request: Request,
        ask: Ask,
        moment: Moment,
        watch: Callable[[Row, Request], None] = lambda _row, _served: None,
    ) -> Scan:
        """One request on its way past offers."""
        values = request.values()
        of_view = (self.view, lane.policy, lane.target)
        return Scan(*of_view, request, ask, self.day, values, moment.track, lane.standings, watch)

    def ranked(
        self, lane: Lane, request: Request, ask: Ask, moment: Moment
    ) -> tuple[Iterable[Entry], Callable[[str], Iterable[Entry]]]:
        """The offers of a lane that fit, in their order; and those of them of one name."""
        ranking = self._ranking(lane, request, ask, moment)
        if not lane.readers:
            return ranking.entries, ranking.of
        scan = self.scan(lane, request, ask, moment)
        looked = in_order((scan.weigh(row) for row in lane.readers), lane.policy)
        both = list(merge(ranking.entries, looked, key=_BY_KEY))
        return both, Ranking(both, moment.told).of

    def _ranking(self, lane: Lane, request: Request, ask: Ask, moment: Moment) -> Ranking:
        values = request.values()
        key = self._key(lane, values, ask, moment)
        ranking = self._rankings.get(key)
        if ranking is not None:
            self._rankings.move_to_end(key)
            ranking.hear(moment, lane.policy)
            return ranking
        read: dict[str, frozenset[str]] = {}

        def watch(row: Row, served: Request) -> None:
            if (reading := lane.readings[row.id]).functions:
                read[row.id] = read_by(reading, row, served)

        scan = self.scan(lane, request, ask, moment, watch)
        entries = in_order([scan.weigh(row) for row in lane.rows], lane.policy)
        if lane.learn(read):  # what was kept of this lane does not see enough, and is never found again
            readers = {row.id for row in lane.readers}
            entries = [entry for entry in entries if entry.id not in readers]
            key = self._key(lane, values, ask, moment)
        ranking = self._rankings[key] = Ranking(entries, moment.told)
        self._size += len(entries)
        while self._size > KEPT and len(self._rankings) > 1:
            self._size -= len(self._rankings.popitem(last=False)[1].entries)
        return ranking

    @staticmethod
    def _key(lane: Lane, values: Mapping[str, object], ask: Ask, moment: Moment) -> Hashable:
        seen = lane.sight.key(values, adjust=ask.on_unsupported == "adjust")
        options = json.dumps(ask.provider_options, sort_keys=True, default=repr) if ask.provider_options else ""
        own = moment.told if ":" in lane.policy.order else None
        return lane.sight, seen, options, own  # a lane that has learned sees with other eyes


def in_order(found: Iterable[Entry | Excluded], policy: Policy) -> list[Entry]:
    """Those that fit, sorted.

    Raises:
        ConfigurationError: What a policy of the user's own returned cannot be compared.

    """
    fitting = [one for one in found if isinstance(one, Entry)]
    try:
        return sorted(fitting, key=_BY_KEY)
    except TypeError as error:
        where = f"[policy.{policy.stage}] order"
        raise ConfigurationError(f"{where}: what {policy.order} returns cannot be compared: {error}") from None
