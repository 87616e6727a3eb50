"""A paid answer that was read counts, however its connection ends."""

import pytest

from aggregator._http import HttpxTransport
from aggregator.contract import HttpRequest
from tests.providers.fal.harness import running


@pytest.mark.parametrize("fresh", [True, False])
async def test_an_answer_is_not_lost_with_its_connection(monkeypatch: pytest.MonkeyPatch, fresh: bool) -> None:
    import httpx

    class BrokenError(Exception):
        pass

    closed = httpx.AsyncHTTPTransport.aclose

    async def breaks(self: httpx.AsyncHTTPTransport) -> None:
        await closed(self)
        raise BrokenError

    async with running() as fal:
        transport = HttpxTransport()
        monkeypatch.setattr(httpx.AsyncHTTPTransport, "aclose", breaks)
        url = fal.backend.provider.base_url + "/nothing/here"
        answer = await transport.send(HttpRequest("GET", url), fresh=fresh)
        assert answer.status >= 400
        await transport.aclose()
