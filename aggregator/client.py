"""`Aggregator`: opens and closes everything, hands out projects, goes on with the jobs of a process that ended.

Nothing heavy is imported before `async with`; nothing is shared between two clients but the store on disk.
"""

import os
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from random import Random
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, Unpack

from aggregator.clock import Clock, SystemClock
from aggregator.errors import AggregatorError, ConfigurationError, RequestError
from aggregator.job import Job, JobRecord, Progress, UnknownAttempt
from aggregator.options import BudgetUsd, Usd, amount_usd, budget_caps
from aggregator.project import Project

if TYPE_CHECKING:
    from aggregator._http import Transport
    from aggregator.config import Config
    from aggregator.opening import Opened
    from aggregator.pricing.drift import Pause
    from aggregator.receiver import Receiver
    from aggregator.registry.refreshed import Refreshed
    from aggregator.reloading import Reloaded
    from aggregator.runner.resolve import Said
    from aggregator.spend import Asked, Budget, Spend
    from aggregator.store.runs import Run as RunRecord

__all__ = ["Aggregator"]


class Aggregator:
    """The client. Use it with `async with`; keep one for the life of a service.

    `Aggregator()` reads `aggregator.toml` and the environment; `Aggregator.local()` uses the embedded backend alone.
    """

    def __init__(
        self,
        config: "Config | Mapping[str, Any] | str | os.PathLike[str] | None" = None,
        *,
        on_progress: Callable[[Progress], None] | None = None,
        clock: Clock | None = None,
        rng: Random | None = None,
        transport: "Transport | None" = None,
        inline_store: bool = False,
    ) -> None:
        """Say how it is configured; nothing is opened yet.

        Args:
            config: A file's path, a mapping with the layout of the file, or `None` for the file found by the usual
            rules. on_progress: Called with every piece of news of every job. clock: Where time comes from. rng: Where
            jitter and ids come from. transport: What moves bytes, instead of HTTP. inline_store: Run transactions on
            the event loop's thread: for a simulation.

        """
        self._configured = config
        self._on_progress = on_progress
        self._clock = clock or SystemClock()
        self._rng = rng or Random()  # noqa: S311  jitter and ids, no secrets
        self._transport = transport
        self._inline_store = inline_store
        self._opened: Opened | None = None
        self._stack = AsyncExitStack()

    @classmethod
    def local(
        cls,
        directory: str | os.PathLike[str] = ".aggregator",
        *,
        budget_usd: BudgetUsd | None = None,
        on_progress: Callable[[Progress], None] | None = None,
        **settings: Any,
    ) -> Self:
        """A client of the embedded backend: no key, no network, stand-ins for previews and tests.

        Args:
            directory: Where the store and the files are; a second run finds them again.
            settings: Further top-level keys of `aggregator.toml`.

        """
        config: dict[str, Any] = {"directory": str(directory), "providers": {"local": {}}, **settings}
        config["routing"] = {"allow": ["local"], **config.get("routing", {})}
        if budget_usd is not None:
            config["budget_usd"] = {name: str(cap) for name, cap in budget_caps(budget_usd, "budget_usd").items()}
        return cls(config, on_progress=on_progress)

    async def __aenter__(self) -> Self:
        from aggregator.opening import open_client

        try:
            self._opened = await open_client(
                self._configured,
                stack=self._stack,
                on_progress=self._on_progress,
                clock=self._clock,
                rng=self._rng,
                transport=self._transport,
                inline_store=self._inline_store,
            )
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop following; lose nothing. Any process that opens the store goes on."""
        self._opened = None
        await self._stack.aclose()

    @property
    def opened(self) -> "Opened":
        """What is open, for the parts of the library."""
        if self._opened is None:
            raise ConfigurationError("the client is not open: use 'async with Aggregator() as agg'")
        return self._opened

    def project(
        self,
        name: str,
        *,
        budget_usd: BudgetUsd | None = None,
        stage: str = "prototype",
        tags: Mapping[str, str] | None = None,
    ) -> Project:
        """A project: what is made in it is counted together, and bounded by `budget_usd`: a figure for the project's
        lifetime, or several, by what they are for: `{"total": "100", "month": "20"}` (`day`, `week`; UTC).
        """
        return Project(self.opened, name, budget_usd=budget_usd, stage=stage, tags=tags)

    def job(self, job_id: str) -> Job:
        """The handle of a job by its id, from any process."""
        return Job(job_id, self.opened.runner)

    async def jobs(self, *, project: str | None = None, open_only: bool = False) -> list[JobRecord]:
        """What is known of the jobs in the store, oldest first."""
        from aggregator.store.reports import job_records

        account = None if project is None else f"project:{project}"
        return await self.opened.store.read(lambda c: job_records(c, project=account, open_only=open_only))

    async def resume(self, *, project: str | None = None) -> dict[str, str | AggregatorError]:
        """Go on with every job that is not finished, without ordering anything again, and wait for the ends.

        What nobody can find out about is looked for once more; where the configuration says so (`settle_unknown`) and
        its time is over, it is booked as charged.

        Returns:
            Per job id: the state it reached, or the error it ended with.

        """
        import asyncio

        from aggregator import _observe
        from aggregator.runner.faults import raised_again
        from aggregator.runner.resolve import assume_charged

        records = await self.jobs(project=project, open_only=True)
        runner = self.opened.runner
        for record in records:
            _observe.emit("job_resumed", job=record.id, offer=record.offer, state=record.state.value)
        tasks = [runner.follow(record.id) for record in records]
        ended = await asyncio.gather(*(asyncio.shield(task) for task in tasks), return_exceptions=True)
        found: dict[str, str | AggregatorError] = {}
        for record, end in zip(records, ended, strict=True):
            if isinstance(end, AggregatorError):
                found[record.id] = end
            elif isinstance(end, BaseException):
                raise end
            else:
                found[record.id] = "stored"
        if self.opened.planner.config.settle_unknown == "assume_charged":
            booked = await assume_charged(self.opened.context)
            found |= {of.job: raised_again(of) for of in booked}
        return found

    async def runs(self, *, project: str | None = None) -> "list[RunRecord]":
        """The workflows that were started, the one that was touched last first."""
        from aggregator.store.runs import runs

        account = None if project is None else f"project:{project}"
        return await self.opened.store.read(lambda c: runs(c, project=account))

    async def unknown(self, *, project: str | None = None) -> list[UnknownAttempt]:
        """The purchases of which nobody knows what became of them, the longest ordered first: what is reserved for
        each, and where a person can look.
        """
        from aggregator.runner.resolve import unknown_attempts

        return await unknown_attempts(self.opened.context, None if project is None else f"project:{project}")

    async def adopt_unknown(self, attempt_id: str, remote_id: str, *, also: Mapping[str, str] | None = None) -> Job:
        """Go on with the provider's job `remote_id` as that of an unknown attempt; returns its handle.

        Args:
            also: What else the provider's calls are addressed by, where the id alone does not do: the error says what.

        Raises:
            RequestError: The provider does not know it, or another attempt has it: the attempt stays unknown.
            ProviderError: The provider could not be asked now: the attempt stays unknown.

        """
        from aggregator.runner.resolve import adopt

        adopted = await adopt(self.opened.context, attempt_id, remote_id, also or {})
        self.opened.runner.follow(adopted.job)
        return self.job(adopted.job)

    async def settle_unknown(self, attempt_id: str, *, charged_usd: Usd) -> JobRecord:
        """Say what an unknown attempt was charged, as its provider's history or invoice shows it; it is final.

        Charged means paid, with no result: its key is not bought again. `"0"` gives the reservation back: its key may
        be bought again.

        Raises:
            RequestError: There is no such attempt, or it is not unknown: nothing was changed.

        """
        from aggregator.pricing.money import micro_usd
        from aggregator.runner.resolve import settle

        amount = amount_usd(charged_usd, "charged_usd", zero=True)
        charged = micro_usd(amount, "settle")
        settled = await settle(self.opened.context, attempt_id, charged)
        return await self.job(settled.job).record()

    async def correct_charge(self, attempt_id: str, *, charged_usd: Usd, source: "Said" = "operator") -> JobRecord:
        """Book what an attempt that has ended was charged after all. What stayed reserved after a failure is settled
        with it, or given back by `"0"`; what was booked otherwise gets a further entry, and may be corrected again.

        Raises:
            RequestError: There is no such attempt, or it has not ended: nothing was changed.

        """
        from aggregator.pricing.money import micro_usd
        from aggregator.runner.resolve import correct

        charged = micro_usd(amount_usd(charged_usd, "charged_usd", zero=True), "settle")
        corrected = await correct(self.opened.context, attempt_id, charged, source=source)
        return await self.job(corrected.job).record()

    async def spend(self, **asked: Unpack["Asked"]) -> "Spend":
        """The books over all projects; `asked` as for `Project.spend`."""
        return await self.opened.spend("organisation", **asked)

    async def budgets(self) -> "list[Budget]":
        """Every cap there is, for life, for the present day, week and month, and of credits: how much of it is used."""
        return await self.opened.budgets()

    async def pauses(self) -> "list[Pause]":
        """The prices that a bill was above, oldest first: nothing more is bought at them."""
        from aggregator.store import pauses

        return list((await self.opened.store.read(pauses.paused)).values())

    async def lift_pause(self, offer: str) -> None:
        """Allow an offer (`provider:endpoint`) to be bought again at the prices that are paused.

        Raises:
            RequestError: It is not paused.

        """
        from aggregator.store import pauses

        opened, at = self.opened, int(self._clock.time() * 1000)
        if not await opened.store.transact(lambda c: pauses.lift(c, offer, at)):
            known = ", ".join(sorted({pause.offer for pause in await self.pauses()}))
            raise RequestError(f"{offer!r} is not paused; {f'paused: {known}' if known else 'nothing is'}")
        opened.planner.paused = await opened.store.read(pauses.paused)

    async def reload(self, config: "Config | Mapping[str, Any] | str | os.PathLike[str] | None" = None) -> "Reloaded":
        """Read `aggregator.toml`, the directories of `[registry] paths` and the keys again, and plan by them then.

        All of it or nothing: where something is malformed, what was in use stays. Jobs on their way keep the provider
        and the key they were ordered with. What `Reloaded.at_next_opening` names waits for the next client.

        Args:
            config: Instead of what the client was opened with: a file's path, or a mapping with the file's layout.

        Raises:
            ConfigurationError: The configuration or a file is malformed, or names another store.

        """
        from aggregator.reloading import reload

        given = self._configured if config is None else config
        reloaded = await reload(self.opened, given)
        self._configured = given
        return reloaded

    async def refresh_registry(self) -> "Refreshed":
        """Ask the configured feed for newer cards, offers, readings and rates now, and use them from here on.

        Jobs on their way keep what they were ordered with.

        Raises:
            ConfigurationError: No feed is configured.
            FeedError: It cannot be had, or is not taken; what was in use stays.

        """
        if self.opened.feed is None:
            raise ConfigurationError('no feed is configured: [registry] feed = "https://…" and feed_key = "…"')
        return await self.opened.feed.refresh()

    def webhooks(self) -> "Receiver":
        """An ASGI application that takes the deliveries of providers: mount it where `[webhooks] url` leads.

        Raises:
            ConfigurationError: Nothing is configured that could prove a delivery.

        """
        from aggregator.receiver import Receiver

        return Receiver(self.opened)

    async def drain(self) -> None:
        """Wait until no job of this client is under way."""
        await self.opened.runner.drain()
