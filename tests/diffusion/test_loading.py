"""Weights become pipelines: where they run, in which numbers, with which adapters, and which tasks they serve."""

import pytest

from aggregator.diffusion.loading import Wanted, load
from aggregator.errors import ConfigurationError
from tests.diffusion.standins import installed


def test_a_picture_pipeline_serves_edits_too(monkeypatch):
    loaded = installed(monkeypatch)
    pipelines = load(Wanted("me/StableDiffusionPipeline", lora=(("ink", "/loras/ink", 0.5),)))
    assert pipelines.tasks == ("T2I", "I2I")  # and no inpainting: there is none for this family
    assert pipelines.adapters == ("ink",)
    assert (loaded.weights, loaded.dtype) == ("me/StableDiffusionPipeline", "float32")
    assert loaded.done[:2] == [("lora", "/loras/ink", "ink"), ("to", "cpu")]
    assert loaded.done.count(("bar", {"disable": True})) == 2


def test_a_clip_pipeline_has_its_sister_where_there_is_one(monkeypatch):
    installed(monkeypatch)
    assert load(Wanted("WanPipeline")).tasks == ("T2V",)
    assert load(Wanted("LTXPipeline")).tasks == ("T2V", "I2V")


@pytest.mark.parametrize(("dtype", "used"), [("auto", "bfloat16"), ("float32", "float32")])
def test_a_gpu_gets_smaller_numbers_unless_others_are_asked_for(monkeypatch, dtype, used):
    loaded = installed(monkeypatch, gpus=("cuda",))
    pipelines = load(Wanted("WanPipeline", device="cuda", dtype=dtype))
    assert (loaded.dtype, loaded.done[0]) == (used, ("to", "cuda"))
    tools = pipelines._tools
    tools.generator(7)
    assert loaded.done[-1] == ("noise", "cpu", 7), "the same noise wherever it runs"
    tools.after()
    assert loaded.done[-1] == ("empty", "cuda")


def test_parts_that_sisters_share_are_moved_by_one_of_them_at_a_time(monkeypatch):
    loaded = installed(monkeypatch, gpus=("mps",))
    pipelines = load(Wanted("StableDiffusionPipeline", device="mps", offload=True))
    assert ("to", "mps") not in loaded.done
    first, second = (call.pipe for call in pipelines._calls.values())
    for pipe in (first, first, second, first):
        pipelines._tools.around(pipe)
    moved = [done[1] for done in loaded.done if done[0] == "offload"]
    assert moved == ["StableDiffusionPipeline", "StableDiffusionImg2ImgPipeline", "StableDiffusionPipeline"]


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        (Wanted("WanPipeline", device="cuda"), "torch finds no cuda here; it has cpu"),
        (Wanted("WanPipeline", offload=True), "--offload moves parts off a GPU"),
    ],
)
def test_a_device_that_is_not_there_is_said_before_anything_is_loaded(monkeypatch, wanted, said):
    loaded = installed(monkeypatch)
    with pytest.raises(ConfigurationError, match=said):
        load(wanted)
    assert loaded.weights == ""


def test_what_the_library_says_is_the_reason_and_no_path_is_in_it(monkeypatch):
    installed(monkeypatch, fault=OSError("no file named model_index.json found in /home/me/secret"))
    with pytest.raises(ConfigurationError, match="the weights cannot be served: ") as caught:
        load(Wanted("/home/me/secret"))
    assert "secret" not in str(caught.value)
