"""Weights of one's own: what a card says of them is what an offer takes, and lengths are moved before a server does."""

from datetime import date

import pytest

from aggregator.config import Config
from aggregator.errors import ConfigurationError
from aggregator.pricing.known import known_values
from aggregator.registry.cards import Frames
from aggregator.registry.load import Registry
from aggregator.registry.mapping import mappings_of
from aggregator.routing.fitting import Refusal, Terms, fit
from aggregator.routing.frames import _around, described
from aggregator.tasks import TASKS, ImageToVideo, TextToImage, TextToVideo

from .own import FIELDS, OWN, own_offer, registry_of

WAN = Frames(4, 1, default=81)


def fitted(offer, request, *, adjust=False):
    return fit(Terms(offer), request, request.values(), adjust=adjust)


def test_a_file_of_four_lines_is_an_offer_with_all_that_its_model_takes(tmp_path):
    offer = own_offer(tmp_path, "wan-2.1-t2v-1.3b")
    assert (offer.model, offer.frames) == ("wan-2.1-t2v-1.3b", WAN)
    assert offer.limits["size"].multiple_of == 16
    assert offer.defaults == {"size": [832, 480], "fps": 16, "duration_s": 5.0625}
    assert [meter.unit for meter in offer.mapping.meters] == ["gpu_second"]
    assert known_values(offer, TextToVideo(prompt="a"))["duration_s"] == 5.0625


def test_what_the_offer_says_itself_counts_before_what_its_weights_say(tmp_path):
    more = "defaults = { fps = 24 }\nlimits = { size = [[832, 480]] }\nframes = { multiple_of = 8, plus = 1 }\n"
    offer = own_offer(tmp_path, "wan-2.1-t2v-1.3b", more=more)
    assert offer.limits["size"].values == ([832, 480],)
    assert (offer.frames, offer.defaults["fps"], "duration_s" in offer.defaults) == (Frames(8, 1), 24, False)


@pytest.mark.parametrize(
    ("asked", "fps", "sent", "frames"),
    [
        (5, None, 5.0625, 81),
        (1, 16, 1.0625, 17),
        (5.0625, 16, 5.0625, 81),
        (5, 24, 5.041667, 121),
        (4, 24, 4.041667, 97),
    ],
)
def test_a_length_becomes_the_nearest_number_of_frames_and_both_are_sent(tmp_path, asked, fps, sent, frames):
    request = TextToVideo(prompt="a", duration_s=asked, fps=fps) if fps else TextToVideo(prompt="a", duration_s=asked)
    served, changes = fitted(own_offer(tmp_path, "wan-2.1-t2v-1.3b"), request)
    assert (served.duration_s, served.fps) == (sent, fps or 16)
    assert round(served.duration_s * served.fps) == frames
    assert {change.field for change in changes} == {
        name for name, is_it in (("duration_s", sent != asked), ("fps", not fps)) if is_it
    }
    assert fitted(own_offer(tmp_path, "wan-2.1-t2v-1.3b"), served) == (served, ())  # nothing is left to move


def test_another_length_needs_leave(tmp_path):
    offer = own_offer(tmp_path, "stable-video-diffusion", task="image-to-video", fields={"image": "image", **FIELDS})
    request = ImageToVideo(image="https://a.example/b.png", duration_s=2)
    refused = fitted(offer, request)
    assert isinstance(refused, Refusal)
    assert "makes 25 frames; nearest is 3.57143 s (25 frames)" in refused.why()
    served, changes = fitted(offer, request, adjust=True)
    assert served.duration_s == 3.571429
    assert changes[0].as_json()["kind"] == "framed"


def test_the_length_stays_within_the_offers_own_limit(tmp_path):
    offer = own_offer(tmp_path, "wan-2.1-t2v-1.3b", more="limits = { duration_s = { max = 5 } }\n")
    served, _ = fitted(offer, TextToVideo(prompt="a", duration_s=5))
    assert round(served.duration_s * served.fps) == 77


def test_where_no_rate_can_be_sent_nobody_counts(tmp_path):
    fields = {name: to for name, to in FIELDS.items() if name != "fps"}
    assert own_offer(tmp_path, "wan-2.1-t2v-1.3b", fields=fields).frames is None
    own = own_offer(tmp_path, "wan-2.1-t2v-1.3b", fields=fields, more="frames = { multiple_of = 4, plus = 1 }\n")
    served, _ = fitted(own, TextToVideo(prompt="a", duration_s=5))
    assert (served.duration_s, served.fps) == (5.0625, None)  # its graph counts frames itself, at one rate


def test_sizes_are_moved_to_whole_tokens_only_with_leave(tmp_path):
    offer = own_offer(tmp_path, "flux-1-dev", task="text-to-image")
    request = TextToImage(prompt="a", size="1000x1000")
    assert "nearest is 1008×1008" in fitted(offer, request).why()
    assert fitted(offer, request, adjust=True)[0].size == (1008, 1008)


