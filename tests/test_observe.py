"""What the host application sees: nothing unless it looks; then events, spans and measurements, with no secret."""

import sys
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from opentelemetry import metrics, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from aggregator import _observe
from aggregator.errors import ContentPolicyError
from aggregator.tasks import TASKS

CANARY = "canary-prompt-or-key"


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "get_tracer", provider.get_tracer)
    return exporter


@pytest.fixture
def events() -> Iterator[list[Any]]:
    with structlog.testing.capture_logs() as captured:  # configures, and restores what was
        yield captured
    structlog.reset_defaults()


# ------------------------------------------------------------------------------------------------------------ events


def test_an_event_reaches_a_host_that_has_configured_structlog(events: list[Any]) -> None:
    _observe.emit("attempt_accepted", job="j-1", offer="fal:a/b", remote_id=None, count=0)
    assert events == [{"event": "attempt_accepted", "log_level": "info", "job": "j-1", "offer": "fal:a/b", "count": 0}]


@pytest.mark.parametrize("event", _observe.EVENTS)
def test_what_needs_a_look_is_a_warning(event: Any, events: list[Any]) -> None:
    _observe.emit(event, job="j")
    assert events[0]["log_level"] == ("warning" if event in _observe._WARNINGS else "info")


def test_every_warning_is_an_event() -> None:
    assert set(_observe.EVENTS) >= _observe._WARNINGS


def test_nothing_is_said_to_a_host_that_has_not_configured_it(capfd: pytest.CaptureFixture[str]) -> None:
    structlog.reset_defaults()
    _observe.emit("attempt_unknown", job="j-1")
    assert capfd.readouterr() == ("", "")


def test_nothing_is_imported_for_a_host_that_has_not(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] in ("structlog", "opentelemetry")]:
        monkeypatch.delitem(sys.modules, name)
    _observe.emit("attempt_unknown", job="j-1")
    _observe.measure("x", 1.0, "s", {})
    with _observe.span("x", {}) as found:
        found["a"] = 1
    assert not [name for name in sys.modules if name.partition(".")[0] in ("structlog", "opentelemetry")]


# ------------------------------------------------------------------------------------------------------------- spans


def test_a_span_carries_what_was_given_and_what_was_found(spans: InMemorySpanExporter) -> None:
    given = _observe.attributes(task="text-to-video", provider="fal", model="veo-3.1", project="p", stage="final")
    with _observe.span("generate_content veo-3.1", given) as found:
        found["aggregator.cost_usd"] = "0.40"
    (span,) = spans.get_finished_spans()
    assert span.name == "generate_content veo-3.1"
    assert span.kind is SpanKind.CLIENT
    assert span.status.status_code is StatusCode.UNSET
    assert dict(span.attributes or {}) == {
        "gen_ai.operation.name": "generate_content",
        "gen_ai.provider.name": "fal",
        "gen_ai.request.model": "veo-3.1",
        "gen_ai.output.type": "video",
        "aggregator.task": "text-to-video",
        "aggregator.project": "p",
        "aggregator.stage": "final",
        "aggregator.cost_usd": "0.40",
    }


def test_an_error_sets_its_type_and_not_its_text(spans: InMemorySpanExporter) -> None:
    def work() -> None:
        with _observe.span("x", {}) as found:
            found["seen"] = 1
            raise ContentPolicyError(CANARY)

    with pytest.raises(ContentPolicyError):
        work()
    (span,) = spans.get_finished_spans()
    assert dict(span.attributes or {}) == {"error.type": "ContentPolicyError", "seen": 1}
    assert span.status.status_code is StatusCode.ERROR
    assert span.events == ()
    assert CANARY not in span.to_json()


def test_spans_nest(spans: InMemorySpanExporter) -> None:
    with _observe.span("outer", {}), _observe.span("inner", {}):
        pass
    inner, outer = spans.get_finished_spans()
    assert inner.parent is not None
    assert inner.parent.span_id == outer.context.span_id


@pytest.mark.parametrize("task", TASKS)
def test_every_task_has_a_kind_of_output(task: str) -> None:
    given = _observe.attributes(task=task, provider="p", model="m")
    assert given["gen_ai.output.type"] in {"image", "video", "speech", "audio"}
    assert "aggregator.project" not in given
    made = {
        "text-to-sound": "audio",
        "text-to-music": "audio",
        "text-to-speech": "speech",
        "speech-to-speech": "speech",
        "video-to-audio": "audio",
        "lip-sync": "video",
        "frame-interpolation": "video",
        "image-upscaling": "image",
        "video-extension": "video",
    }
    if task in made:
        assert given["gen_ai.output.type"] == made[task]


# ------------------------------------------------------------------------------------------------------ measurements


def test_a_measurement_is_a_histogram(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    reader = InMemoryMetricReader()
    provider = MeterProvider(metric_readers=[reader])
    monkeypatch.setattr(metrics, "get_meter", provider.get_meter)
    for seconds in (1.0, 3.0):
        _observe.measure("gen_ai.client.operation.duration", seconds, "s", {"gen_ai.provider.name": "fal"})
    data = reader.get_metrics_data()
    provider.shutdown()
    assert data is not None
    (metric,) = data.resource_metrics[0].scope_metrics[0].metrics
    (point,) = metric.data.data_points
    assert (metric.name, metric.unit) == ("gen_ai.client.operation.duration", "s")
    assert (point.count, point.sum) == (2, 4.0)  # type: ignore[union-attr]
    assert dict(point.attributes or {}) == {"gen_ai.provider.name": "fal"}
    assert caplog.records == []
