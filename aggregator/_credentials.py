"""What stands for the key in a request: itself, what is signed with it, or a token it was exchanged for; where it may
go, and how it is kept out of everything that is said.
"""

from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import replace

from aggregator._http import origin
from aggregator.backend import Backend
from aggregator.clock import Clock
from aggregator.contract import HttpRequest, HttpResponse, TokenFlow
from aggregator.errors import AuthenticationError, ConfigurationError, ProviderError, ResponseFormatError
from aggregator.secret import Secret, SecretHeaders, scrub

__all__ = ["Credentials"]

TOKEN_MARGIN_S = 60.0
"""How long before its end a token is exchanged for a new one."""
KEPT_TOKENS = 16
"""How many of the last tokens of an account are looked for in what a provider echoes."""
UNAUTHORIZED = 401


class Credentials:
    """The credentials of all backends of an engine."""

    def __init__(self, clock: Clock, exchanged: Callable[[Backend, TokenFlow], Awaitable[tuple[str, float]]]) -> None:
        """`exchanged` runs the flow that makes a token of a key."""
        self._clock = clock
        self._exchanged = exchanged
        self._tokens: dict[tuple[str, str, object], tuple[Secret, float]] = {}
        """By provider, account and the way of the exchange."""
        self._used: dict[tuple[str, str], deque[Secret]] = {}
        """What stood for the key of an account lately: as secret as the key."""

    async def signed(self, backend: Backend, request: HttpRequest) -> HttpRequest:
        """Add the credential, to the provider's own origins and to no other; say which host is the user's own."""
        request = replace(request, own_host=backend.own_host)
        if not request.trusted:
            return request
        if not backend.trusts(request.url):
            raise ResponseFormatError(
                f"{backend.provider.name} named {origin(request.url)}, which is not one of its own addresses: "
                "the credential is not sent there",
                provider=backend.provider.name,
                accepted=None,
            )
        if backend.secret is None:
            return request
        auth = backend.provider.auth
        value = auth.template.format(key=await self._key(backend, backend.secret))
        return replace(request, headers=SecretHeaders({**request.headers, auth.header: value}))

    async def _key(self, backend: Backend, secret: Secret) -> str:
        """What stands for the key now: itself, what is signed with it, or a token it was exchanged for."""
        auth = backend.provider.auth
        if auth.sign is None and auth.token is None:
            return secret.reveal()
        try:
            if auth.sign is not None:
                stands = auth.sign(secret.reveal(), self._clock.time())
            else:
                stands = await self._token(backend, secret)
        except ProviderError:
            raise
        except (ConfigurationError, LookupError, TypeError, ValueError) as error:
            why = str(error) if isinstance(error, ConfigurationError) else type(error).__name__  # it may quote the key
            raise AuthenticationError(
                f"{backend.provider.name}: the key cannot be turned into what is sent ({why})",
                provider=backend.provider.name,
            ) from None
        used = self._used.setdefault((backend.provider.name, backend.account), deque(maxlen=KEPT_TOKENS))
        if all(one.reveal() != stands for one in used):
            used.append(Secret(stands))
        return stands

    async def _token(self, backend: Backend, secret: Secret) -> str:
        exchange = backend.provider.auth.token
        assert exchange is not None
        at = (backend.provider.name, backend.account, exchange)
        kept = self._tokens.get(at)
        if kept is None or kept[1] - TOKEN_MARGIN_S <= self._clock.time():
            flow = exchange(secret.reveal(), self._clock.time())
            token, ends = await self._exchanged(backend, flow)
            kept = self._tokens[at] = Secret(token), ends
        return kept[0].reveal()

    def forgotten(self, backend: Backend, request: HttpRequest, response: HttpResponse) -> bool:
        """Whether an answer refuses a token that was kept; it is not used again."""
        at = (backend.provider.name, backend.account, backend.provider.auth.token)
        refused = request.trusted and response.status == UNAUTHORIZED
        return refused and self._tokens.pop(at, None) is not None

    def secrets_of(self, backend: Backend) -> tuple[Secret, ...]:
        """The key, and what stood for it lately."""
        own = (backend.secret,) if backend.secret else ()
        return (*own, *self._used.get((backend.provider.name, backend.account), ()))

    def scrubbed(self, backend: Backend, response: HttpResponse) -> HttpResponse:
        """The answer without our secrets, in whatever it echoes: errors are made from this one."""
        secrets = self.secrets_of(backend)
        if not secrets:
            return response
        return replace(
            response,
            headers={name: scrub(value, secrets) for name, value in response.headers.items()},
            body=scrub(response.body.decode(errors="replace"), secrets).encode(),
        )
