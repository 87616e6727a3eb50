"""Seconds of a model never run: reckoned from its shape, near what was published, replaced by what jobs took."""

from decimal import Decimal

import pytest

from aggregator.pricing.compute import Finished, measured
from aggregator.pricing.estimate import GPUS, gpu_of, operations, petaflops, reckoned
from aggregator.pricing.known import known_values
from aggregator.pricing.price import quote
from aggregator.registry.load import Registry
from aggregator.tasks import TextToImage, TextToMusic, TextToSound, TextToVideo

from .own import FIELDS, TODAY, own_offer, prices

CARDS = Registry.bundled().cards
CLIP, PICTURE = TextToVideo(prompt="a", duration_s=5, fps=16), TextToImage(prompt="a")


def text_operations(parameters: int, tokens: int) -> int:
    """What a language model takes to read or write so many tokens: two operations per parameter for each."""
    return 2 * parameters * tokens


def work(model):
    return next(one.work for one in CARDS[model].weights if one.work is not None)


def whole(model):
    """The operations of what the model makes where nobody says otherwise."""
    one = next(one for one in CARDS[model].weights if one.work is not None)
    width, height = one.defaults["size"]
    return operations(one.work, width=width, height=height, frames=one.frames.default if one.frames else 1)


# ------------------------------------------------------------------------------------------------------- rule of thumb
# A picture costs a hundred times a short answer in words, a clip of five seconds a hundred times a picture, the same
# in 4K ten times that. Reproduced by ordinary models within a factor of three.

FACTOR = 3


def ratio_is(found, expected):
    assert expected / FACTOR <= found <= expected * FACTOR, found / expected


def test_a_picture_costs_a_hundred_short_answers():
    answer = text_operations(8_000_000_000, 300)  # 200 words by a model of 8 billion parameters
    ratio_is(whole("sd-3.5-medium") / answer, 100)


def test_a_clip_of_five_seconds_costs_a_hundred_pictures():
    clip = operations(work("wan-2.1-t2v-14b"), width=832, height=480, frames=81)
    ratio_is(clip / whole("sd-3.5-medium"), 100)


def test_a_clip_in_4k_costs_ten_in_full_hd():
    full, large = (
        operations(work("ltx-2-19b"), width=w, height=h, frames=121) for w, h in ((1920, 1080), (3840, 2160))
    )
    ratio_is(large / full, 10)


def test_attention_makes_length_and_size_cost_more_than_in_proportion():
    wan = work("wan-2.1-t2v-14b")
    short, long = (operations(wan, width=832, height=480, frames=frames) for frames in (81, 161))
    assert 2 < long / short < 4
    ratio = operations(wan, width=1280, height=720, frames=81) / operations(wan, width=832, height=480, frames=81)
    assert 1280 * 720 / (832 * 480) < ratio < (1280 * 720 / (832 * 480)) ** 2


# --------------------------------------------------------------------------------------- against what makers published


@pytest.mark.parametrize(
    ("model", "size", "frames", "gpu", "took_s"),
    [
        ("wan-2.1-t2v-1.3b", (832, 480), 81, "RTX 4090", 240),  # Wan2.1 README 9737cba: "about 4 minutes"
        (
            "wan-2.2-ti2v-5b",
            (1280, 704),
            121,
            "RTX 4090",
            540,
        ),  # Wan2.2 README 42bf4cf: "under 9 minutes", consumer GPU
    ],
)
def test_what_makers_measured_lies_within_the_interval(tmp_path, model, size, frames, gpu, took_s):
    each = reckoned(own_offer(tmp_path, model), gpu)
    amount = Decimal(operations(work(model), width=size[0], height=size[1], frames=frames)) / 10**15
    assert each.low_s * amount < took_s < each.high_s * amount


