"""From a request to a plan: the first of the ranked offers, and why it is the first."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from pydantic import JsonValue

from aggregator.contract import Endpoint, To
from aggregator.errors import RequestError
from aggregator.routing.candidates import Excluded
from aggregator.routing.fitting import serve
from aggregator.routing.index import Index, Lane, Ranking, in_order
from aggregator.routing.nothing import nothing
from aggregator.routing.plan import Ask, Candidate, Plan
from aggregator.routing.walk import Moment, Walk
from aggregator.tasks import Request
from aggregator.view import View

__all__ = ["Router"]

KEPT = 8
"""So many alternatives a plan has that nobody asked to explain: more than the attempts that one call may make."""
_SHOWN = 6


class Router:
    """Chooses among the offers of one view."""

    def __init__(self, view: View) -> None:
        self.view = view
        self._usable = view.usable
        self._index: Index | None = None

    def index(self, moment: Moment) -> Index:
        """What is kept of the moment's day."""
        if self._index is None or self._index.day != moment.day:
            self._index = Index(self.view, moment.day, self._usable)
        return self._index

    def route(self, request: Request, ask: Ask, moment: Moment, *, explain: bool = False) -> Plan:
        """Choose who serves a request; `body` and `url` of the plan are still empty.

        Args:
            explain: Also list every alternative, and the offers that are out, each with the reason: a plain scan.

        Raises:
            ConfigurationError: No provider is configured at all, or a policy of the user's own does not work.
            MissingCredentialError: What was asked for is served only by providers whose key is not set.
            RequestError: The stage, the model or an option is wrong, the model is retired, or the one offer that was
                asked for cannot carry a field.
            PriceUnknownError: Only offers without a known price are left, and no `max_usd` bounds the call.
            NoRouteError: Nothing fits; the reasons are in the message and in `reasons`.

        """
        for name in ask.provider_options:
            if name not in self._usable:
                known = ", ".join(sorted(self._usable))
                raise RequestError(f"provider_options: no provider is named {name!r}; known: {known}")
        index = self.index(moment)
        lane = index.lane(request, ask)
        if not explain:
            walk = Walk(moment, ask, lane.policy, lane.target, request.values())
            plan = self._chosen(lane, request, ask, walk, walk.down(*index.ranked(lane, request, ask, moment)))
            if plan is not None:
                return plan
        return self._plainly(index, lane, request, ask, moment, explain=explain)

    def _plainly(self, index: Index, lane: Lane, request: Request, ask: Ask, moment: Moment, *, explain: bool) -> Plan:
        """The same without anything that is kept, and with a reason for everyone who is out."""
        out: list[Excluded] = []
        walk, down = _scanned(index, lane, request, ask, moment, out)
        plan = self._chosen(lane, request, ask, walk, down, whole=True)
        if plan is None:
            raise nothing(lane.target, out, self._usable, request)
        assert explain  # what is kept would have given a plan
        return replace(plan, excluded=(*(item.candidate() for item in out), *plan.excluded))

    def _chosen(
        self, lane: Lane, request: Request, ask: Ask, walk: Walk, down: Iterator[Candidate], *, whole: bool = False
    ) -> Plan | None:
        """The plan for the first on the way down; `None`: there is none. `whole`: go on to the end."""
        chosen = next(down, None)
        if chosen is None:
            return None
        ahead = tuple(walk.passed)
        if (touched := _touched(chosen, ask)) is not None:
            raise RequestError(
                f"provider_options[{chosen.offer.provider!r}] may not set {touched!r} on {chosen.offer.id}: "
                "a canonical parameter, a fixed value or the price decides it"
            )
        real = not self._is_stand_in(chosen)
        alternatives: list[Candidate] = []
        barred: list[Candidate] = []
        for item in down:
            kind, why = self._barred(item, ask, walk, instead_of_real=real)
            if why is not None:
                barred.append(replace(item, kind=kind, excluded=why))
            elif whole or len(alternatives) < KEPT:
                alternatives.append(item)
            else:
                break
        return Plan(
            request=serve(request, chosen.adjustments),
            ask=ask,
            chosen=chosen,
            alternatives=tuple(alternatives),
            why=_why(lane, chosen, ask, alternatives, ahead, whole=whole),
            excluded=tuple(barred) if whole else (),
        )

    def _barred(self, item: Candidate, ask: Ask, walk: Walk, *, instead_of_real: bool) -> tuple[str, str | None]:
        """Why an offer that fits may still not stand in for the chosen one: the kind of reason, and the reason."""
        if (touched := _touched(item, ask)) is not None:
            return "options", f"provider_options may not set {touched!r} there"
        if instead_of_real and self._is_stand_in(item):
            return "policy", "a stand-in never takes over from a real model"
        return "policy", walk.on_trial(item.offer)

    def _is_stand_in(self, item: Candidate) -> bool:
        return self.view.registry.card(item.offer.model).is_stand_in


