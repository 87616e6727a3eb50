"""A picture that an offer does not take as it is: planned as a change, made when it is handed over, or refused."""

from io import BytesIO

import pytest
from PIL import Image

from aggregator import errors, transcoding
from aggregator.inputs import Media
from aggregator.routing.plan import Adjustment
from aggregator.tasks import ImageToImage
from tests.runner.world import World


def picture(kind, mode="RGB", size=(8, 4)):
    written = BytesIO()
    Image.new(mode, size, (200, 30, 30, 128)[: len(mode)]).save(written, kind)
    return written.getvalue()


@pytest.fixture
def world(quick):
    """One offer, which takes PNG files only."""
    made = World(quick, offers={"memory:cheap": "0.04"})
    file = made.directory / "registry" / "offers" / "memory" / "cheap.toml"
    head, tasks = file.read_text().split("[tasks.", 1)
    file.write_text(f'{head}[inputs.image]\nmime_types = ["image/png"]\n[tasks.{tasks}')
    return made


def request(kind="WEBP", **how):
    return ImageToImage(image=picture(kind, **how), prompt="at night")


def test_what_is_not_taken_is_refused_with_what_would_be(world):
    said = "memory:cheap: it takes no image/webp here: convert the input; it takes image/png"
    with pytest.raises(errors.NoRouteError, match=said):
        world.run(lambda p: p.generate(request()))
    assert world.transport.exchanges == []


def test_where_changes_are_allowed_it_is_planned_and_then_made(world):
    async def life(p):
        plan = await p.plan(request(), on_unsupported="adjust")
        made = await p.generate(request(), on_unsupported="adjust", key="once")
        again = await p.generate(request(), on_unsupported="adjust", key="once")
        return plan, made, again

    plan, made, again = world.run(life)
    change = Adjustment("image", "transcoded", "image/webp", "image/png", "memory:cheap takes image/png")
    assert plan.chosen.adjustments == (change,)
    assert "image/png" in plan.body["image"]
    assert again.job_id == made.job_id
    (sent,) = world.transport.uploads.values()
    with Image.open(BytesIO(sent)) as got:
        assert (got.format, got.size) == ("PNG", (8, 4))
        assert got.convert("RGB").getpixel((0, 0))[0] == 200


def test_what_is_taken_as_it_is_is_not_touched(world):
    async def life(p):
        plan = await p.plan(request("PNG"), on_unsupported="adjust")
        await p.generate(request("PNG"), on_unsupported="adjust")
        return plan

    assert world.run(life).chosen.adjustments == ()
    assert list(world.transport.uploads.values()) == [picture("PNG")]


def test_a_picture_that_cannot_be_read_buys_nothing(world):
    broken = picture("WEBP", size=(400, 300))[:60]

    async def life(p):
        with pytest.raises(errors.UnavailableError, match="cannot be written as image/png"):
            await p.generate(ImageToImage(image=broken, prompt="x"), on_unsupported="adjust")

    world.run(life)
    assert world.transport.count("submit") == 0
    assert world.money()["held"] == 0


@pytest.mark.parametrize(
    ("given", "taken", "to"),
    [
        ("image/webp", ("image/jpeg", "image/png"), "image/png"),
        ("image/png", ("image/jpeg",), "image/jpeg"),
        ("image/tiff", ("image/webp", "image/jpeg"), "image/webp"),
        ("image/png", ("image/avif",), None),
        ("image/gif", ("image/png",), None),  # it may move
        ("video/mp4", ("image/png",), None),
        (None, ("image/png",), None),
    ],
)
def test_only_what_really_can_be_done_is_planned(given, taken, to, monkeypatch):
    assert transcoding.target_of(given, taken) == to
    monkeypatch.setattr(transcoding, "find_spec", lambda _name: None)
    assert transcoding.target_of(given, taken) is None


def test_a_transparent_picture_stands_on_white_where_there_is_no_transparency(tmp_path):
    file = tmp_path / "a.png"
    file.write_bytes(picture("PNG", "RGBA"))
    with Image.open(BytesIO(transcoding.transcoded(file, "image/jpeg"))) as got:
        red, green, _ = got.getpixel((0, 0))
    assert 220 < red < 235
    assert 135 < green < 150


def test_the_form_of_an_input_never_changes_with_a_url():
    assert transcoding.target_of(Media(url="https://example.com/a.webp").mime_type, ("image/png",)) is None
