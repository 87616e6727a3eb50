"""The only file that imports structlog and OpenTelemetry: what the host application may see, and only if it looks.

Nothing is imported or emitted unless the host has set them up: events when structlog is configured, spans and metrics
when OpenTelemetry is loaded (its own proxies drop them until an SDK is installed). Prompts, keys and signed URLs
appear in neither.

Span and metric names follow the OpenTelemetry semantic conventions for generative AI where they have one
(https://opentelemetry.io/docs/specs/semconv/gen-ai/, read 2026-11-20); what they lack is under `aggregator.`.
"""

import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from typing import Literal, get_args

__all__ = ["EVENTS", "Event", "Value", "add", "attributes", "emit", "gauge", "measure", "span"]

Event = Literal[
    "attempt_started",
    "attempt_accepted",
    "attempt_refused",
    "attempt_failed",
    "attempt_unknown",
    "attempt_settled",
    "attempt_stored",
    "accepted_too_late",
    "artifact_lost",
    "bill_above_quote",
    "bill_unpriced",
    "budget_threshold",
    "fallback",
    "feed_held_back",
    "feed_refreshed",
    "feed_refused",
    "job_resumed",
    "offer_deprecated",
    "reloaded",
    "price_drift",
    "redirected",
    "shortfall",
    "unknown_status_word",
    "webhook_not_taken",
    "webhook_refused",
    "webhook_taken",
]
EVENTS: tuple[str, ...] = get_args(Event)
"""Every event there is; the list only grows."""

Value = str | int | float | bool
_OPERATION = "generate_content"
_OUTPUT = {
    "image": "image",
    "video": "video",
    "speech": "speech",
    "audio": "audio",
    "sound": "audio",
    "music": "audio",
    "lip": "video",
    "frame": "video",
}


def emit(event: Event, **fields: Value | None) -> None:
    """Log one event, if the host uses structlog and has configured it."""
    structlog = sys.modules.get("structlog")
    if structlog is not None and structlog.is_configured():
        level = "warning" if event in _WARNINGS else "info"
        getattr(structlog.get_logger("aggregator"), level)(
            event, **{name: value for name, value in fields.items() if value is not None}
        )


_WARNINGS = {
    "attempt_unknown",
    "artifact_lost",
    "bill_above_quote",
    "bill_unpriced",
    "budget_threshold",
    "feed_held_back",
    "feed_refused",
    "offer_deprecated",
    "price_drift",
    "redirected",
    "shortfall",
    "unknown_status_word",
    "webhook_not_taken",
    "webhook_refused",
}


def attributes(*, task: str, provider: str, model: str, project: str = "", stage: str = "") -> dict[str, Value]:
    """The attributes that spans and metrics share."""
    kind = task.rsplit("-", 1)[-1] if "-to-" in task else task.partition("-")[0]
    return {
        "gen_ai.operation.name": _OPERATION,
        "gen_ai.provider.name": provider,
        "gen_ai.request.model": model,
        "gen_ai.output.type": _OUTPUT.get(kind, kind),
        "aggregator.task": task,
        **({"aggregator.project": project} if project else {}),
        **({"aggregator.stage": stage} if stage else {}),
    }


@contextmanager
def span(name: str, given: Mapping[str, Value]) -> Generator[dict[str, Value], None, None]:
    """Trace a piece of work. What the body puts into the yielded dict becomes attributes; an exception sets
    `error.type`.
    """
    found: dict[str, Value] = {}
    if "opentelemetry.trace" not in sys.modules:
        yield found
        return
    from opentelemetry import trace

    tracer = trace.get_tracer("aggregator")
    with tracer.start_as_current_span(
        name, kind=trace.SpanKind.CLIENT, attributes=dict(given), record_exception=False, set_status_on_exception=False
    ) as current:
        try:
            yield found
        except BaseException as error:
            # The type only: a message may quote a prompt or an address.
            current.set_attribute("error.type", type(error).__name__)
            current.set_status(trace.Status(trace.StatusCode.ERROR, type(error).__name__))
            raise
        finally:
            current.set_attributes(found)


def measure(name: str, amount: float, unit: str, given: Mapping[str, Value]) -> None:
    """Record one value of a histogram, such as `gen_ai.client.operation.duration` in seconds."""
    if "opentelemetry.metrics" in sys.modules:
        from opentelemetry import metrics

        metrics.get_meter("aggregator").create_histogram(name, unit=unit).record(amount, dict(given))


def add(name: str, amount: Decimal, unit: str, given: Mapping[str, Value]) -> None:
    """Add to a running total, which may also go down: a reservation is given back, a bill is corrected."""
    if "opentelemetry.metrics" in sys.modules:
        from opentelemetry import metrics

        metrics.get_meter("aggregator").create_up_down_counter(name, unit=unit).add(float(amount), dict(given))


def gauge(name: str, amount: Decimal, unit: str, given: Mapping[str, Value]) -> None:
    """Say how much something is now."""
    if "opentelemetry.metrics" in sys.modules:
        from opentelemetry import metrics

        metrics.get_meter("aggregator").create_gauge(name, unit=unit).set(float(amount), dict(given))
