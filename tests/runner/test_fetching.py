"""From a paid job to its files: fetched as often as it takes, never ordered again."""

from base64 import b64encode
from typing import Any

import pytest

from aggregator import errors
from aggregator.testing.memory import PNG, MemoryTransport
from tests.runner.test_outcomes import ONE, PAID, ends, order, state
from tests.runner.world import World


@pytest.fixture
def one(quick: Any) -> World:
    return World(quick, offers=ONE)


def gone(world: World) -> None:
    assert (world.transport.count("submit"), len(world.transport.book)) == (1, 1)


def test_the_bytes_that_were_made_are_the_bytes_that_are_stored(one: World) -> None:
    result = one.run(order)
    [made] = one.transport.book.values()
    assert result.path.read_bytes() == made.file
    assert result.artifact.size_bytes == len(made.file)


@pytest.mark.parametrize("fault", ["never_arrives", "cut", "short", "500_before", "429"])
def test_a_download_that_breaks_is_tried_again(one: World, fault: Any) -> None:
    one.transport.script("file", fault, fault, fault)
    one.run(order)
    assert one.transport.count("file") == 4
    assert (state(one), one.money()) == (["stored"], PAID)


def test_a_download_that_stays_broken_is_for_the_next_process(one: World) -> None:
    one.transport.script("file", *["cut"] * 6)
    error = ends(one, errors.UnavailableError)
    assert error.accepted is True
    assert "nothing is ordered again" in str(error)
    assert (state(one), one.money()) == (["succeeded"], PAID)
    one.run(order)
    assert state(one) == ["stored"]
    gone(one)


def test_an_address_that_expired_is_asked_for_again(one: World) -> None:
    one.transport.script("file", "expired")
    one.run(order)
    assert (one.transport.count("file"), state(one), one.money()) == (2, ["stored"], PAID)


def test_a_file_that_is_gone_is_lost_and_never_made_again(one: World) -> None:
    one.transport.script("file", "gone")
    for _ in range(3):
        error = ends(one, errors.ArtifactLostError)
        assert error.accepted is True
        assert "another one" in str(error)
        one.pass_time(86_400)
    assert (state(one), one.money()) == (["lost"], PAID)
    gone(one)


def test_addresses_that_expire_one_after_the_other_come_to_an_end(one: World) -> None:
    one.transport.weather = lambda kind: "expired" if kind == "file" else None
    ends(one, errors.ArtifactLostError)
    assert one.transport.count("file") == 2


@pytest.mark.parametrize("fault", ["never_arrives", "500_before", "401", "truncated"])
def test_a_provider_that_cannot_be_asked_says_nothing_of_the_file(one: World, fault: Any) -> None:
    """The address has expired, and at that moment the provider is down, or the key is: nothing is lost yet."""
    one.transport.script("file", "expired")
    begin = MemoryTransport._begin

    async def stormy(self: Any, kind: Any, request: Any) -> Any:
        if kind == "file":
            one.transport.script("poll", *[fault] * 6)
        return await begin(self, kind, request)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(MemoryTransport, "_begin", stormy)
        error = ends(one, errors.UnavailableError)
    assert error.accepted is True
    assert (state(one), one.money()) == (["succeeded"], PAID)
    one.transport.faults.clear()
    one.run(order)
    assert state(one) == ["stored"]
    gone(one)


def changed(monkeypatch: pytest.MonkeyPatch, file: Any) -> None:
    """Let the server deliver something else."""
    serve = MemoryTransport._file
    monkeypatch.setattr(MemoryTransport, "_file", lambda self, request, fault: file(*serve(self, request, fault)))


@pytest.mark.parametrize("raw", [b"<html>please pay</html>", b"RIFF\0\0\0\0WAVE" + bytes(40), b""])
def test_a_file_of_another_kind_is_not_a_result(one: World, monkeypatch: pytest.MonkeyPatch, raw: bytes) -> None:
    changed(monkeypatch, lambda status, _raw: (status, raw))
    error = ends(one, errors.UnavailableError)
    assert error.accepted is True
    assert (state(one), one.money()) == (["succeeded"], PAID)
    gone(one)


@pytest.mark.parametrize(
    ("url", "said"),
    [(f"data:image/png;base64,{b64encode(PNG).decode()}", ""), ("data:image/png;base64,iVB", "broken")],
)
def test_a_file_may_come_inside_the_answer(one: World, monkeypatch: pytest.MonkeyPatch, url: str, said: str) -> None:
    answer = MemoryTransport._of_order

    def inline(self: Any, *args: Any) -> Any:
        status, body = answer(self, *args)
        return status, {**body, "files": [{"url": url}]} if "files" in body else body

    monkeypatch.setattr(MemoryTransport, "_of_order", inline)
    if said:
        assert said in str(ends(one, errors.UnavailableError))
        assert (state(one), one.money()) == (["succeeded"], PAID)
    else:
        assert one.run(order).path.read_bytes() == PNG
    gone(one)


def test_a_full_disk_loses_nothing(one: World, monkeypatch: pytest.MonkeyPatch) -> None:
    from aggregator.store import files

    def full(_: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(files.os, "fsync", full)
        error = ends(one, errors.StoreError)
    assert "No space left" in str(error)
    assert (state(one), one.money()) == (["succeeded"], PAID)
    one.run(order)
    assert state(one) == ["stored"]
    gone(one)


def test_what_is_short_of_the_order_is_a_warning_on_the_result(one: World, monkeypatch: pytest.MonkeyPatch) -> None:
    from aggregator.artifact import Facts
    from aggregator.probing import Prober

    async def small(*_: Any) -> Facts:
        return Facts(width=640, height=360)

    offer = one.directory / "registry" / "offers" / "memory" / "cheap.toml"
    offer.write_text(offer.read_text() + "".join(f'[tasks.{task}.fields]\nsize = "size"\n' for task in ()))
    offer.write_text(
        offer.read_text().replace("[tasks.text-to-image]\n", '[tasks.text-to-image]\nfields = { size = "size" }\n')
    )
    monkeypatch.setattr(Prober, "probe", small)

    async def life(p: Any) -> Any:
        return await order(p, size="1280x720")

    first, again = one.run(life), one.run(life)
    assert [str(warning) for warning in first.warnings] == ["size: ordered 1280x720, delivered 640x360"]
    assert again.warnings == first.warnings
    assert one.money() == PAID


@pytest.mark.parametrize("fault", ["404", "403"])
def test_an_address_that_never_changes_and_is_not_to_be_had_for_a_while_is_tried_again(quick: Any, fault: Any) -> None:
    """The provider says that the job is done and names the same address: its file is paid for, and not given up."""
    world = World(quick, offers=ONE)
    world.transport.script("file", fault, fault, fault)
    world.run(order)
    assert (world.transport.count("submit"), world.attempts()[0]["state"]) == (1, "stored")


def test_an_address_that_never_changes_is_given_up_when_results_are_removed(quick: Any) -> None:
    world = World(quick, offers=ONE)
    world.transport.weather = lambda kind: "404" if kind == "file" else None
    with pytest.raises(errors.UnavailableError, match="aggregator resume"):
        world.run(order)
    world.pass_time(8 * 86_400)
    with pytest.raises(errors.ArtifactLostError):
        world.run(order)
