"""`serve-diffusers`, in this process, over stand-ins of torch and diffusers: what it says, serves and ends with."""

import json
import signal
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.diffusion.standins import installed

from .conftest import Command, Ended

INTERRUPTED = 130
WORDS = ("serve-diffusers", "me/StableDiffusionPipeline", "--name", "tiny", "--port", "0", "--dir", "store")


class Visitor(threading.Thread):
    """Asks the server, once it listens, and then ends it by a signal as Ctrl-C does."""

    def __init__(self, ask: Callable[[str], Any], how: signal.Signals) -> None:
        super().__init__()
        self._ask, self._how = ask, how
        self.address = ""
        self.ready = threading.Event()
        self.found: Any = None

    def run(self) -> None:
        assert self.ready.wait(30)
        try:
            self.found = self._ask(self.address)
        finally:
            signal.raise_signal(self._how)


@pytest.fixture
def visited(run: Command, monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[Ended, Any]]:
    """The command until its visitor ends it; returns how it ended, and what the visitor found."""

    def served(
        ask: Callable[[str], Any], *words: str, how: signal.Signals = signal.SIGINT, code: int = INTERRUPTED
    ) -> tuple[Ended, Any]:
        import aggregator.cli.serve_diffusers as command

        visitor, true = Visitor(ask, how), command._announce

        def announced(session: Any, address: str, *args: Any, **more: Any) -> None:
            true(session, address, *args, **more)
            visitor.address = address
            visitor.ready.set()

        monkeypatch.setattr(command, "_announce", announced)
        visitor.start()
        try:
            ended = run(*WORDS, *words, code=code)
        finally:
            visitor.ready.set()
            visitor.join()
        return ended, visitor.found

    return served


def answer(url: str, body: dict[str, Any] | None = None, key: str = "") -> Any:
    """An answer, asked for until the weights are loaded."""
    data = None if body is None else json.dumps(body).encode()
    head = {"content-type": "application/json", **({"authorization": f"Bearer {key}"} if key else {})}
    for _ in range(200):
        try:
            with urllib.request.urlopen(urllib.request.Request(url, data, head), timeout=30) as said:
                return json.load(said)
        except urllib.error.HTTPError as error:
            if error.code != 503:
                return error.code
            time.sleep(0.05)
    raise AssertionError(url)


def test_it_serves_until_it_is_interrupted(visited, monkeypatch, tmp_path: Path) -> None:
    installed(monkeypatch)

    def ask(address: str) -> Any:
        made = answer(f"{address}/v1/images/generations", {"prompt": "a fox", "seed": 3})
        return answer(f"{address}/v1/models")["data"][0], made["seed"]

    ended, (model, seed) = visited(ask)
    assert (model["id"], model["supported_task_types"], seed) == ("tiny", ["T2I", "I2I"], 3)
    assert "tiny is being loaded; http://127.0.0.1:" in ended.out
    assert "[providers.openai_compatible]" in ended.out
    assert "stopped; unfinished jobs stay" in ended.err
    assert (tmp_path / "store" / "diffusers" / "tiny").is_dir()


def test_with_a_key_nobody_else_is_served(visited, monkeypatch) -> None:
    installed(monkeypatch)
    monkeypatch.setenv("GPU_KEY", "k-1234567890")

    def ask(address: str) -> Any:
        return [answer(f"{address}/v1/models", key=key) for key in ("k-1234567890", "another")]

    ended, (model, refused) = visited(ask, "--key-env", "GPU_KEY", "--json")
    assert (model["data"][0]["id"], refused) == ("tiny", 401)
    said = json.loads(ended.out)
    assert said["configuration"] == f'[providers.openai_compatible]\nbase_url = "{said["address"]}/v1"'
    assert "k-1234567890" not in ended.out + ended.err


def test_weights_that_cannot_be_loaded_end_it(run: Command, monkeypatch) -> None:
    installed(monkeypatch, fault=OSError("no model_index.json"))
    assert "the weights cannot be served: " in run(*WORDS, code=1).err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--device", "tpu"), "--device: one of cpu, cuda, mps, not tpu"),
        (("--dtype", "float8"), "--dtype: one of auto"),
        (("--key-env", "NO_SUCH_KEY"), "NO_SUCH_KEY: the variable is not set"),
        (("--lora", "a=x", "--lora", "a=y"), "a name of its own"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_loaded(run: Command, words, said) -> None:
    assert said in run(*WORDS, *words, code=1).err
