"""The real Triton Inference Server (its binary is in a wheel of PyPI) on a CPU, with a small Python model of ours."""

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from aggregator import Aggregator
from tests.selfhosted.gated.cards import written
from tests.selfhosted.serving import Served, python
from tests.selfhosted.tensors import FOX, TensorCases, row

PROVES = {"text-to-image": "server"}
HERE = Path(__file__).parent
ASKS = "import sys, sysconfig; print(sysconfig.get_path('purelib'), '{}.{}'.format(*sys.version_info))"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    at = tmp_path_factory.mktemp("triton")
    shutil.copytree(HERE / "studio", at / "models" / "studio", ignore=shutil.ignore_patterns("__pycache__"))
    said = subprocess.run([python(), "-c", ASKS], capture_output=True, text=True, check=True).stdout.split()
    packages, version = Path(said[0]), said[1]
    triton = packages / "pytriton" / "tritonserver"
    shutil.copytree(triton / "backends", at / "backends")
    shutil.copy(triton / "python_backend_stubs" / version / "triton_python_backend_stub", at / "backends" / "python")
    command = [str(triton / "bin" / "tritonserver"), "--model-repository=models", f"--backend-directory={at}/backends"]
    command += ["--http-address=127.0.0.1", "--http-port={port}", "--allow-grpc=false", "--allow-metrics=false"]
    environ = {"LD_LIBRARY_PATH": str(packages / "nvidia_pytriton.libs"), "PYTHONPATH": str(packages)}
    served = Served(command, at, lambda answer: answer.status_code == 200, "/v2/health/ready", environ)
    try:
        served.start()
        yield served
    finally:
        served.kill()


class TestTriton(TensorCases):
    async def test_plain_json(self, up: Served, tmp_path: Path, opened: Callable[..., Aggregator]) -> None:
        cards = written(tmp_path / "generate", "kserve", row(dialect="generate"))
        async with opened("kserve", up.url, cards=cards) as agg, agg.project("tests", budget_usd="10") as project:
            facts = (await project.generate(FOX, model="mine", max_usd="1")).artifact.facts
        assert (facts.width, facts.height) == (96, 64)
