"""The simulated world with providers that call back, and the receiver their deliveries go to."""

import hmac
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from aggregator.receiver import Receiver
from aggregator.testing.memory_book import Order
from tests.runner.world import World
from tests.webhooks.asgi import Answer, call, standard

URL = "https://api.example.com/hooks"
SECRET = "a-secret-of-the-callback-addresses"
SIGNED_WITH = "whsec_c2VjcmV0LW9mLXRoZS1wcm92aWRlcg=="
ENVIRON = {"HOOKS": SECRET, "PROVIDER_HOOKS": SIGNED_WITH}
TABLES = {
    "calling": "aggregator.testing.memory:CALLING",
    **{name: f"tests.webhooks.tables:{name.upper()}" for name in ("signing", "hooked", "telling", "keyed")},
}
SECRETS = ("signing", "hooked")
"""Those that sign with a secret of the user."""


class HookWorld(World):
    """One offer of each provider; deliveries are made by the test."""

    def __init__(self, directory: Path, *names: str, **settings: Any) -> None:
        self.names = names or ("calling",)
        super().__init__(
            directory,
            offers=dict.fromkeys((f"{name}:cheap" for name in self.names), "0.04"),
            webhooks={"url": URL, "secret_env": "HOOKS"},
            **settings,
        )
        providers = self.config["providers"]
        assert isinstance(providers, dict)
        for name in set(SECRETS) & set(self.names):
            providers[name]["webhook_secret_env"] = "PROVIDER_HOOKS"

    def _tables(self) -> dict[str, str]:
        return {name: TABLES[name] for name in self.names}

    # --------------------------------------------------------------------------------------------------- what is there

    @property
    def receiver(self) -> Receiver:
        """The application of the open client; made once for each."""
        made: tuple[Any, Receiver] | None = getattr(self, "_made", None)
        if made is None or made[0] is not self.agg:
            made = self._made = (self.agg, self.agg.webhooks())
        return made[1]

    def order(self, n: int = -1) -> Order:
        """What the server took."""
        return list(self.transport.book.values())[n]

    def inbox(self) -> list[dict[str, Any]]:
        return self.rows("inbox")

    # ------------------------------------------------------------------------------------------------------ deliveries

    async def deliver(
        self, order: Order, status: str = "", *, headers: Mapping[str, str] | None = None, **changes: Any
    ) -> Answer:
        """The server calls back about a job; `status` is what it says, true or not.

        Args:
            changes: `body`, `url`, `at`, `msg_id` other than right.

        """
        said = {"id": order.id, "status": status or order.state(self.clock.time())}
        body = changes.get("body", json.dumps(said).encode())
        path = urlsplit(changes.get("url", order.callback)).path
        if headers is None:
            headers = self.signed(order, body, changes.get("at", self.clock.time()), changes.get("msg_id", "msg_1"))
        answer = await call(self.receiver, path.removeprefix("/hooks"), body, headers)
        assert answer is not None
        return answer

    def signed(self, order: Order, body: bytes, at: float, msg_id: str) -> dict[str, str]:
        if order.provider in SECRETS:
            return standard(SIGNED_WITH, msg_id, at, body)
        if order.provider == "telling":
            secret = self.agg.opened.context.callbacks.order_secrets("telling", order.attempt)[0]
            return {"x-signature": hmac.new(secret.encode(), body, "sha256").hexdigest()}
        return {}
