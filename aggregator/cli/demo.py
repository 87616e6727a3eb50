"""`demo`: the whole idea in half a minute, with no key and no network. Plays the story; `demo_view` shows it.

A picture, the same one larger, a clip and a spoken line are made as prototypes; the approved clip is promoted to the
final stage; then everything is asked for again by a new client, which pays nothing.
"""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from time import monotonic
from typing import Any, Protocol

from aggregator.artifact import Result
from aggregator.cli.board import Board
from aggregator.cli.demo_view import Stage, draw_demo
from aggregator.cli.session import AsJson, ConfigFile, Directory, LocalOnly, Session
from aggregator.cli.show import console, emit
from aggregator.cli.spending import spend_as_json
from aggregator.client import Aggregator
from aggregator.config import Config
from aggregator.job import AttemptState, Progress
from aggregator.project import Project
from aggregator.promotion import PromotionPlan
from aggregator.spend import Spend

__all__ = ["Demo", "Step", "demo", "play"]

PROJECT = "demo"
BUDGET_USD = "5.00"
DIRECTORY = Path("demo-output")
PROMPT = "a lighthouse at dusk, its lamp just lit, storm clouds over the sea, 35mm"
MOTION = "slow push-in as the beam sweeps across the waves"
WORDS = "Forty years I kept the light. Tonight, it keeps me."
DURATION_S = 4
SEED = 7
STAND_INS = (
    "The pictures, the clip and the sound are stand-ins, composed by the embedded backend: no trained model made them."
)

PROTOTYPES = {"still": "text-to-image", "large": "image-upscaling", "draft": "image-to-video", "line": "text-to-speech"}
FINAL = {"final": "image-to-video"}
FILES = {"still": "still.png", "large": "large.png", "draft": "draft.mp4", "line": "line.wav", "final": "final.mp4"}


def demo(
    *,
    config: ConfigFile = None,
    local: LocalOnly = False,
    directory: Directory = DIRECTORY,
    as_json: AsJson = False,
) -> None:
    """Show the whole idea in half a minute: draft, promote, pay once. No key, no network."""
    del config, local  # the demo is always local, and means the same on every machine
    session = Session(as_json=as_json)
    stage = Stage(None if as_json else console())
    played = session.run(play((directory or DIRECTORY).absolute(), stage))
    if as_json:
        emit(played.as_json())
    else:
        draw_demo(console(), played)


# ------------------------------------------------------------------------------------------------------------ the story


