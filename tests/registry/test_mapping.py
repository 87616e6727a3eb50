"""A row over a provider's own mapping: what it replaces, what it cannot touch, and what neither may leave out."""

from dataclasses import fields
from datetime import date

import pytest

from aggregator.contract import (
    BUILD,
    Auth,
    Blocked,
    Call,
    Endpoint,
    Files,
    Input,
    Meter,
    Provider,
)
from aggregator.errors import ConfigurationError
from aggregator.registry.load import Registry
from aggregator.registry.mapping import mappings_of, merge

CARD = '[model]\nmaker = "me"\ntier = "workhorse"\n'
OFFER = 'model = "mine"\nendpoint = "e"\ntask = "text-to-image"\nchecked = 2026-11-20\n'
EVERYTHING = """
dialect = "new"
fields = { prompt = "@build", image = "image" }
refs = { id = "data.id" }
meters = [{ unit = "credit", quantity = "request.input_images", reported = "usage.credits" }]

[files]
path = "images[].b64 images[].b65"
mime_type = "image/*"
form = "base64"
mime_path = "images[].type"
url = "/files/{id}"
blocked = { path = "images[].flag", values = [true, "blocked", 1] }

[inputs]
image = { accepts = ["url", "data", "ref:file_id"], max_bytes = 10_000_000, mime_types = ["image/png"] }
video = { accepts = ["upload"], max_bytes = false }
audio = { accepts = ["part"] }
"""


def build(values):
    return dict(values)


def quantity(values):
    return "1", "2"


OLD = Endpoint(
    fields={"prompt": "p"},
    files=Files("x", "image/png"),
    meters=(Meter("credit", quantity),),
    inputs={"image": Input(("url",)), "mask": Input(("data",))},
    refs={"asset": "a"},
)
NEW = Endpoint(build=build, submit=Call("POST", "/new"), encoding="multipart", files=Files("y"), dialect="own")
TABLE = Provider(
    name="p",
    docs="",
    checked="",
    base_url="",
    auth=Auth(env=()),
    submit=Call("POST", "/"),
    tasks={"image-to-image": OLD, "image-to-image@new": NEW},
    dialects={"new": {}},
)


def registry(tmp_path, text, table=TABLE):
    (tmp_path / "models").mkdir()
    (tmp_path / "offers" / "p").mkdir(parents=True)
    (tmp_path / "models" / "mine.toml").write_text(CARD)
    (tmp_path / "offers" / "p" / "e.toml").write_text(text)
    return Registry.load([tmp_path], mappings=mappings_of({"p": table}))


def own(found, task):
    return next(offer for offer in found.offers(task) if offer.provider == "p")


def test_every_word_of_a_row_comes_out_of_the_index_as_it_went_in(tmp_path):
    text = OFFER.replace("text-to-image", "image-to-image") + EVERYTHING
    mapping = own(registry(tmp_path, text), "image-to-image").mapping
    assert mapping == Endpoint(
        fields={"prompt": BUILD, "image": "image"},
        build=build,
        files=Files(
            "images[].b64 images[].b65",
            "image/*",
            "base64",
            "images[].type",
            "/files/{id}",
            Blocked("images[].flag", (True, "blocked", 1)),
        ),
        meters=(Meter("credit", "request.input_images", "usage.credits"),),
        refs={"id": "data.id"},
        submit=Call("POST", "/new"),
        encoding="multipart",
        inputs={
            "image": Input(("url", "data", "ref:file_id"), 10_000_000, ("image/png",)),
            "video": Input(("upload",), None),
            "audio": Input(("part",)),
        },
        dialect="new",
    )


def test_what_a_row_does_not_say_stays_the_providers(tmp_path):
    mapping = own(registry(tmp_path, OFFER.replace("text-to", "image-to")), "image-to-image").mapping
    assert mapping == OLD
    assert merge(OLD, {}) == OLD
    assert merge(NEW, {"fields": {"seed": "s"}}).submit == NEW.submit
    assert merge(NEW, {}).dialect == "own"


def test_inputs_and_refs_are_laid_over_one_by_one():
    merged = merge(OLD, {"inputs": {"image": {"accepts": ["upload"]}}, "refs": {"id": "i"}})
    assert merged.inputs == {"image": Input(("upload",)), "mask": Input(("data",))}
    assert merged.refs == {"asset": "a", "id": "i"}


def test_tasks_in_one_file_add_to_its_inputs_and_refs(tmp_path):
    text = (
        'model = "mine"\nendpoint = "e"\nchecked = 2026-11-20\nrefs = { a = "a" }\n'
        'inputs = { image = { accepts = ["url"] } }\nfiles = { path = "x" }\n'
        '[tasks.image-to-video]\nrefs = { b = "b" }\ninputs = { last_image = { accepts = ["data"] } }\n'
    )
    mapping = own(registry(tmp_path, text), "image-to-video").mapping
    assert mapping.refs == {"a": "a", "b": "b"}
    assert set(mapping.inputs) == {"image", "last_image"}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (OFFER + 'dialect = "old"\nfiles = { path = "x" }\n', "p has no dialect 'old'; it has new"),
        (OFFER, "files: neither this row nor p says where the files are"),
        (OFFER + 'fields = { prompt = "@build" }\nfiles = { path = "x" }\n', "fields.prompt: p has no build"),
    ],
)
def test_what_neither_row_nor_table_says_is_named_at_loading(tmp_path, text, reason):
    with pytest.raises(ConfigurationError) as caught:
        registry(tmp_path, text)
    assert str(caught.value).startswith(f"{tmp_path}/offers/p/e.toml: ")
    assert reason in str(caught.value)


def test_a_row_for_a_provider_that_is_not_here_is_left_alone(tmp_path):
    (tmp_path / "offers" / "q").mkdir(parents=True)
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "mine.toml").write_text(CARD)
    (tmp_path / "offers" / "q" / "e.toml").write_text(OFFER + 'dialect = "old"\n')
    found = Registry.load([tmp_path], mappings=mappings_of({"p": TABLE}))
    offer = next(offer for offer in found.offers("text-to-image") if offer.provider == "q")
    assert offer.mapping == Endpoint(dialect="old")
    assert offer.checked == date(2026, 11, 20)


def test_what_a_row_does_not_say_stays_as_the_provider_has_it():
    """Every word of a mapping, so that one which is added later is carried too."""
    base = Endpoint(
        fields={"prompt": "p"},
        fixed={"a": 1},
        build=lambda _: {},
        files=Files("url"),
        meters=(Meter("image", "1"),),
        facts={"seed": "seed"},
        refs={"job": "{id}"},
        submit=Call("POST", "/x"),
        encoding="multipart",
        inputs={"image": Input()},
        dialect="d",
        template={"t": 1},
    )
    empty = Endpoint()
    assert [one.name for one in fields(Endpoint) if getattr(base, one.name) == getattr(empty, one.name)] == []
    assert merge(base, {}) == base
