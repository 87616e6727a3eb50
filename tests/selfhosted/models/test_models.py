"""SGLang's and vLLM-Omni's own models of requests and answers, out of their published packages, in both directions.

What our table writes is what they read; what the emulator answers is what they write, with no field of its own.
"""

import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from aggregator.testing.recording import Recording
from tests.facts.validate import bodies
from tests.providers.harness import asking
from tests.providers.own import own_offers
from tests.selfhosted.serving import python

HERE = Path(__file__).parent
NAME = "openai_compatible"
WANTED = ("openai/protocol", "openai/image_api_utils", "inputs/data")
READS = {
    ("sglang", "text-to-video"): "sglang.VideoGenerationsRequest",
    ("sglang", "image-to-video"): "sglang.VideoGenerationsRequest",
    ("sglang", "text-to-image"): "sglang.ImageGenerationsRequest",
    ("vllm-omni", "text-to-video"): "omni.videos.VideoGenerationRequest",
    ("vllm-omni", "image-to-video"): "omni.videos.VideoGenerationRequest",
    ("vllm-omni", "text-to-image"): "omni.images.ImageGenerationRequest",
    ("vllm-omni", "text-to-speech"): "omni.audio.OpenAICreateSpeechRequest",
    ("vllm-omni", "text-to-sound"): "omni.audio.OpenAICreateAudioGenerateRequest",
}
"""Edits of pictures are forms that neither has a model of."""
WRITES = {
    ("sglang", "videos"): "sglang.VideoResponse",
    ("sglang", "images"): "sglang.ImageResponse",
    ("vllm-omni", "videos"): "omni.videos.VideoResponse",
    ("vllm-omni", "images"): "omni.images.ImageGenerationResponse",
}
FILES = ("input_reference",)
"""Parts of a form that the route takes beside its model."""


@pytest.fixture(scope="session")
def unpacked() -> Path:
    """The files of the packages that hold models, kept in the environment; nothing of them is installed."""
    home = python().parents[1] / "packages"
    wanted = (HERE / "packages.txt").read_text().split()
    stamp = home / "stamp"
    if not stamp.is_file() or stamp.read_text() != str(wanted):
        wheels = home / "wheels"
        told = ["--no-deps", "--only-binary=:all:", "--platform=manylinux_2_34_x86_64", "--python-version=3.11"]
        subprocess.run([sys.executable, "-m", "pip", "download", "-q", *told, "-d", str(wheels), *wanted], check=True)
        for wheel in wheels.glob("*.whl"):
            with zipfile.ZipFile(wheel) as packed:
                packed.extractall(home, [one for one in packed.namelist() if any(part in one for part in WANTED)])
        stamp.write_text(str(wanted))
    return home


@pytest.fixture(scope="session")
def judged(unpacked: Path) -> Callable[[list[tuple[str, Any]]], list[list[str]]]:
    """What the servers' models have against each body."""

    def asked(cases: list[tuple[str, Any]]) -> list[list[str]]:
        command = [str(python()), "-I", str(HERE / "judge.py"), str(unpacked)]
        done = subprocess.run(command, input=json.dumps(cases), capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return asked


@pytest.mark.parametrize("server", ["sglang", "vllm-omni"])
def test_what_we_send_is_what_they_read(server, judged):
    cases = []
    for offer in own_offers(NAME):
        model = READS.get((offer.endpoint.partition("/")[0], offer.task))
        if model is not None and offer.endpoint.startswith(server):
            cases += [(model, sent(written.body)) for written in bodies(offer)]
    wrong = {f"{name}: {one}" for (name, _), found in zip(cases, judged(cases), strict=True) for one in found}
    assert not wrong, "\n".join(sorted(wrong))
    assert {name for name, _ in cases} == {model for (of, _), model in READS.items() if of == server}
    assert len(cases) > 50


def sent(body: dict[str, Any]) -> dict[str, Any]:
    """Without files, and an adapter as what it is: their routes take both apart before the model sees them."""
    plain = {name: value for name, value in body.items() if name not in FILES}
    return plain | ({"lora": json.loads(plain["lora"])} if isinstance(plain.get("lora"), str) else {})


@pytest.mark.parametrize("server", ["sglang", "vllm-omni"])
def test_what_the_emulator_says_is_what_they_write(server, judged):
    recording = Recording.read(Path(f"tests/providers/{NAME}/recording.json"))
    cases = []
    for exchange in [one for case in recording.cases for one in case["exchanges"]]:
        said, path = exchange["answer"].get("json"), urlsplit(exchange["request"]["url"]).path
        kind = re.search(r"/(videos|images)(/|$)", path)
        is_theirs = f'"{server}/' in json.dumps(exchange["request"]) or f'"{server}/' in json.dumps(said)
        if kind and is_theirs and isinstance(said, dict) and ("id" in said or "data" in said):
            cases.append((WRITES[server, kind[1]], said))
    wrong = {f"{name}: {one}" for (name, _), found in zip(cases, judged(cases), strict=True) for one in found}
    assert not wrong, "\n".join(sorted(wrong))
    assert {name for name, _ in cases} == {model for (of, _), model in WRITES.items() if of == server}
    states = {said.get("status") for _, said in cases}
    assert {"completed", "failed"} <= states


def test_lists_and_deletions_too(judged):
    with asking(NAME, {}) as (http, _):
        form = {name: (None, value) for name, value in (("prompt", "a fox"), ("model", "vllm-omni/wan"))}
        made = http.post("/videos", files=form).json()
        listed = http.get("/videos").json()
        deleted = http.delete(f"/videos/{made['id']}").json()
    with asking(NAME, {}) as (http, _):
        other = http.post("/videos", json={"prompt": "a fox", "model": "sglang/wan"}).json()
        others = http.get("/videos").json()
        forgotten = http.delete(f"/videos/{other['id']}").json()
    cases = [
        ("omni.videos.VideoListResponse", listed),
        ("omni.videos.VideoDeleteResponse", deleted),
        ("sglang.VideoListResponse", others),
        ("sglang.VideoResponse", forgotten),
    ]
    assert judged(cases) == [[], [], [], []]
    assert forgotten["status"] == "deleted"


def test_a_body_that_is_wrong_is_noticed(judged):
    cases = [
        ("omni.videos.VideoGenerationRequest", {"prompt": "a fox", "seconds": "2.5"}),
        ("omni.audio.OpenAICreateSpeechRequest", {"input": "hello", "response_format": "aac"}),
        ("sglang.VideoGenerationsRequest", {"prompt": "a fox", "frames": 17}),
    ]
    assert all(len(found) == 1 for found in judged(cases))
