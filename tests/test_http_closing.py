"""A paid answer that was read counts, however its connection ends."""

import pytest

from aggregator._http import HttpxTransport
from aggregator.contract import HttpRequest
from tests.providers.fal.harness import running


@pytest.mark.parametrize("fresh", [True, False])
async def test_an_answer_is_not_lost_with_its_connection(monkeypatch: pytest.MonkeyPatch, fresh: bool) -> None:
    import httpcore

    class BrokenError(Exception):
        pass

    closed = httpcore.AsyncConnectionPool.aclose

    async def breaks(self: httpcore.AsyncConnectionPool) -> None:
        await closed(self)
        raise BrokenError

    async with running() as fal:
        transport = HttpxTransport()
        monkeypatch.setattr(httpcore.AsyncConnectionPool, "aclose", breaks)
        url = fal.backend.provider.base_url + "/nothing/here"
        answer = await transport.send(HttpRequest("GET", url, own_host="127.0.0.1"), fresh=fresh)
        assert answer.status >= 400
        await transport.aclose()
