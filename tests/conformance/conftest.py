"""For the official clients: an emulator to talk to, our request for the same intent, and no way out of the machine."""

import ipaddress
import socket
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
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


@pytest.fixture
def ours_after(
    emulated: Callable[..., Any], bought: Callable[[str], list[Recorded]]
) -> Callable[..., Awaitable[tuple[str, Recorded]]]:
    """As `ours`, for what goes on from a clip that the provider made itself: returns the clip's job, and what we sent.

    `await ours_after("luma", "ray-3.2", "extend_video", "it jumps", model="luma:ray-3.2")`
    """

    async def sent(
        provider: str, maker: str, verb: str, *words: str, settings: dict[str, Any] | None = None, **options: Any
    ) -> tuple[str, Recorded]:
        async with emulated(provider, **(settings or {})) as agg, agg.project("conformance") as project:
            made = await project.text_to_video("a fox", model=f"{provider}:{maker}", max_usd="1000")
            (first,) = bought(provider)
            await getattr(project, verb)(made, *words, **{"max_usd": "1000", **options})
            (then,) = bought(provider)
        assert first.job_id is not None
        return first.job_id, then

    return sent


@pytest.fixture
def row(tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """An offer of a user's own, for a task that the package has no offer of: the options with which `ours` takes it.

    `await ours("together", VideoToVideo(…), **row("together", "some/model", "video-to-video"))`
    """

    def written(provider: str, endpoint: str, task: str, more: str = "") -> dict[str, Any]:
        home = tmp_path / "rows"
        (home / "models").mkdir(parents=True)
        (home / "offers" / provider).mkdir(parents=True)
        (home / "models" / "mine.toml").write_text('[model]\nmaker = "mine"\ntier = "workhorse"\n')
        offer = f'model = "mine"\nendpoint = "{endpoint}"\ntask = "{task}"\nchecked = 2026-11-20\n{more}\n'
        (home / "offers" / provider / "mine.toml").write_text(offer)
        return {"model": f"{provider}:{endpoint}", "settings": {"registry": {"paths": [str(home)]}}}

    return written
