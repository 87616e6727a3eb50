"""Inputs of a provider without an upload: inside the body, and only up to its limit."""

import base64
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from aggregator._http import HttpxTransport
from aggregator.clock import SystemClock
from aggregator.engine import Backend, Engine
from aggregator.errors import InvalidRequestError
from aggregator.providers.local import PROVIDER
from aggregator.runner.faults import Source

INLINE = Backend(replace(PROVIDER, upload=None, max_inline_bytes=10))


async def upload(path: Path, raw: bytes) -> str:
    path.write_bytes(raw)
    engine = Engine(transport=HttpxTransport(), clock=SystemClock(), rng=Random(1))
    return await engine.upload(INLINE, Source("0" * 64, "image/png", len(raw), str(path)))


async def test_an_input_goes_into_the_body_as_a_data_uri(tmp_path: Path) -> None:
    uri = await upload(tmp_path / "a.png", b"0123456789")
    assert uri == "data:image/png;base64," + base64.b64encode(b"0123456789").decode()


async def test_a_larger_one_is_refused_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequestError, match="up to 10 bytes; this one has 11") as caught:
        await upload(tmp_path / "a.png", b"0123456789a")
    assert caught.value.accepted is False