class Audience(Protocol):
    """Who watches: told of each act before it begins, and of every piece of news."""

    def opens(self, prompt: str, line: str) -> None: ...
    def act(self, title: str, steps: dict[str, str]) -> Board: ...
    def promotion(self, plan: PromotionPlan) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing that was made, and the same thing asked for again."""

    name: str
    result: Result
    again: Result
    took_s: float | None
    """`None`: it was there from an earlier run."""
    file: Path

    def as_json(self) -> dict[str, Any]:
        result, artifact = self.result, self.result.artifact
        return {
            "step": self.name,
            "task": result.lineage.request.task,
            "stage": result.lineage.stage,
            "model": result.model,
            "offer": result.lineage.offer,
            "took_s": None if self.took_s is None else round(self.took_s, 3),
            "quoted_usd": None if result.quote.high_usd is None else str(result.quote.high_usd),
            "charged_usd": None if result.cost.amount_usd is None else str(result.cost.amount_usd),
            "reused": result.reused,
            "reused_again": self.again.reused,
            "file": str(self.file),
            "mime_type": artifact.mime_type,
            "size_bytes": artifact.size_bytes,
            "sha256": artifact.sha256,
            "facts": None if artifact.facts is None else artifact.facts.as_json(),
            "is_stand_in": artifact.is_stand_in,
            "notes": list(result.notes),
            "lineage": result.lineage.as_json(),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Demo:
    """Everything that happened."""

    directory: Path
    steps: tuple[Step, ...]
    promotion: PromotionPlan
    spend: Spend
    charged_usd: Decimal
    """What this run added to the books."""
    charged_again_usd: Decimal
    """What asking for everything once more added."""
    took_s: float
    took_again_s: float

    def as_json(self) -> dict[str, Any]:
        return {
            "prompt": PROMPT,
            "line": WORDS,
            "note": STAND_INS,
            "directory": str(self.directory),
            "steps": [step.as_json() for step in self.steps],
            "promotion": self.promotion.as_json(),
            "spend": spend_as_json(self.spend),
            "charged_usd": str(self.charged_usd),
            "charged_again_usd": str(self.charged_again_usd),
            "took_s": round(self.took_s, 3),
            "took_again_s": round(self.took_again_s, 3),
        }


async def play(directory: Path, audience: Audience) -> Demo:
    """Make everything, ask for it again, copy the files out, and write `demo.json` beside them."""
    config = Config.of(
        {
            "directory": str(directory / ".aggregator"),
            "providers": {"local": {}},
            "routing": {"allow": ["local"]},
            "allow_ephemeral": True,
        }
    )
    audience.opens(PROMPT, WORDS)
    made = await _run(config, audience.act, audience.promotion)
    again = await _run(config, audience.act, None)
    steps = [
        Step(
            name=name,
            result=result,
            again=again.results[name],
            took_s=made.took_s.get(name),
            file=await result.save(directory / FILES[name]),
        )
        for name, result in made.results.items()
    ]
    assert made.promotion is not None
    played = Demo(
        directory=directory,
        steps=tuple(steps),
        promotion=made.promotion,
        spend=again.spend,
        charged_usd=made.charged_usd,
        charged_again_usd=again.charged_usd,
        took_s=made.all_s,
        took_again_s=again.all_s,
    )
    summary = json.dumps(played.as_json(), indent=2, ensure_ascii=False)
    await asyncio.to_thread((directory / "demo.json").write_text, summary + "\n", encoding="utf-8")
    return played


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One time through the story, by a client of its own."""

    results: dict[str, Result]
    took_s: dict[str, float]
    promotion: PromotionPlan | None
    spend: Spend
    charged_usd: Decimal
    all_s: float


async def _run(
    config: Config, act: Callable[[str, dict[str, str]], Board], promotion: Callable[[PromotionPlan], None] | None
) -> Run:
    began = monotonic()
    took_s: dict[str, float] = {}
    boards: list[Board] = []

    def tell(news: Progress) -> None:
        if news.state is AttemptState.STORED and not news.reused:
            took_s[news.key] = news.elapsed_s
        for board in boards:
            board.tell(news)

    async with Aggregator(config, on_progress=tell) as agg, agg.project(PROJECT, budget_usd=BUDGET_USD) as p:
        before = await p.spend()
        again = promotion is None
        with act(
            "Once more, by a new client" if again else "Prototypes", {**PROTOTYPES, **(FINAL if again else {})}
        ) as board:
            boards.append(board)
            results = await _prototypes(p)
            if again:
                results["final"] = await p.promote(results["draft"], key="final")
        plan = None
        if promotion is not None:
            plan = await p.promote(results["draft"], plan=True, key="final")
            promotion(plan)
            with act("The final", FINAL) as board:
                boards.append(board)
                results["final"] = await p.promote(results["draft"], key="final")
        spend = await p.spend()
    return Run(
        results=results,
        took_s=took_s,
        promotion=plan,
        spend=spend,
        charged_usd=spend.settled_usd - before.settled_usd,
        all_s=monotonic() - began,
    )


async def _prototypes(p: Project) -> dict[str, Result]:
    """The pictures one after another, the voice beside them."""

    async def pictures() -> dict[str, Result]:
        still = await p.text_to_image(PROMPT, seed=SEED, key="still")
        large = await p.upscale_image(still, factor=2, key="large")
        draft = await p.image_to_video(large, MOTION, duration_s=DURATION_S, audio=True, seed=SEED, key="draft")
        return {"still": still, "large": large, "draft": draft}

    seen, line = await asyncio.gather(pictures(), p.text_to_speech(WORDS, key="line"))
    return {**seen, "line": line}
