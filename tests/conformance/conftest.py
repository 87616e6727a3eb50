"""For the official clients: an emulator to talk to, our request for the same intent, and no way out of the machine."""

import ipaddress
import socket
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest

from aggregator.tasks import Request
from aggregator.testing.emulator import Emulator
from aggregator.testing.emulator.recorder import Recorded


@pytest.fixture(scope="session", autouse=True)
def _loopback_only() -> Iterator[None]:
    """A client that does not honour the address it is given must fail here, and not reach its vendor."""
    look_up, connect = socket.getaddrinfo, socket.socket.connect

    def is_here(host: Any) -> bool:
        name = host.decode() if isinstance(host, bytes) else host
        if name in (None, "", "localhost"):
            return True
        try:
            return ipaddress.ip_address(name).is_loopback
        except ValueError:
            return False

    def found(host: Any, *args: Any, **options: Any) -> Any:
        if not is_here(host):
            raise OSError(f"{host!r} is not on this machine")
        return look_up(host, *args, **options)

    def connected(self: socket.socket, address: Any) -> None:
        if isinstance(address, tuple) and not is_here(address[0]):
            raise OSError(f"{address[0]!r} is not on this machine")
        connect(self, address)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", found)
        patch.setattr(socket.socket, "connect", connected)
        yield


@pytest.fixture
def bought(emulator: Emulator) -> Callable[[str], list[Recorded]]:
    """The requests with which jobs were bought of a provider; each is returned once."""
    told: set[int] = set()

    def since(provider: str) -> list[Recorded]:
        new = [one for one in emulator.requests if one.provider == provider and one.job_id and id(one) not in told]
        told.update(id(one) for one in new)
        return new

    return since


@pytest.fixture
def ours(
    emulated: Callable[..., Any], bought: Callable[[str], list[Recorded]]
) -> Callable[..., Awaitable[list[Recorded]]]:
    """Serve a request with the library, and return what it sent to buy it: `await ours("runway", TextToVideo(…))`.

    `model=`, `max_usd=`, … are the options of `Project.generate`; `settings=` further keys of `aggregator.toml`.
    """

    async def sent(
        provider: str, request: Request, *, settings: dict[str, Any] | None = None, **options: Any
    ) -> list[Recorded]:
        bought(provider)  # what others bought before is not ours
        async with emulated(provider, **(settings or {})) as agg, agg.project("conformance") as project:
            await project.generate(request, **{"max_usd": "1000", **options})
        return bought(provider)

    return sent
