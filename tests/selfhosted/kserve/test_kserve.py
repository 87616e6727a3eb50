"""The real KServe model server (from PyPI) with a small model of ours, by tensors and by instances."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from aggregator import Aggregator
from tests.selfhosted.gated.cards import written
from tests.selfhosted.serving import Served, python
from tests.selfhosted.tensors import FOX, TensorCases, row

PROVES = {"text-to-image": "server"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    at = tmp_path_factory.mktemp("kserve")
    shutil.copy(Path(__file__).with_name("model.py"), at)
    command = [str(python()), "model.py", "--http_port", "{port}"]
    served = Served(command, at, lambda answer: answer.json()["ready"] is True, "/v2/health/ready")
    try:
        served.start()
        yield served
    finally:
        served.kill()


class TestKServe(TensorCases):
    async def test_instances(self, up: Served, tmp_path: Path, opened: Callable[..., Aggregator]) -> None:
        cards = written(tmp_path / "v1", "kserve", row(dialect="v1"))
        async with opened("kserve", up.url, cards=cards) as agg, agg.project("tests", budget_usd="10") as project:
            facts = (await project.generate(FOX, model="mine", max_usd="1")).artifact.facts
        assert (facts.width, facts.height) == (96, 64)
