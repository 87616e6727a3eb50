"""A table that says its provider knows keys is held to it by what was written down."""

import pytest

from aggregator.backends import provider_table
from aggregator.testing.compliance import cases
from aggregator.testing.emulator.services import comfy
from aggregator.testing.recording import Recording
from tests.providers.record import record

NAME = "money: one key is one purchase"


def ask(recording: Recording) -> None:
    next(case for case in cases(provider_table("comfy"), recording) if case.name == NAME)()


def test_a_key_that_is_replayed_is_one_purchase() -> None:
    ask(record("comfy"))


def test_a_service_that_doubles_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comfy, "_once", lambda call: (comfy._take(call), {}))
    with pytest.raises(AssertionError, match="it pays twice"):
        ask(record("comfy"))


def test_a_recording_that_does_not_show_it_fails() -> None:
    recording = record("comfy")
    for case in recording.cases:
        case.pop("again", None)
    with pytest.raises(AssertionError, match="write the recording again"):
        ask(recording)