@pytest.mark.parametrize(
    ("model", "steps", "gpu", "took_s"),
    [
        ("sdxl", 30, "A10", "9.399"),  # card of stable-diffusion-xl-1.0-tensorrt 0b077d8, not optimised: all three
        ("sdxl", 30, "A100", "3.704"),
        ("sdxl", 30, "H100", "2.496"),
        ("stable-video-diffusion", 25, "A100", "32.166"),  # card of stable-video-diffusion-img2vid-xt-1-1-tensorrt
        ("stable-video-diffusion", 25, "H100 PCIe", "22.645"),
    ],
)
def test_what_u_nets_were_measured_at_lies_within_the_interval(tmp_path, model, steps, gpu, took_s):
    task, more = ("image-to-video", {"image": "image"}) if "video" in model else ("text-to-image", {})
    each = reckoned(own_offer(tmp_path, model, task=task, fields={**FIELDS, **more}), gpu)
    amount = Decimal(whole(model)) * steps / work(model).steps / 10**15
    assert each.low_s * amount < Decimal(took_s) < each.high_s * amount


@pytest.mark.parametrize(
    ("model", "size", "frames", "counted"),
    [
        ("sdxl", (512, 512), 1, 1.58877876224e12),
        ("sdxl", (1024, 1024), 1, 6.76123639808e12),
        ("sdxl", (2048, 2048), 1, 35.90678380544e12),
        ("stable-video-diffusion", (576, 320), 25, 21.65911656448e12),
        ("stable-video-diffusion", (1024, 576), 25, 79.9482302464e12),
    ],
)
def test_a_u_net_comes_to_what_was_counted_of_it_at_every_size(model, size, frames, counted):
    """By torch's `FlopCounterMode` over the class of diffusers 0.42.1 in the shape of the weights, one pass."""
    of = work(model)
    found = operations(of, width=size[0], height=size[1], frames=frames) / of.passes / of.steps
    assert abs(found / counted - 1) < 0.03


def test_a_sound_that_is_made_whole_and_cut_takes_the_same_whatever_its_length(tmp_path):
    fields = {"prompt": "prompt", "duration_s": "seconds"}
    offer = own_offer(tmp_path, "stable-audio-open", task="text-to-sound", fields=fields)
    prices_of = [quote(offer, TextToSound(prompt="rain", duration_s=s), prices(), TODAY) for s in (2, 40)]
    assert [price.basis for price in prices_of] == ["estimate", "estimate"]
    assert prices_of[0].high_usd == prices_of[1].high_usd
    assert prices_of[0].high_usd / prices_of[0].low_usd > 10, "nobody has published a time: it may be far off"
    assert 2.2e12 < operations(offer.work) / 200 < 2.4e12  # 2.27e12 were counted for 1024 tokens


def test_a_sound_of_any_length_takes_more_the_longer_it_is(tmp_path):
    fields = {"prompt": "prompt", "duration_s": "seconds"}
    offer = own_offer(tmp_path, "stable-audio-3-medium", task="text-to-music", fields=fields)
    short, long = (petaflops(offer, {"duration_s": s}) for s in (10, 120))
    assert long / short > 12
    assert petaflops(offer, {}) is None
    for tokens, counted in ((1292, 3.988065714176e12), (4092, 15.626626891776e12)):
        assert abs(operations(offer.work, seconds=tokens / offer.work.tokens_per_s) / 8 / counted - 1) < 0.05
    each, whole_song = reckoned(offer, "H200"), petaflops(offer, {"duration_s": 380})
    assert each.low_s * whole_song < 2 < each.high_s * whole_song  # arXiv 2605.17991: less than 2 s on an H200


def test_parameters_are_about_what_the_name_of_the_model_says():
    named = {"wan-2.1-t2v-14b": 14, "wan-2.2-ti2v-5b": 5, "hunyuan-video": 13, "ltx-2-19b": 19, "flux-1-dev": 12}
    for model, billions in named.items():
        assert abs(work(model).parameters - billions) / billions < Decimal("0.1")


@pytest.mark.parametrize(
    ("said", "name"),
    [("H100 80 GB", "H100"), ("h100 pcie", "H100 PCIe"), ("NVIDIA GeForce RTX-4090", "RTX 4090"), ("A100-80GB", "A100"),
     ("MI300X", None), ("L4", "L4"), ("L40S", "L40S")],
)  # fmt: skip
def test_a_card_is_known_by_its_words(said, name):
    found = gpu_of(said)
    assert (found and found.name) == name
    assert all(gpu.source for gpu in GPUS.values())


