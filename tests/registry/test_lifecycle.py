"""Where an offer is in its life: by its dates, at the day that is asked about, whatever was written down before."""

from datetime import date

import pytest

from aggregator.errors import ConfigurationError
from aggregator.registry.cards import Offer
from aggregator.registry.load import Registry

DAY = date(2026, 11, 20)
LATER, EARLIER = date(2026, 11, 21), date(2026, 11, 19)
"""Days of which the one is still to come on `DAY`, and the other is past."""
BUNDLED = {(offer.id, offer.task): offer for offer in Registry.bundled().all_offers()}


def offer(**values):
    return Offer(provider="p", endpoint="e", model="m", task="text-to-image", checked=DAY, **values)


@pytest.mark.parametrize(
    ("values", "stage"),
    [
        ({}, "active"),
        ({"status": "announced"}, "announced"),
        ({"status": "announced", "announced": EARLIER}, "announced"),
        ({"status": "announced", "preview": LATER}, "announced"),
        ({"status": "announced", "preview": DAY}, "preview"),
        ({"status": "announced", "released": LATER}, "announced"),
        ({"status": "announced", "released": DAY}, "active"),
        ({"status": "announced", "preview": EARLIER, "released": LATER}, "preview"),
        ({"status": "preview"}, "preview"),
        ({"status": "preview", "released": LATER}, "preview"),
        ({"status": "preview", "preview": EARLIER, "released": DAY}, "active"),
        ({"released": EARLIER, "deprecated": LATER}, "active"),
        ({"deprecated": DAY}, "deprecated"),
        ({"status": "deprecated"}, "deprecated"),
        ({"status": "preview", "deprecated": DAY}, "deprecated"),
        ({"deprecated": date(2026, 1, 1), "retires": LATER}, "deprecated"),
        ({"retires": LATER}, "active"),
        ({"retires": DAY}, "retired"),
        ({"status": "announced", "retires": EARLIER}, "retired"),
        ({"status": "retired"}, "retired"),
    ],
)
def test_stage(values, stage):
    assert offer(**values).stage(DAY) == stage


def test_a_whole_life_is_read_off_the_clock():
    days = [date(2026, month, 1) for month in range(1, 6)]
    names = ("announced", "preview", "released", "deprecated", "retires")
    life = offer(status="announced", **dict(zip(names, days, strict=True)))
    assert [life.stage(day) for day in days] == ["announced", "preview", "active", "deprecated", "retired"]
    assert life.stage(date(2025, 12, 31)) == "announced"


def test_an_end_that_was_put_off_is_not_an_end_yet():
    assert offer(status="retired", retires=LATER, retires_was=(EARLIER,)).stage(DAY) == "deprecated"
    assert offer(status="deprecated", deprecated=LATER).stage(DAY) == "active"


def test_an_end_that_was_brought_forward_is_one():
    assert offer(status="active", retires=EARLIER, retires_was=(date(2027, 6, 16),)).stage(DAY) == "retired"
    assert offer(status="active", deprecated=EARLIER).stage(DAY) == "deprecated"


def test_another_model_may_answer_from_a_day_on():
    plain, since = offer(), offer(serves="n", serves_from=DAY)
    assert (plain.answers(DAY), since.answers(EARLIER), since.answers(DAY)) == ("m", "m", "n")
    assert offer(serves="n").answers(DAY) == "n"


