"""What the README says is proved of each provider is claimed by a test, of a task that is served, and up to date."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from aggregator.backends import provider_names, provider_table
from aggregator.tasks import TASKS
from tests.providers import proof

TABLES = {name: provider_table(name) for name in provider_names() if name != "local"}
SERVED = proof.served(TABLES)
CONFORMANCE = proof.ROOT / "tests" / "conformance"
CLIENTS = {
    "openai": ("openai", "openai_compatible", "recraft"),
    "google-genai": ("gemini", "vertex"),
    "google-cloud-aiplatform": ("vertex",),
    "runwayml": ("runway",),
    "luma-agents": ("luma",),
    "lumaai": ("luma_dream_machine",),
    "fal-client": ("fal",),
    "replicate": ("replicate",),
    "together": ("together",),
    "huggingface_hub": ("huggingface",),
    "dashscope": ("dashscope",),
    "volcengine-ark-runtime": ("ark",),
    "higgsfield-client": ("higgsfield",),
    "openrouter": ("openrouter",),
    "elevenlabs": ("elevenlabs",),
    "cartesia": ("cartesia",),
    "deepgram-sdk": ("deepgram",),
    "comfy-sdk": ("comfy",),
}
"""The official clients, and the providers that each of them speaks to."""
VERBS = {"video-extension": "extend_video", "video-upscaling": "upscale_video", "video-to-video": ".video_to_video("}
"""Of what goes on from a clip that the provider made itself."""
TOOLS = {"standardwebhooks", "jsonschema", "pyyaml"}


def _installed() -> Iterator[str]:
    for file in CONFORMANCE.glob("*/requirements.txt"):
        for line in file.read_text(encoding="utf-8").splitlines():
            if line and not line.startswith("#"):
                yield line.partition("==")[0]


def _claiming() -> list[Path]:
    """The modules of tests that say what they prove."""
    files = [*proof.ROOT.glob("tests/providers/*/test_*.py"), *CONFORMANCE.glob("*/test_*.py")]
    return sorted(file for file in files if "\nPROVES = " in file.read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", TABLES)
def test_a_claim_is_of_a_task_that_is_served_and_of_a_known_grade(name: str) -> None:
    found = proof.grades(TABLES[name], SERVED[name])
    assert found.keys() == SERVED[name]
    assert set(found.values()) <= set(proof.ORDER)


@pytest.mark.parametrize("file", _claiming(), ids=lambda file: f"{file.parent.name}/{file.name}")
def test_every_claim_is_counted(file: Path) -> None:
    """A module whose name is not its provider's would claim in vain, and so would one that claims twice."""
    name = file.stem.removeprefix("test_")
    assert name in TABLES
    assert file.parent.name == name or file.parent.parent == CONFORMANCE
    text = file.read_text(encoding="utf-8")
    claimed = [
        ast.literal_eval(node.value)
        for node in ast.parse(text).body
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "PROVES"
    ]
    assert len(claimed) == 1
    grade = "client" if file.is_relative_to(CONFORMANCE) else "schema"
    assert set(claimed[0].values()) == {grade}
    assert set(claimed[0].items()) <= set(proof.claims(name))
    if grade == "schema":
        assert "check_bodies(" in text, "nothing holds our requests against the vendor's schema"
        return
    assert "same(" in text, "nothing compares our requests with the client's"
    for task in claimed[0]:
        assert TASKS[task].__name__ in text or VERBS.get(task, "…") in text, f"{task} is claimed and not tried"


@pytest.mark.parametrize("client", CLIENTS)
def test_who_has_an_official_client_is_proved_by_it(client: str) -> None:
    for name in CLIENTS[client]:
        assert "client" in proof.grades(TABLES[name], SERVED[name]).values()


def test_every_client_that_is_installed_proves_something() -> None:
    assert set(_installed()) == CLIENTS.keys() | TOOLS


def test_a_claim_of_what_is_not_served_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    for claim, said in (({"text-to-smell": "client"}, "not served"), ({"text-to-video": "hearsay"}, "no grade")):
        monkeypatch.setattr(proof, "claims", lambda _name, claim=claim: iter(claim.items()))
        with pytest.raises(AssertionError, match=said):
            proof.grades(TABLES["runway"], SERVED["runway"])


def test_the_table_of_the_readme_is_current(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["proof"])
    assert proof.main() == 0, "python -m tests.providers.proof --write"


def test_an_old_table_is_replaced_and_what_stands_around_it_is_kept() -> None:
    text = f"before\n{proof.BEGIN}\nold\n{proof.END}\nafter"
    new = proof.written(text)
    assert new == f"before\n{proof.BEGIN}\n{proof.table()}\n{proof.END}\nafter"
    assert proof.written(new) == new
