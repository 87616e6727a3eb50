"""Below `/_emulator`: what another process may ask of an emulator, and tell it."""

import json
from typing import TYPE_CHECKING

from aggregator.errors import ConfigurationError
from aggregator.testing.emulator.answers import Answer
from aggregator.testing.emulator.wire import Heard

if TYPE_CHECKING:
    from aggregator.testing.emulator.server import Emulator

__all__ = ["answer"]


def answer(emulator: "Emulator", heard: Heard) -> Answer:
    """`GET /_emulator/book`, `GET /_emulator/requests`, `POST /_emulator/script` with `{"provider", "fates"}`."""
    path = heard.target.partition("?")[0].rstrip("/")
    try:
        match heard.method, path:
            case "GET", "/_emulator":
                return Answer(200, {"origin": emulator.origin, "providers": list(emulator.names)})
            case "GET", "/_emulator/book":
                return Answer(200, emulator.book.as_json())
            case "GET", "/_emulator/requests":
                shown = ("provider", "method", "path", "query", "status", "job_id")
                return Answer(200, [{name: getattr(one, name) for name in shown} for one in emulator.requests])
            case "POST", "/_emulator/script":
                told = json.loads(heard.body)
                emulator.script(told["provider"], *told["fates"])
                return Answer(200, {"scripted": len(told["fates"])})
    except (ConfigurationError, ValueError, KeyError, TypeError) as error:
        return Answer(400, {"error": str(error)})
    return Answer(404, {"error": f"nothing is at {heard.method} {path}"})
