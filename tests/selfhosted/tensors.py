"""The cases that every real server of the open inference protocol passes, with a model `studio` that takes a prompt and
a size.
"""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from aggregator import Aggregator, errors
from aggregator.tasks import TextToImage
from tests.selfhosted.gated.cards import written
from tests.selfhosted.serving import Served

FOX = TextToImage(prompt="a fox", size=(96, 64))


class TensorCases:
    """A subclass names the server, in a fixture `server`."""

    @pytest.fixture
    def up(self, server: Served) -> Served:
        if not server.ready():
            server.kill()
            server.start()
        return server

    @pytest.fixture
    async def project(self, up: Served, tmp_path: Path, opened: Callable[..., Aggregator]):
        cards = written(tmp_path, "kserve", row())
        async with opened("kserve", up.url, cards=cards) as agg, agg.project("tests", budget_usd="10") as found:
            yield found

    async def test_a_picture_has_the_size_that_its_tensors_said(self, project) -> None:
        facts = (await project.generate(FOX, model="mine", max_usd="1")).artifact.facts
        assert (facts.width, facts.height) == (96, 64)

    async def test_it_is_known_by_its_pages(self, up: Served, discovered) -> None:
        found = await discovered(up.url)
        assert (found.engine.provider, bool(found.version)) == ("kserve", True)

    async def test_an_input_that_the_model_does_not_have_is_said_before_anything_is_asked(self, project) -> None:
        options = {"kserve": {"nonsense": 1}}
        with pytest.raises(errors.ProviderError, match="no input nonsense: it has height, prompt, width") as caught:
            await project.generate(FOX, model="mine", max_usd="1", provider_options=options)
        assert caught.value.accepted is False

    async def test_a_model_that_breaks_is_a_failed_job(self, project) -> None:
        with pytest.raises(errors.JobFailedError, match="no fox today"):
            await project.generate(FOX.with_(prompt="break"), model="mine", max_usd="1")
        assert (await project.spend()).held_usd == 0

    async def test_a_model_that_is_not_there_was_never_asked(
        self, up: Served, tmp_path: Path, opened: Callable[..., Aggregator]
    ) -> None:
        cards = written(tmp_path / "other", "kserve", row(model="no-such-model"))
        async with opened("kserve", up.url, cards=cards) as agg, agg.project("tests", budget_usd="10") as project:
            with pytest.raises(errors.ProviderError) as caught:
                await project.generate(FOX, model="mine", max_usd="1")
        assert caught.value.accepted is False

    async def test_a_server_that_is_killed_in_mid_job(self, up: Served, project) -> None:
        job = await project.submit(FOX.with_(prompt="wait 60"), model="mine", max_usd="1")
        while (await job.record()).sends == 0:
            await asyncio.sleep(0.05)
        await asyncio.sleep(1)  # a send is counted before it leaves: by now the model is at work
        start = time.monotonic()
        up.kill()
        with pytest.raises(errors.UnavailableError):
            await job.result(wait_s=60)
        assert time.monotonic() - start < 30
        record = await job.record()
        assert (record.state.value, record.sends) == ("unknown", 1), "it is not sent a second time on a guess"


def row(*, model: str = "studio", dialect: str = "") -> str:
    spoken = f'dialect = "{dialect}"\n' if dialect else ""
    return f'endpoint = "{model}"\ntask = "text-to-image"\n{spoken}fields = {{ size = "width height" }}\n'
