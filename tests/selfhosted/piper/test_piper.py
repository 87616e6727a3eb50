"""The real Piper HTTP server (GPL, from PyPI: a process of its own) with a voice of ours that hums a tone a letter."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from aggregator import Aggregator, errors
from aggregator.tasks import TextToSpeech
from tests.selfhosted.gated.cards import written
from tests.selfhosted.serving import Served, python

PROVES = {"text-to-speech": "server"}
ROW = 'endpoint = "tones"\ntask = "text-to-speech"\nmeters = [{ unit = "request", quantity = "1" }]\n'


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    at = tmp_path_factory.mktemp("piper")
    subprocess.run([str(python()), str(Path(__file__).with_name("voice.py")), str(at)], check=True)
    command = [str(python()), "-m", "piper.http_server", "-m", "en_US-tones-low", "--data-dir", ".", "--host"]
    command += ["127.0.0.1", "--port", "{port}"]
    served = Served(command, at, lambda answer: answer.status_code == 200, "/voices")
    served.start()
    yield served
    served.kill()


@pytest.fixture
async def project(server: Served, tmp_path: Path, opened: Callable[..., Aggregator]):
    cards = written(tmp_path, "piper", ROW)
    async with opened("piper", server.url, cards=cards) as agg, agg.project("tests", budget_usd="10") as found:
        yield found


async def test_speech_is_wav_although_it_is_called_a_page(project) -> None:
    short = await project.generate(TextToSpeech(text="hello"), model="mine", max_usd="1")
    long = await project.generate(TextToSpeech(text="hello hello hello hello"), model="mine", max_usd="1")
    assert short.artifact.mime_type == "audio/wav"
    assert long.artifact.facts.duration_s > short.artifact.facts.duration_s > 0.2


async def test_it_is_known_by_its_pages(server, discovered) -> None:
    assert (await discovered(server.url)).engine.provider == "piper"


async def test_a_server_that_is_gone_was_never_asked(server, project) -> None:
    server.kill()
    with pytest.raises(errors.UnavailableError) as caught:
        await project.generate(TextToSpeech(text="hello"), model="mine", max_usd="1")
    assert caught.value.accepted is False
