"""What a file in `services/` says: a `Service` with its routes, its errors, and how its key arrives.

Everything that such a file needs is imported from here.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING
from urllib.parse import unquote
from uuid import UUID

from aggregator.testing.emulator.answers import Answer, Fault, HookDelivery, RateLimit
from aggregator.testing.emulator.call import Call
from aggregator.testing.emulator.forms import FormPart
from aggregator.testing.emulator.jobs import Job, Order, order

if TYPE_CHECKING:
    from aggregator.testing.emulator.desk import World

__all__ = [
    "Answer",
    "Call",
    "Fault",
    "FormPart",
    "HookDelivery",
    "Job",
    "Order",
    "RateLimit",
    "Route",
    "Service",
    "bearer",
    "order",
    "uuid",
]

Handler = Callable[[Call], Answer]
_PLACEHOLDER = re.compile(r"\{(\w+)(:path)?\}")


def bearer(call: Call) -> str:
    """The key behind `Authorization: Bearer`."""
    return call.headers.get("authorization", "").removeprefix("Bearer ")


def uuid(rng: Random) -> str:
    """A random UUID, for `Service(ids=uuid)`."""
    return str(UUID(int=rng.getrandbits(128), version=4))


@dataclass(frozen=True, slots=True)
class Route:
    """One method and path. `public`: it is answered without the key."""

    method: str
    pattern: str
    handler: Handler
    public: bool = False

    def match(self, method: str, path: str) -> dict[str, str] | None:
        """What the placeholders stand for; `None`: this is another's."""
        if method != self.method and not (method == "HEAD" and self.method == "GET"):
            return None
        found = _compiled(self.pattern).fullmatch(path)
        return None if found is None else {name: unquote(text) for name, text in found.groupdict().items()}


def _compiled(pattern: str) -> re.Pattern[str]:
    parts, at = [], 0
    for found in _PLACEHOLDER.finditer(pattern):
        parts.append(re.escape(pattern[at : found.start()]))
        parts.append(f"(?P<{found[1]}>{'.+' if found[2] else '[^/]+?'})")
        at = found.end()
    return re.compile("".join(parts) + re.escape(pattern[at:]))


class Service:
    """One provider, as it answers. It holds no state: that is in `Call.world`, anew in each emulator."""

    def __init__(
        self,
        name: str,
        *,
        key: Callable[[Call], str | bool] | None = bearer,
        prefix: str = "",
        ids: Callable[[Random], str] | None = None,
        faults: Mapping[str, Fault] | None = None,
        bills_failures: bool | Callable[[Job], bool] = False,
        bills_canceled: bool = False,
        limit: RateLimit | None = None,
        concurrency: int | None = None,
        expired: int = 404,
        headers: Callable[[Call], Mapping[str, str]] | None = None,
        make_key: Callable[[Random], str] | None = None,
        make_secret: Callable[[Random], str] | None = None,
    ) -> None:
        """Say what holds for all routes.

        Args:
            key: The key a request carries (compared with the emulator's), or whether it carries the right one;
            `None` for a service without keys. prefix: Of job ids, before 32 hex digits. ids: How a whole id is made,
            instead. faults: The vendor's errors by name. bills_failures: Whether a failed job is billed. limit,
            concurrency: What is enforced by `Emulator(limits=True)`. expired: How the address of a file that is gone
            answers. headers: What every answer carries. make_key, make_secret: Keys and webhook secrets of the
            vendor's form.

        """
        self.name = name
        self.key = key
        self.ids = ids or (lambda rng: f"{prefix}{rng.getrandbits(128):032x}")
        self.faults = dict(faults or {})
        self.bills_failures = bills_failures
        self.bills_canceled = bills_canceled
        self.limit = limit
        self.concurrency = concurrency
        self.expired = expired
        self.headers = headers
        self.make_key = make_key or (lambda rng: f"emulator-{rng.getrandbits(128):032x}")
        self.make_secret = make_secret or (lambda rng: f"secret-{rng.getrandbits(128):032x}")
        self.hook: Callable[[Job, str, World], HookDelivery] | None = None
        """What is delivered to the callback address of a job that has ended."""
        self.routes: list[Route] = []

    def get(self, pattern: str, *, public: bool = False) -> Callable[[Handler], Handler]:
        return self.route("GET", pattern, public=public)

    def post(self, pattern: str, *, public: bool = False) -> Callable[[Handler], Handler]:
        return self.route("POST", pattern, public=public)

    def put(self, pattern: str, *, public: bool = False) -> Callable[[Handler], Handler]:
        return self.route("PUT", pattern, public=public)

    def patch(self, pattern: str, *, public: bool = False) -> Callable[[Handler], Handler]:
        return self.route("PATCH", pattern, public=public)

    def delete(self, pattern: str, *, public: bool = False) -> Callable[[Handler], Handler]:
        return self.route("DELETE", pattern, public=public)

    def route(self, method: str, pattern: str, *, public: bool = False) -> Callable[[Handler], Handler]:
        """Add a handler. `{id}` stands for one part of the path, `{rest:path}` for any number; the first match wins."""

        def added(handler: Handler) -> Handler:
            self.routes.append(Route(method, pattern, handler, public))
            return handler

        return added

    def find(self, method: str, path: str) -> tuple[Route, dict[str, str]] | None:
        """The route of a request, and what its placeholders stand for."""
        for form in dict.fromkeys((path, unquote(path))):
            for route in self.routes:
                found = route.match(method, form)
                if found is not None:
                    return route, found
        return None
