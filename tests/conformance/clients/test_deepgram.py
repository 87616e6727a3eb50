"""The official client of Deepgram (deepgram-sdk 7.17.0): it is content with the emulator, and asks for what we ask for.

Not compared: what the client says of itself.
"""

from contextlib import contextmanager
from importlib import import_module

import httpx
import pytest

from aggregator.tasks import TextToSpeech
from tests.conformance.compare import same
from tests.providers.harness import DETAIL, Shop, faults_of, opened

deepgram = import_module("deepgram")
from deepgram.core.api_error import ApiError  # noqa: E402
from deepgram.environment import DeepgramClientEnvironment  # noqa: E402

PROVES = {"text-to-speech": "client"}
NAME = "deepgram"
OWN = ("x-fern-*", "x-deepgram-session-id")
"""Headers in which the client speaks of itself."""
pytestmark = pytest.mark.filterwarnings("ignore:websockets:DeprecationWarning")  # the client's own


@contextmanager
def client(at: Shop, key: str | None = None):
    """The client, on a connection that is closed."""
    base = at.emulator.url(NAME)
    environment = DeepgramClientEnvironment(base=base, production=base, agent=base, agent_rest=base)
    with httpx.Client() as line:
        yield deepgram.DeepgramClient(api_key=key or at.key(), environment=environment, httpx_client=line)


INTENTS = {
    "aura-2": (
        TextToSpeech(text="Buenos días.", language="es", voice="diana", speed=0.9, format="wav"),
        "aura-2",
        lambda c: c.speak.v1.audio.generate(
            text="Buenos días.", model="aura-2-diana-es", speed=0.9, encoding="linear16"
        ),
    ),
    "aura-1": (
        TextToSpeech(text="Good morning.", voice="luna"),
        "aura-1",
        lambda c: c.speak.v1.audio.generate(text="Good morning.", model="aura-luna-en"),
    ),
    "flux": (
        TextToSpeech(text="Good morning.", voice="kit", speed=1.05, format="opus"),
        "deepgram-flux-tts",
        lambda c: c.speak.v2.audio.generate(text="Good morning.", model="flux-kit-en", speed=1.05, encoding="opus"),
    ),
}


@pytest.mark.parametrize("intent", INTENTS)
async def test_the_client_is_answered_and_asks_for_what_we_ask_for(intent: str, tmp_path) -> None:
    request, model, call = INTENTS[intent]
    async with opened(NAME, tmp_path) as at:
        _, ours = await at.make(request, model)
        with client(at) as c:
            content = b"".join(call(c))
        theirs = at.emulator.requests[-1]
        assert content == at.emulator.book[1].job.contents[0]
        assert same(ours, theirs, ignore_headers=OWN, unordered_parts=True, ignore_filenames=True) == []


@pytest.mark.parametrize(
    ("speak", "model"),
    [
        (lambda c: c.speak.v1.audio.generate, "aura-2-thalia-en"),
        (lambda c: c.speak.v2.audio.generate, "flux-alexis-en"),
    ],
    ids=["v1", "v2"],
)
@pytest.mark.parametrize(("fault", "said"), faults_of(NAME).items())
async def test_the_client_reads_every_error(fault: str, said, speak, model: str, tmp_path) -> None:
    async with opened(NAME, tmp_path) as at:
        at.emulator.script(NAME, f"{fault}:{DETAIL}")
        with client(at) as c, pytest.raises(ApiError) as caught:
            b"".join(speak(c)(text="Yes.", model=model, request_options={"max_retries": 0}))
        assert caught.value.status_code == said.status
        assert caught.value.body == said.body


async def test_the_client_reads_the_free_answers(tmp_path) -> None:
    async with opened(NAME, tmp_path) as at:
        with client(at) as c:
            assert len(c.manage.v1.projects.list().projects) == 1
        with client(at, "x") as c, pytest.raises(ApiError) as caught:
            c.manage.v1.projects.list()
        assert caught.value.status_code == 401