@pytest.mark.parametrize(
    ("frames", "wanted", "count"),
    [
        *((WAN, 16, 17), (WAN, 18, 17), (WAN, 19, 21), (WAN, 0, 1), (Frames(8, 1), 120, 121), (Frames(4, 0), 6, 8)),
        *((Frames(6, 1, max=163), 900, 163), (Frames(min=25, max=25), 14, 25), (Frames(4, 0), 1, 4)),
    ],
)
def test_the_nearest_number_of_frames(frames, wanted, count):
    assert next(_around(frames, wanted)) == count


def test_numbers_of_frames_in_words():
    assert described(WAN) == "4k+1"
    assert described(Frames(6, 1, max=163)) == "6k+1 up to 163"
    assert described(Frames(min=25, max=25)) == "25"
    assert described(Frames(min=9)) == "any number of from 9"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('weights = "wan-9"', "no card 'wan-9' with weights"),
        ('weights = "flux-1-dev"', "those of flux-1-dev are for text-to-image, not text-to-video"),
        ('weights = "wan-2.1-t2v-1.3b"\nframes = { multiple_of = 4, plus = 4 }', "plus is less than multiple_of"),
        ('weights = "wan-2.1-t2v-1.3b"\nframes = { multiple_of = 4, plus = 1, default = 80 }', "80 is not a multiple"),
    ],
)
def test_a_wrong_word_is_said_at_once(tmp_path, text, said):
    path = tmp_path / "registry" / "offers" / "rig"
    path.mkdir(parents=True)
    (path / "a.toml").write_text(f'{text}\nendpoint = "a"\ntask = "text-to-video"\nchecked = 2026-11-20\n')
    with pytest.raises(ConfigurationError, match=said):
        registry_of(tmp_path)


def open_weights():
    cards = Registry.bundled().cards
    for model, card in cards.items():
        for one in card.weights:
            for task in one.tasks:
                if one.frames is not None or "size" in one.limits:
                    yield pytest.param(model, task, one, id=f"{model}, {task}")


@pytest.mark.parametrize(("model", "task", "weights"), list(open_weights()))
def test_the_rules_of_every_open_model_move_what_is_asked_for_before_a_server_does(tmp_path, model, task, weights):
    needs = {"image": "https://a.example/b.png", "video": "https://a.example/b.mp4"}
    given = {
        name: needs[name] for name, field in TASKS[task].model_fields.items() if name in needs and field.is_required()
    }
    prompt = {"prompt": "a"} if "prompt" in TASKS[task].model_fields else {}
    offer = own_offer(tmp_path, model, task=task, fields={**FIELDS, **{name: name for name in given}})
    clip = weights.frames is not None
    fps = weights.defaults.get("fps", 24) if clip else None
    asked = {"size": (1003, 517), **({"duration_s": 30 / fps, "fps": fps} if clip else {})}
    asked = {name: value for name, value in asked.items() if name in TASKS[task].model_fields}
    served, changes = fitted(offer, TASKS[task](**given, **prompt, **asked), adjust=True)
    step = weights.limits["size"].multiple_of
    assert all(side % step == 0 for side in served.size), (served.size, step)
    assert "size" in {change.field for change in changes}
    if clip:
        count, rule = round(served.duration_s * served.fps), weights.frames
        assert (count - rule.plus) % rule.multiple_of == 0
        assert (rule.min or 1) <= count <= (rule.max or count)


WORK = 'parameters = "1", layers = 2, width = 3, steps = 4, passes = 1, source = "counted"'


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("", "say pixels_per_token of what is seen, or tokens or tokens_per_s of what is heard"),
        ("pixels_per_token = 16, tokens = 5", "say pixels_per_token"),
        ('tokens_per_s = "5", tokens = 5', "say pixels_per_token"),
        ('tokens = 5, reach = ["0.9", "0.2"]', "the least, then the most"),
        ('tokens = 5, reach = ["0.5", "1.2"]', "the least, then the most"),
    ],
)
def test_a_shape_that_makes_no_sense_is_refused(tmp_path, more, said):
    path = tmp_path / "registry" / "models"
    path.mkdir(parents=True)
    weights = 'repository = "a/b"\ntasks = ["text-to-sound"]\nlicense = "MIT"\nchecked = 2026-11-20\nsource = "me"\n'
    head = '[model]\nmaker = "me"\ntier = "workhorse"\n[[weights]]\n'
    (path / "a.toml").write_text(f"{head}{weights}work = {{ {WORK}{', ' if more else ''}{more} }}\n")
    with pytest.raises(ConfigurationError, match=said):
        registry_of(tmp_path)


def test_every_open_model_with_weights_says_what_may_be_sold():
    cards = Registry.bundled(mappings=mappings_of({})).cards.values()
    weights = [one for card in cards for one in card.weights]
    assert len(weights) >= 48
    for one in weights:
        assert one.commercial_use == "unknown" or "unread" not in one.license
        assert one.commercial_use != "yes" or "NC" not in one.license.upper().split("-")
        assert not one.vram_gb or one.vram_note
    assert sum(one.work is not None for one in weights) >= 31
    clips = [one for one in weights if {"text-to-video", "image-to-video"} & set(one.tasks)]
    assert all(one.frames and one.defaults.get("fps") for one in clips)
    assert date(2026, 1, 1) < min(one.checked for one in weights)
    assert Config.of(OWN).providers["rig"].gpu == "RTX 4090"