# -------------------------------------------------------------------------------------------------------------- quotes


def test_a_model_never_run_is_quoted_as_an_estimate_that_says_so(tmp_path):
    price = quote(own_offer(tmp_path, "wan-2.1-t2v-1.3b"), CLIP, prices(), TODAY)
    assert price.basis == "estimate"
    assert Decimal("0.018") < price.low_usd < Decimal("0.024") < price.high_usd < Decimal("0.085")
    assert "reckoned as 1.42 billion parameters for every token, 50 steps; never measured here, RTX 4090" in price.why


@pytest.mark.parametrize(
    ("changes", "said"), [({"gpu": None}, "not known before"), ({"usd_per_gpu_hour": None}, "no rate for gpu_second")]
)
def test_without_a_card_or_a_rate_the_price_is_unknown(tmp_path, changes, said):
    price = quote(own_offer(tmp_path, "wan-2.1-t2v-1.3b"), CLIP, prices(**changes), TODAY)
    assert (price.basis, price.high_usd) == ("unknown", None)
    assert said in price.why


def test_a_model_of_another_kind_is_not_reckoned(tmp_path):
    """One token after another: it waits for memory, not for operations."""
    fields = {"prompt": "prompt", "duration_s": "seconds"}
    music = own_offer(tmp_path, "musicgen", task="text-to-music", fields=fields)
    assert quote(music, TextToMusic(prompt="a", duration_s=10), prices(), TODAY).basis == "unknown"
    speech = own_offer(tmp_path, "kokoro-82m", task="text-to-speech", fields={"text": "input"})
    assert petaflops(speech, {"text": "a"}) is None


def took(offer, seconds, request=CLIP, gpu="RTX 4090"):
    return Finished(offer.id, request.as_json(), Decimal(seconds), gpu)


def test_the_first_job_counts_and_teaches_other_lengths(tmp_path):
    offer = own_offer(tmp_path, "wan-2.1-t2v-1.3b")
    table = prices()
    found = measured([offer], [took(offer, 240)], table.gpu)
    price = quote(offer, CLIP, table.with_measured(found), TODAY)
    assert (round(price.lines[0].low), round(price.lines[0].high)) == (160, 360)
    assert "1 finished jobs of ours" in price.why
    longer = quote(offer, TextToVideo(prompt="a", duration_s=10, fps=16), table.with_measured(found), TODAY)
    assert 2 < longer.high_usd / price.high_usd < 4  # attention


def test_from_five_jobs_on_it_is_their_spread(tmp_path):
    offer = own_offer(tmp_path, "wan-2.1-t2v-1.3b")
    found = measured([offer], [took(offer, seconds) for seconds in (230, 235, 240, 245, 250)], prices().gpu)
    price = quote(offer, CLIP, prices().with_measured(found), TODAY)
    assert 230 <= price.lines[0].low < price.lines[0].high <= 251


def test_jobs_on_another_card_say_nothing(tmp_path):
    offer = own_offer(tmp_path, "wan-2.1-t2v-1.3b")
    assert measured([offer], [took(offer, 240, gpu="H100"), took(offer, 240, gpu=None)], prices().gpu) == {}


def test_a_model_whose_work_nobody_knows_is_learned_by_what_it_makes(tmp_path):
    offer = own_offer(tmp_path, "hidream-i1-full", task="text-to-image", more="defaults = { size = [1024, 1024] }\n")
    found = measured([offer], [took(offer, 6, PICTURE)], prices().gpu)
    assert found[offer.id].per == "request.megapixels"
    large = TextToImage(prompt="a", size="2048x1024")
    price = quote(offer, large, prices().with_measured(found), TODAY)
    assert (round(price.lines[0].low), round(price.lines[0].high)) == (8, 18)
    assert known_values(offer, PICTURE)["size"] == [1024, 1024]
