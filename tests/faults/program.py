"""What a schedule's program asks for: the same keyed calls in every life, so that running it again is the recovery."""

import asyncio
from collections.abc import Awaitable, Callable
from random import Random
from typing import Any

from aggregator.errors import AggregatorError, KeyConflictError
from aggregator.tasks import TextToImage
from tests.faults import promises
from tests.faults.life import BrokenPromiseError

Step = Callable[..., Awaitable[Any]]
SECONDS = (5.0, 60.0)


class Program:
    """Up to four steps side by side, drawn once; each in the project or in a run within it."""

    def __init__(self, rng: Random, *, alike: float) -> None:
        """Args:
        alike: How likely its steps are to ask for the same thing under several keys.

        """
        self._rng = Random(rng.random())
        self.deadline_s = rng.choice((40.0, 300.0, 3600.0))
        self.budget_usd = rng.choice(("0.09", "0.21", "10", {"day": "0.09", "total": "0.21"}, {"week": "0.12"}))
        self.run_usd = rng.choice((None, "0.06", "0.15", {"month": "0.10"}))
        self.alike = rng.random() < alike
        plain = (self._image,) * 6
        odd = (self._edit, self._takes, self._cancel, self._impatient, self._conflict)
        self.steps: list[Step] = [rng.choice((*plain, *odd)) for _ in range(rng.randint(1, 4))]
        self.within = [rng.random() < 0.3 for _ in self.steps]
        self.made: dict[str, str] = {}
        """The result of every key that had one: it never changes."""

    @property
    def words(self) -> str:
        """What it asks for."""
        steps = ", ".join(step.__name__.strip("_") for step in self.steps)
        return f"{steps}; deadline {self.deadline_s:g} s; budgets {self.budget_usd}, {self.run_usd}"

    async def run(self, agg: Any) -> None:
        """Ask for everything, and take what comes."""
        film = agg.project("film", budget_usd=self.budget_usd)
        await film.__aenter__()
        night = film.project("night", budget_usd=self.run_usd)
        await night.__aenter__()
        calls = [
            self._one(step, night if within else film, n)
            for n, (step, within) in enumerate(zip(self.steps, self.within, strict=True))
        ]
        await asyncio.gather(*calls)

    async def _one(self, step: Step, project: Any, n: int) -> None:
        try:
            await step(project, n)
        except AggregatorError as error:
            promises.check_error(error)
        except TimeoutError:
            pass  # it goes on

    def _prompt(self, n: int) -> str:
        return f"shot {n // 3 if self.alike else n}"

    def _keep(self, key: str, result: Any) -> Any:
        """The same key, the same result: for ever."""
        was = self.made.setdefault(key, result.artifact.sha256)
        if was != result.artifact.sha256:
            raise BrokenPromiseError(f"the key {key} gave {was}, and now {result.artifact.sha256}")
        return result

    # ---------------------------------------------------------------------------------------------------------- steps

    async def _image(self, p: Any, n: int, **options: Any) -> Any:
        key = f"k{n}"
        made = await p.text_to_image(self._prompt(n), key=key, deadline_s=self.deadline_s, **options)
        return self._keep(key, made)

    async def _edit(self, p: Any, n: int) -> None:
        made = await self._image(p, n)
        key = f"k{n} edited"
        self._keep(key, await p.image_to_image(made, "at night", key=key, deadline_s=self.deadline_s))

    async def _takes(self, p: Any, n: int) -> None:
        takes = await p.takes(TextToImage(prompt=self._prompt(n)), 2, key=f"k{n}", deadline_s=self.deadline_s)
        for take, made in enumerate(takes):
            self._keep(f"k{n}#{take + 1}", made)

    async def _cancel(self, p: Any, n: int) -> None:
        job = await p.submit(TextToImage(prompt=self._prompt(n)), key=f"k{n}", deadline_s=self.deadline_s)
        await asyncio.sleep(self._rng.uniform(*SECONDS))
        await job.cancel()
        self._keep(f"k{n}", await job.result())

    async def _impatient(self, p: Any, n: int) -> None:
        try:
            await self._image(p, n, wait_s=self._rng.uniform(*SECONDS))
        except TimeoutError:
            await self._image(p, n)

    async def _conflict(self, p: Any, n: int) -> None:
        """The key of one call is not to be had for another."""
        job = await p.submit(TextToImage(prompt=self._prompt(n)), key=f"k{n}", deadline_s=self.deadline_s)
        try:
            await p.text_to_image("something else", key=f"k{n}")
        except KeyConflictError:
            self._keep(f"k{n}", await job.result())
        else:
            raise BrokenPromiseError(f"the key k{n} served another request")
