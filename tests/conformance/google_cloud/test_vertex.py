"""google-cloud-aiplatform 2.7.0 (over REST): Lyria on Vertex AI, which google-genai has no call for.

Not compared: the client's own headers (`x-goog-*`), and how it wants enumerations (`$alt`). It says whole numbers as
`7.0`, which is the same number.
"""

import base64
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from aggregator.tasks import TextToMusic
from aggregator.testing.emulator import Emulator
from tests.conformance.compare import same

service = import_module("google.cloud.aiplatform_v1.services.prediction_service")
exceptions = import_module("google.api_core.exceptions")
credentials, refusals = import_module("google.oauth2.credentials"), import_module("google.auth.exceptions")
json_format, struct = (
    import_module("google.protobuf.json_format"),
    import_module("google.protobuf.struct_pb2"),
)

PROVES = {"text-to-music": "client"}
AT = "projects/p/locations/us-central1"
ENDPOINT = f"{AT}/publishers/google/models/lyria-002"
PINNED = dict(
    line.split("==")
    for line in Path(__file__).with_name("requirements.txt").read_text().splitlines()
    if "==" in line and not line.startswith("#")
)


@pytest.fixture
def client(emulator: Emulator) -> Any:
    rest = service.PredictionServiceClient.get_transport_class("rest")
    host = emulator.url("vertex").removeprefix("http://")
    held = credentials.Credentials(emulator.keys["vertex"])
    return service.PredictionServiceClient(transport=rest(host=host, url_scheme="http", credentials=held))


def _ask(client: Any, **instance: Any) -> Any:
    given, told = (json_format.ParseDict(one, struct.Value()) for one in (instance, {"sample_count": 1}))
    return client.predict(endpoint=ENDPOINT, instances=[given], parameters=told, retry=None)


@pytest.mark.parametrize("more", [{}, {"negative_prompt": "drums", "seed": 7}], ids=["plain", "all"])
async def test_the_client_gets_its_sound_and_asks_for_what_we_ask_for(
    more: dict[str, Any], client: Any, emulator: Emulator, ours: Any, bought: Any
) -> None:
    (made,) = _ask(client, prompt="a march", **more).predictions
    assert base64.b64decode(made["audioContent"]).startswith(b"RIFF")
    assert made["mimeType"] == "audio/wav"
    (theirs,) = bought("vertex")
    settings = {"providers": {"vertex": {"base_url": f"{emulator.url('vertex')}/v1/{AT}"}}}
    (mine,) = await ours("vertex", TextToMusic(prompt="a march", **more), model="vertex:lyria-002", settings=settings)
    assert same(mine, theirs, ignore_headers=["x-goog-*"], ignore_query=["$alt"]) == []


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("permission_denied", "Forbidden"),
        ("rate_limited", "TooManyRequests"),
        ("invalid", "BadRequest"),
        ("moderated_input", "BadRequest"),
        ("not_found", "NotFound"),
        ("internal", "InternalServerError"),
        ("unavailable", "ServiceUnavailable"),
    ],
)
def test_the_client_reads_every_error(fault: str, kind: str, client: Any, emulator: Emulator) -> None:
    emulator.script("vertex", fault)
    with pytest.raises(getattr(exceptions, kind)) as caught:
        _ask(client, prompt="a march")
    assert emulator.desk("vertex").fault(fault).body["error"]["message"] in str(caught.value)


def test_the_client_wants_another_token_where_this_one_is_refused(client: Any, emulator: Emulator) -> None:
    emulator.script("vertex", "bad_key")
    with pytest.raises(refusals.RefreshError):
        _ask(client, prompt="a march")


@pytest.mark.parametrize("name", PINNED)
def test_the_client_is_the_version_that_is_written_down(name: str) -> None:
    assert version(name) == PINNED[name]
