"""Every service that is shipped: found by its file, of the right name, and beside a provider's table."""

import sys
from importlib.metadata import EntryPoint

import pytest

from aggregator.backends import provider_names
from aggregator.errors import ConfigurationError
from aggregator.testing.emulator import Emulator, catalogue
from aggregator.testing.emulator.catalogue import load_service, service_names

from .tiny import tiny

EMBEDDED = {"local"}
"""Not emulated: it is here already."""


@pytest.mark.parametrize("name", service_names())
def test_each_service_loads(name: str) -> None:
    service = load_service(name)
    assert service.routes
    assert len({(route.method, route.pattern) for route in service.routes}) == len(service.routes)
    with Emulator(only=(name,)) as emulator:
        assert emulator.url(name) == f"{emulator.origin}/{name}"
        assert emulator.settings(name)["base_url"].startswith(emulator.url(name))


def test_every_provider_is_emulated() -> None:
    assert set(provider_names()) - EMBEDDED == set(service_names())


def test_what_shares_a_variable_shares_its_key() -> None:
    with Emulator() as emulator:
        found: dict[str, set[str]] = {}
        for name in service_names():
            if "api_key_env" in (settings := emulator.settings(name)):
                found.setdefault(settings["api_key_env"], set()).add(emulator.keys[name])
        assert {name: keys for name, keys in found.items() if len(keys) > 1} == {}
        assert {name: {key} for name, key in emulator.environ.items()} == found
        assert len(set.union(*found.values())) == len(found)


def test_other_packages_bring_theirs(monkeypatch: pytest.MonkeyPatch) -> None:
    module = type(sys)("somebodys")
    module.SERVICE, module.WRONG = tiny("theirs"), tiny("another")
    monkeypatch.setitem(sys.modules, "somebodys", module)
    points = [
        EntryPoint(name, f"somebodys:{attribute}", catalogue.ENTRY_POINTS)
        for name, attribute in (("theirs", "SERVICE"), ("wrong", "WRONG"), ("missing", "NOTHING"))
    ]
    monkeypatch.setattr(catalogue, "entry_points", lambda *, group: points if group == catalogue.ENTRY_POINTS else [])
    catalogue._brought.cache_clear()
    try:
        assert "theirs" in service_names()
        with Emulator() as emulator:
            assert emulator.desk("theirs").service is module.SERVICE
        for name in ("wrong", "missing"):
            with pytest.raises(ConfigurationError, match=f"no Service of the name '{name}'"):
                load_service(name)
    finally:
        catalogue._brought.cache_clear()
