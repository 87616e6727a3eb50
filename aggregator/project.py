"""A project: what is asked for in it is counted together and bounded by one budget; what was approved is promoted.

Every verb takes the task's own parameters and the same options (`Options`). What it returns can be given to the next
verb.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from decimal import ROUND_FLOOR, Decimal
from itertools import accumulate
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self, Unpack, cast, overload

from aggregator.errors import AggregatorError, ConfigurationError, PricePausedError, RequestError, WorkflowError
from aggregator.job import Job
from aggregator.options import BudgetUsd, Options, Usd, amount_usd, budget_caps, check_options
from aggregator.running import Running
from aggregator.verbs import Verbs

if TYPE_CHECKING:
    from aggregator.artifact import Result
    from aggregator.inputs import Media
    from aggregator.opening import Opened
    from aggregator.planning import Planner
    from aggregator.promotion import PromotionPlan
    from aggregator.routing.chain import ChainStep
    from aggregator.routing.chain_fit import Fit
    from aggregator.routing.chain_quote import ChainQuote
    from aggregator.routing.plan import Ask, Plan
    from aggregator.spend import Asked, Spend
    from aggregator.tasks import Request

__all__ = ["Project"]

MAX_TAKES = 64
MICRO_USD = Decimal("0.000001")
DEFAULT_DEADLINE_S = 3_600.0
_NAME = re.compile(r"(?!\.+$)[\w.-]+")


class Project(Verbs["Result"], Running):
    """Opened by `Aggregator.project`; use it with `async with`."""

    def __init__(
        self,
        opened: "Opened",
        name: str,
        *,
        budget_usd: BudgetUsd | None = None,
        stage: str = "prototype",
        tags: Mapping[str, str] | None = None,
    ) -> None:
        if not all(_NAME.fullmatch(part) for part in name.split("/")):
            raise ConfigurationError(
                f"{name!r} is no name for a project: letters, digits, '.', '-' and '_'; / goes one level down"
            )
        self.name = name
        self.stage = stage
        self._opened = opened
        self._budget = budget_caps(budget_usd, "budget_usd")
        self._tags = dict(tags or {})
        self._ready = False

    @property
    def account(self) -> str:
        """The project's name in the books."""
        return f"project:{self.name}"

    @property
    def tags(self) -> Mapping[str, str]:
        """What all its jobs bear."""
        return self._tags

    async def __aenter__(self) -> Self:
        above: str | None = None
        *parents, _ = accumulate(self.name.split("/"), "{}/{}".format)
        for name in parents:
            await self._opened.open_account(f"project:{name}", parent=above, budget={})
            above = f"project:{name}"
        await self._opened.open_account(self.account, parent=above, budget=self._budget)
        self._ready = True
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing to undo: jobs go on, the books stay open."""

    def project(
        self, name: str, *, budget_usd: BudgetUsd | None = None, tags: Mapping[str, str] | None = None
    ) -> "Project":
        """A project within this one: it spends from both budgets."""
        return Project(
            self._opened,
            f"{self.name}/{name}",
            budget_usd=budget_usd,
            stage=self.stage,
            tags={**self._tags, **(tags or {})},
        )

    # ------------------------------------------------------------------------------------------------ requests as such

    async def generate(self, request: "Request", **options: Unpack[Options]) -> "Result":
        """Serve a request and wait for the result.

        Raises:
            BudgetExceededError, RoutingError, RequestError, PricingError: Before any byte is sent.
            KeyConflictError: The key belongs to another request.
            ProviderError: The job ended badly; `accepted` says what is known and what became of the money.
            TimeoutError: `wait_s` passed; the job goes on.

        """
        wait_s = options.get("wait_s")
        job = await self.submit(request, **options)
        return await job.result(wait_s=wait_s)

    async def plan(self, request: "Request", *, explain: bool = True, **options: Unpack[Options]) -> "Plan":
        """Say who would make it, what would be sent, what it would cost and why. Nothing is sent."""
        self._check(options)
        stored = await self.stored(request)
        return self._opened.planner.plan(stored, await self.asked(stored, options), explain=explain)

    async def quote(self, steps: "Sequence[ChainStep]") -> "ChainQuote":
        """Say what a chain of requests would cost and how long it would take: half the time, nine times in ten, and at
        worst. What is not known is named. Nothing is sent.

        Raises:
            RoutingError, RequestError, ConfigurationError: A step can be made by nobody; it is named.

        """
        from aggregator import chains

        return await chains.quote(self._opened, await self._chain(steps), self.stage)

    async def fit(self, steps: "Sequence[ChainStep]", *, budget_usd: Usd) -> "Fit":
        """Choose stage and offer of each step so that the chain is the best that the money allows, at worst; and say
        what was given up. Nothing is sent, and the project's own budget is not looked at.

        Raises:
            NoRouteError: Even the cheapest chain costs more.
            PriceUnknownError: Nobody's price for a step is known.
            RoutingError, RequestError, ConfigurationError: A step can be made by nobody; it is named.

        """
        from aggregator import chains

        return await chains.fit(self._opened, await self._chain(steps), amount_usd(budget_usd, "budget_usd"))

    async def _chain(self, steps: "Sequence[ChainStep]") -> "list[ChainStep]":
        from aggregator.routing.chain import check_steps

        self._check({})
        check_steps(steps)
        return [replace(step, request=await self.stored(step.request)) for step in steps]

    async def submit(self, request: "Request", **options: Unpack[Options]) -> Job:
        """Reserve the money, write the job down, send it on its way, and return at once.

        With a `key` that is known: the finished job comes back, one under way is attached to, one that ended with
        nothing is ordered once more.
        """
        self._check(options)
        return await self.order(await self.stored(request), options)

    async def takes(self, request: "Request", n: int, **options: Unpack[Options]) -> "list[Result]":
        """Make `n` takes of one request, side by side; always a list, in order. `max_usd` bounds all of them together.

        Raises:
            WorkflowError: Some failed; `results` holds the takes that did not: they are paid for, and kept.
            TimeoutError: `wait_s` passed before all were finished; they go on.

        """
        import asyncio

        if not 1 <= n <= MAX_TAKES:
            raise RequestError(f"n={n}: from 1 to {MAX_TAKES} takes")
        self._check(options)
        stored = await self.stored(request)
        key = options.get("key")
        if "max_usd" in options:
            options["max_usd"] = (amount_usd(options["max_usd"], "max_usd") / n).quantize(
                MICRO_USD, rounding=ROUND_FLOOR
            )
        seed = request.values().get("seed")
        jobs: list[Job] = []
        ended: list[Result | BaseException] = []
        for take in range(n):
            one = stored if seed is None else stored.with_(seed=seed + take)
            named = cast("Options", {**options, **({"key": f"{key}#{take + 1}"} if key else {})})
            try:
                jobs.append(await self.order(one, named, take=take))
            except AggregatorError as refusal:
                if not jobs:
                    raise
                ended = [refusal] * (n - take)  # those before it are paid for
                break
        waits = (job.result(wait_s=options.get("wait_s")) for job in jobs)
        ended = [*await asyncio.gather(*waits, return_exceptions=True), *ended]
        failed = [(take, end) for take, end in enumerate(ended, 1) if isinstance(end, BaseException)]
        results = [end for end in ended if not isinstance(end, BaseException)]
        if failed and all(isinstance(error, TimeoutError) for _, error in failed):
            raise TimeoutError(f"{len(failed)} of {n} takes are not finished yet; they go on") from failed[0][1]
        if failed:
            take, error = failed[0]
            raise WorkflowError(
                f"{len(failed)} of {n} takes failed, the first was take {take}: {error}",
                step=f"take {take}",
                results=results,
            ) from error
        return results

    # ----------------------------------------------------------------------------------------------------- promotion

    @overload
    async def promote(
        self,
        result: "Result",
        *,
        plan: Literal[False] = False,
        through: Literal["step", "all"] = "step",
        keep: "Sequence[Result]" = (),
        **options: Unpack[Options],
    ) -> "Result": ...

    @overload
    async def promote(
        self,
        result: "Result",
        *,
        plan: Literal[True],
        through: Literal["step", "all"] = "step",
        keep: "Sequence[Result]" = (),
        **options: Unpack[Options],
    ) -> "PromotionPlan": ...

    async def promote(
        self,
        result: "Result",
        *,
        plan: bool = False,
        through: Literal["step", "all"] = "step",
        keep: "Sequence[Result]" = (),
        **options: Unpack[Options],
    ) -> "Result | PromotionPlan":
        """Make the same recipe again on the final stage. The inputs that were approved are kept.

        Args:
            plan: Only say what would be made again, who would make it, and what it would cost beside the draft.
            through: `all` makes the whole chain again, not just this step.
            keep: Results of the chain that stay as they are.

        """
        from aggregator.promotion import plan_promotion, promote

        self._check(options)
        options = cast("Options", {"stage": "final", **options})
        if plan:
            return await plan_promotion(self, result, through=through, keep=keep, options=options)
        return await promote(self, result, through=through, keep=keep, options=options)

    # -------------------------------------------------------------------------------------------------------- judgement

    async def pick(self, takes: "Sequence[Result]", best: "Result") -> None:
        """Say which of several takes of one request is the best. Where models differ, the choice of the next one for
        this role learns of it: see `Standing.basis`. Of a pair the last word counts.

        Raises:
            RequestError: They are no takes of one request, or not of this store: nothing was written down.

        """
        from aggregator.judging import pick

        await pick(self._opened, self.account, takes, best)

    async def thumb(self, result: "Result", verdict: Literal["up", "down"]) -> None:
        """Say whether an output will do; said again, it replaces what was said before.

        Raises:
            RequestError: It is not of this store: nothing was written down.

        """
        from aggregator.judging import thumb

        await thumb(self._opened, self.account, result, verdict)

    # ---------------------------------------------------------------------------------------------------------- books

    async def spend(self, **asked: Unpack["Asked"]) -> "Spend":
        """Read the books: settled, reserved, what is left, and how many jobs have no known price.

        Args:
            asked: `by`: one or several of `project provider model offer task stage tag day`. `since`, `until`: only
            what was reserved from this day (UTC) on, and up to and including that one. `tags`: only jobs with these.

        """
        return await self._opened.spend(self.account, **asked)

    async def set_budget(self, budget_usd: BudgetUsd) -> None:
        """Change the budget for life, or those that are named: `{"month": "20"}`. Never below what is spent and
        reserved.
        """
        await self._opened.set_budget(self.account, budget_caps(budget_usd, "budget_usd"))

    async def drain(self) -> None:
        """Wait until no job of this client is under way."""
        await self._opened.runner.drain()

    # --------------------------------------------------------------------------------------------------------- inside

    def ask(self, options: Options) -> "Ask":
        """The part of the options that routing reads."""
        from aggregator.routing.plan import Ask

        max_usd = options.get("max_usd")
        return Ask(
            stage=options.get("stage", self.stage),
            role=options.get("role"),
            model=options.get("model"),
            max_usd=None if max_usd is None else amount_usd(max_usd, "max_usd"),
            on_unsupported=options.get("on_unsupported", "error"),
            provider_options=options.get("provider_options", {}),
        )

    async def asked(self, request: "Request", options: Options, *, take: int = 0) -> "Ask":
        """The same, with what the stage's policy wants to know: the model that the project used last, if it stays with
        that, and what a share of the jobs is drawn by.
        """
        from aggregator.identity import fingerprint
        from aggregator.store.looks import last_model

        ask = self.ask(options)
        policy = self._opened.planner.config.policy.get(ask.stage)
        if policy is None or ask.model is not None:
            return ask
        if policy.sticky:
            about = (self.account, ask.stage, request.task, ask.role)
            ask = replace(ask, keep=await self._opened.store.read(lambda c: last_model(c, *about)))
        if policy.canary is not None:
            lot = options.get("key") or fingerprint(request, ask, take=take)
            ask = replace(ask, lot=f"{self.account}/{lot}")
        return ask

    def _checked(self) -> "Project":
        self._check({})
        return self

    def _check(self, options: Mapping[str, Any]) -> None:
        if not self._ready:
            raise ConfigurationError(f"project {self.name} is not open: use 'async with agg.project(…) as p'")
        check_options(options)

    async def stored(self, request: "Request") -> "Request":
        """The request with its local inputs in the artifact store."""
        from aggregator.tasks import TASKS, Request

        if not isinstance(request, Request):
            raise RequestError(f"a {type(request).__name__} is not a request: one of {', '.join(TASKS)}")
        stored: dict[int, Media] = {}
        for _, media in request.media():
            if media.source is not None:
                stored[id(media)] = await self._opened.files.ingest(media)
        return request.replace_media(stored) if stored else request

    async def order(
        self,
        request: "Request",
        options: Options,
        *,
        take: int = 0,
        served: "Callable[[Ask], Plan] | None" = None,
        mark: str | None = None,
        earmark: tuple[str, str] | None = None,
    ) -> Job:
        """Find the job of the options' key, or make it. `request` is what the key stands for; its inputs are stored.

        Args:
            served: Makes the plan, where it is not simply the request's.
            mark: What makes two orders under one key the same, where that is not all that is asked for.
            earmark: The run and the step for which its money is set aside.

        """
        from aggregator.identity import fingerprint
        from aggregator.runner.room import FullError

        opened, ask = self._opened, await self.asked(request, options, take=take)
        key = options.get("key")
        mark = mark or fingerprint(request, ask, take=take)
        known = None if key is None else await opened.runner.find(self.account, key, mark)
        if known is not None and known.state not in ("failed", "refused", "canceled"):
            opened.runner.follow(known.job)
            return Job(known.job, opened.runner)
        deadline_s = options.get("deadline_s") or DEFAULT_DEADLINE_S

        async def bought(plan: "Plan") -> str:
            purchase = replace(opened.planner.purchase(plan), earmark=earmark)
            if known is not None:
                deadline_at = int((opened.clock.time() + deadline_s) * 1000)
                return await opened.runner.again(known, purchase, deadline_at=deadline_at)
            new = opened.new_job(
                self.account,
                key=key,
                fingerprint=mark,
                request=plan.request if served else request,
                ask=ask,
                deadline_s=deadline_s,
                tags={**self._tags, **options.get("tags", {})},
            )
            return await opened.runner.start(new, purchase)

        while True:
            plan = served(ask) if served else opened.planner.plan(request, ask)
            try:
                return Job(await bought(plan), opened.runner)
            except PricePausedError:
                if plan.chosen.passed_over is not None:
                    raise  # no other is left
            except FullError:
                continue  # the planner knows now, and passes it over

    async def result_of(self, job_id: str) -> "Result":
        """The result of a job by its id, from any project."""
        return await self._opened.runner.wait(job_id, None)

    @property
    def opened(self) -> "Opened":
        """What is open, for the parts of the library."""
        return self._opened

    @property
    def planner(self) -> "Planner":
        """What plans are made with."""
        return self._opened.planner