RETIREMENTS = [  # what was announced and ended, where there is an offer: deprecated, retires, successor
    ("openai:sora-2", "text-to-video", "2026-03-24", "2026-09-24", None),
    ("openai:sora-2-pro", "image-to-video", "2026-03-24", "2026-09-24", None),
    ("openai:gpt-image-1.5", "text-to-image", "2026-06-02", "2026-12-01", "gpt-image-2.5-sunburst"),
    ("openai:gpt-image-1-mini", "text-to-image", "2026-06-02", "2026-12-01", "gpt-image-2.5-flare"),
    ("openai:chatgpt-image-latest", "text-to-image", "2026-06-02", "2026-12-01", "gpt-image-2.5-sunburst"),
    ("openai:gpt-image-1", "text-to-image", "2026-04-22", "2026-10-23", "gpt-image-2.5-sunburst"),
    ("openai:tts-1", "text-to-speech", "2026-10-01", "2027-01-06", None),
    ("openai:tts-1-hd", "text-to-speech", "2026-10-01", "2027-01-06", None),
    ("openai:gpt-4o-mini-tts", "text-to-speech", "2026-10-01", "2027-01-06", None),
    ("openai:dall-e-2", "text-to-image", None, "2026-05-12", None),
    ("openai:dall-e-3", "text-to-image", None, "2026-05-12", None),
    ("gemini:imagen-3.0-generate-002", "text-to-image", None, "2025-11-10", "imagen-4"),
    ("gemini:veo-3.0-generate-preview", "text-to-video", None, "2025-11-12", "veo-3"),
    ("gemini:gemini-2.5-flash-image-preview", "text-to-image", None, "2026-01-15", "gemini-2.5-flash-image"),
    ("gemini:imagen-4.0-generate-preview-06-06", "text-to-image", "2026-01-15", "2026-02-17", "imagen-4"),
    ("gemini:gemini-3-pro-image-preview", "text-to-image", "2026-05-28", "2026-06-25", "gemini-3-pro-image"),
    ("gemini:gemini-3.1-flash-image-preview", "text-to-image", "2026-05-28", "2026-06-25", "gemini-3.1-flash-image"),
    ("gemini:veo-2.0-generate-001", "text-to-video", "2026-06-15", "2026-06-30", "veo-3.1"),
    ("gemini:veo-3.0-generate-001", "text-to-video", "2026-06-15", "2026-06-30", "veo-3.1"),
    ("gemini:imagen-4.0-generate-001", "text-to-image", "2026-06-15", "2026-08-17", "gemini-nano-banana-2.1"),
    ("gemini:gemini-omni-flash-preview", "text-to-video", "2026-08-27", "2026-09-30", "gemini-omni-1.1-flash"),
    ("gemini:veo-3.1-generate-preview", "text-to-video", "2026-09-15", "2026-10-22", "gemini-omni-1.1-flash"),
    ("gemini:gemini-3.1-flash-image", "text-to-image", None, "2026-10-29", "gemini-nano-banana-2.1"),
    ("gemini:gemini-3.1-flash-tts-preview", "text-to-speech", None, "2026-11-17", "gemini-3.8-flash-tts"),
    ("gemini:gemini-2.5-flash-image", "text-to-image", None, "2027-03-15", "gemini-nano-banana-2.1"),
    ("vertex:gemini-3.1-flash-image", "text-to-image", None, "2027-05-28", None),
    ("xai:grok-imagine-image-pro", "text-to-image", None, "2026-05-15", "grok-imagine-image-2.0"),
    ("xai:grok-imagine-image-quality", "text-to-image", "2026-09-02", "2026-11-02", "grok-imagine-image-2.0"),
    ("ltx:ltx-2-fast", "text-to-video", "2026-07-02", "2026-08-15", "ltx-2.3-pro"),
    ("ltx:ltx-2-pro", "text-to-video", "2026-07-02", "2026-08-15", "ltx-2.3-pro"),
    ("runway:gen3a_turbo", "image-to-video", "2026-07-27", "2026-07-30", "gen-4-turbo"),
    ("kling:kling-v1-6", "image-to-video", "2026-07-27", "2026-09-15", "kling-3.0"),
    ("kling:kling-v2-1-master", "image-to-video", "2026-07-27", "2026-09-15", "kling-2.5-turbo"),
    ("stability:v2beta/image-to-video", "image-to-video", None, "2025-07-24", None),
]


@pytest.mark.parametrize(("pin", "task", "deprecated", "retires", "successor"), RETIREMENTS, ids=lambda value: value)
def test_a_real_end_is_known_with_its_dates(pin, task, deprecated, retires, successor):
    real = BUNDLED[pin, task]
    last = date.fromisoformat(retires)
    assert real.source
    assert real.deprecated == (date.fromisoformat(deprecated) if deprecated else None)
    assert (real.retires, real.successor) == (last, successor)
    assert real.stage(last) == "retired"
    assert real.stage(date.fromordinal(last.toordinal() - 1)) != "retired"


def test_the_same_model_ends_apart_at_two_hosts():
    day = date(2026, 11, 20)
    assert BUNDLED["gemini:gemini-3.1-flash-image", "text-to-image"].stage(day) == "retired"
    assert BUNDLED["vertex:gemini-3.1-flash-image", "text-to-image"].stage(day) != "retired"


def test_who_answers_instead_is_known():
    ltx = BUNDLED["ltx:ltx-2-pro", "text-to-video"]
    assert (ltx.answers(date(2026, 7, 14)), ltx.answers(date(2026, 7, 15))) == ("ltx-2-pro", "ltx-2.3-pro")
    assert BUNDLED["xai:grok-imagine-image-quality", "text-to-image"].answers(DAY) == "grok-imagine-image-2.0"


def test_a_day_that_moved_keeps_the_days_before():
    moved = BUNDLED["gemini:gemini-2.5-flash-image", "text-to-image"]
    assert (moved.retires_was, moved.retires_checked) == ((date(2026, 10, 2),), date(2026, 11, 20))


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        ("released = 2026-02-01\npreview = 2026-03-01", "preview is after released"),
        ("deprecated = 2026-04-01\nretires = 2026-03-01", "deprecated is after retires"),
        ("retires_was = [2026-03-01]", "retires_checked and retires_was are for a day that retires names"),
        ("serves_from = 2026-03-01", "serves: name the model that answers from serves_from on"),
        ('serves = "nobody"', "serves: unknown model 'nobody'"),
        ('unmapped = "not read"\nfields = { prompt = "p" }', "fields: an offer that is unmapped says nothing of how"),
    ],
)
def test_a_life_that_cannot_be_is_refused(tmp_path, lines, reason):
    head = 'model = "veo-3.1"\nendpoint = "e"\ntask = "text-to-video"\nchecked = 2026-11-20\n'
    (tmp_path / "offers" / "p").mkdir(parents=True)
    (tmp_path / "offers" / "p" / "e.toml").write_text(head + lines + "\n")
    with pytest.raises(ConfigurationError, match=reason):
        Registry.load([tmp_path])