def _scanned(
    index: Index, lane: Lane, request: Request, ask: Ask, moment: Moment, out: list[Excluded]
) -> tuple[Walk, Iterator[Candidate]]:
    """The way down, past every offer of the task; `out` gets those that are out."""
    scan = index.scan(lane, request, ask, moment)
    looked = [scan.look(row) for row in index.rows(request.task)]
    ranking = Ranking(in_order(looked, lane.policy), moment.told)
    out += [one for one in looked if isinstance(one, Excluded)]
    walk = Walk(moment, ask, lane.policy, lane.target, scan.values)
    return walk, walk.down(ranking.entries, ranking.of, out)


# ---------------------------------------------------------------------------------------------------------------- why


def _why(
    lane: Lane,
    chosen: Candidate,
    ask: Ask,
    alternatives: Sequence[Candidate],
    ahead: Sequence[Candidate],
    *,
    whole: bool,
) -> str:
    """One line: what was asked, what decided."""
    target, wanted = lane.target, lane.policy.wanted
    words = list(target.notes)
    if target.pin is not None:
        words.append(f"{target.pin} is pinned")
    elif target.model is not None:
        words.append(f"{target.model} is asked for")
    else:
        words.append(f"stage {ask.stage!r} wants a {wanted}")
        if chosen.tier != wanted:
            words.append(f"no {wanted} fits, so a {chosen.tier} serves")
    rivals = 1 + sum(
        item.tier == chosen.tier and (item.passed_over is None) == (chosen.passed_over is None) for item in alternatives
    )
    if rivals > 1:
        words.append(f"{lane.policy.words(chosen)} of {rivals if whole else 'those'} that fit")
    elif target.pin is None:
        words.append(f"the only {chosen.tier} that fits" if target.is_open else "the only one that fits")
    words += _passed_over(chosen, ahead)
    return "; ".join(words)


def _passed_over(chosen: Candidate, ahead: Sequence[Candidate]) -> Iterator[str]:
    """Who would have been chosen, and is passed over for now; or that nobody else is left."""
    if chosen.passed_over is not None:
        yield f"it {chosen.passed_over}, and is asked all the same: no other {chosen.tier} is left"
        return
    yield from (f"{item.offer.id} {item.passed_over}" for item in ahead[:_SHOWN])
    if len(ahead) > _SHOWN:
        yield f"{len(ahead) - _SHOWN} more are passed over"


# ----------------------------------------------------------------------------------------------- provider_options


def _touched(item: Candidate, ask: Ask) -> str | None:
    """The first path of the caller's options that this offer's mapping decides itself."""
    options = ask.provider_options.get(item.offer.provider)
    if not options:
        return None
    owned = _owned(item.offer.mapping)
    for path in _paths(options):
        if any(path == own or path.startswith(f"{own}.") or own.startswith(f"{path}.") for own in owned):
            return path
    return None


def _owned(mapping: Endpoint) -> set[str]:
    """Where fields and fixed values go. What a meter reads is a field, so that it is among them."""
    targets = (target.path if isinstance(target, To) else target for target in mapping.fields.values())
    return {path.replace("[]", "") for target in targets for path in target.split()} | set(mapping.fixed)


def _paths(options: Mapping[str, JsonValue], prefix: str = "") -> Iterator[str]:
    for name, value in options.items():
        if isinstance(value, Mapping) and value:
            yield from _paths(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"
