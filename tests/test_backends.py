"""Which providers can be used here: tables of one's own, keys, addresses and limits from the configuration."""

import sys
from pathlib import Path

import pytest

from aggregator import Aggregator
from aggregator.backends import backends_of, provider_names, provider_table, provider_tables
from aggregator.config import Config
from aggregator.errors import ConfigurationError, MissingCredentialError

TABLE = """
from aggregator.contract import Auth, Call, Provider, State, Status
PROVIDER = Provider(
    name="{name}", docs="", checked="2026-11-21", base_url="https://own.example", auth=Auth(env=("OWN_KEY",)),
    submit=Call("POST", "/"), status=Status("s", {{"ok": State.SUCCEEDED}}), tasks={{}}, concurrency=3,
)
"""


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "own_table.py").write_text(TABLE.format(name="own"))
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "own_table", raising=False)
    return "own_table:PROVIDER"


def usable(config: Config, **environ: str) -> tuple[dict, dict]:
    return backends_of(config, provider_tables(config), environ)


def test_the_package_brings_its_own() -> None:
    assert {"fal", "local"} <= set(provider_names())
    assert provider_table("fal").name == "fal"


def test_a_table_of_ones_own_is_named_in_the_configuration(own: str) -> None:
    backends, _ = usable(Config.of({"providers": {"own": {"table": own}}}), OWN_KEY="k-1")
    assert backends["own"].provider.base_url == "https://own.example"
    assert backends["own"].concurrency == 3


def test_a_table_may_serve_under_another_name_too(own: str) -> None:
    """Two servers of one kind are two providers."""
    tables = provider_tables(Config.of({"providers": {"other": {"table": own, "base_url": "https://other.example"}}}))
    assert (tables["other"].name, tables["other"].base_url) == ("other", "https://other.example")


@pytest.mark.parametrize(
    ("name", "place", "said"),
    [
        ("nobody", None, "there is no provider 'nobody'"),
        ("own", "no_such_module:PROVIDER", "no table at"),
        ("own", "own_table:TABEL", "no table at"),
        ("own", "own_table:Auth", "is not a Provider whose name is 'own'"),
    ],
)
def test_a_table_that_is_none_is_said(own: str, name: str, place: str | None, said: str) -> None:
    settings = {} if place is None else {"table": place}
    with pytest.raises(ConfigurationError, match=said):
        provider_tables(Config.of({"providers": {name: settings}}))


def test_a_key_in_the_environment_is_enough_and_its_absence_is_said() -> None:
    backends, why = usable(Config.of({}), FAL_KEY="id:canary-5172")
    assert set(backends) == {"fal"}
    assert "canary-5172" not in repr(backends)
    assert why["local"] == "not configured: write [providers.local] into aggregator.toml"
    assert usable(Config.of({}))[1]["fal"] == "no key: set FAL_KEY"


def test_another_variable_may_hold_the_key() -> None:
    config = Config.of({"providers": {"fal": {"api_key_env": "FAL_STAGING"}}})
    assert usable(config, FAL_KEY="a")[1]["fal"] == "no key: set FAL_STAGING"
    assert usable(config, FAL_STAGING="b")[0]["fal"].secret.reveal() == "b"


def test_what_is_switched_off_is_not_used() -> None:
    config = Config.of({"providers": {"fal": {"enabled": False}}})
    assert usable(config, FAL_KEY="a")[1]["fal"] == "switched off in the configuration"


def test_an_address_of_ones_own_stands_for_every_address_of_the_provider() -> None:
    config = Config.of({"providers": {"fal": {"base_url": "http://127.0.0.1:9/", "concurrency": 4}}})
    backend = usable(config, FAL_KEY="a")[0]["fal"]
    assert backend.trusts("http://127.0.0.1:9/x")
    assert not backend.trusts("https://queue.fal.run/x")
    assert not backend.trusts("https://v3.fal.media/x")
    assert set(backend.provider.cdns.values()) == {"http://127.0.0.1:9"}
    assert backend.concurrency == 4


async def test_a_model_whose_provider_has_no_key_says_which_variable_to_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FAL_KEY", raising=False)
    config = {"directory": str(tmp_path), "allow_ephemeral": True, "providers": {"local": {}}}
    async with Aggregator(config) as agg, agg.project("x") as p:
        for model in ("flux-1-schnell", "fal:fal-ai/flux/schnell"):
            with pytest.raises(MissingCredentialError, match="fal: no key: set FAL_KEY"):
                await p.text_to_image("a fox", model=model)
        assert await agg.jobs() == []


@pytest.mark.parametrize(
    ("base_url", "own_host"),
    [
        ("http://127.0.0.1:8188/v1", "127.0.0.1"),
        ("https://Relay.Example:9443", "relay.example"),
        ("http://[::1]", "::1"),
    ],
)
def test_only_the_host_of_a_configured_address_may_be_private(base_url: str, own_host: str) -> None:
    environ = {"FAL_KEY": "k"}
    config = Config.of({"providers": {"fal": {"base_url": base_url}}})
    assert backends_of(config, provider_tables(config), environ)[0]["fal"].own_host == own_host
    plain = Config.of({"providers": {"fal": {}}})
    assert backends_of(plain, provider_tables(plain), environ)[0]["fal"].own_host == ""
