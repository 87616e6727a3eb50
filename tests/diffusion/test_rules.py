"""Sizes and frames that a pipeline would refuse or round: refused here, with the nearest that it can make."""

import pytest

from aggregator.diffusion.refusals import RefusalError
from aggregator.diffusion.rules import Rules, rules_of


def _pipe(name, **said):
    return type(name, (), said)()


@pytest.mark.parametrize(
    ("pipe", "size_px", "frames", "fps"),
    [
        (_pipe("WanPipeline", vae_scale_factor_spatial=8, vae_scale_factor_temporal=4), 16, 4, 16),
        (_pipe("WanPipeline", vae_scale_factor_spatial=16, vae_scale_factor_temporal=4), 32, 4, 16),  # 2.2 5B
        (_pipe("LTXPipeline", vae_spatial_compression_ratio=32, vae_temporal_compression_ratio=8), 32, 8, 25),
        (_pipe("MochiPipeline", vae_scale_factor=8, vae_temporal_scale_factor=6), 16, 6, 30),
        (_pipe("FluxPipeline", vae_scale_factor=8), 16, None, None),
        (_pipe("StableDiffusionPipeline", vae_scale_factor=8), 8, None, None),
        (_pipe("StableDiffusion3Pipeline", vae_scale_factor=8), 16, None, None),
        (_pipe("SanaVideoPipeline", vae_scale_factor_spatial=32), 32, None, 16),
        (_pipe("NobodyKnowsPipeline"), 8, None, None),
    ],
)
def test_the_rules_of_a_family_and_of_its_vae(pipe, size_px, frames, fps):
    assert (rules_of(pipe).size_px, rules_of(pipe).frames, rules_of(pipe).fps) == (size_px, frames, fps)


def _rules(size_px=16, frames=4):
    return Rules(size_px=size_px, frames=frames, fps=16.0, several=False)


def test_a_size_is_refused_with_the_nearest():
    _rules().check_size("size", 832, 480)
    with pytest.raises(RefusalError, match="multiples of 16; 96x64 is the nearest to 100x60") as refusal:
        _rules().check_size("size", 100, 60)
    assert (refusal.value.status, refusal.value.param) == (400, "size")
    with pytest.raises(RefusalError, match="16x16 is the nearest to 1x7"):
        _rules().check_size("size", 1, 7)


@pytest.mark.parametrize(("frames", "near"), [(16, 17), (18, 17), (19, 21), (80, 81), (2, 1)])
def test_frames_are_refused_with_the_nearest(frames, near):
    with pytest.raises(RefusalError, match=f"multiple of 4 and one more; {near} is the nearest to {frames}"):
        _rules().check_frames(frames)
    _rules().check_frames(near)


def test_any_number_of_frames_where_there_is_no_grid():
    _rules(frames=None).check_frames(14)


@pytest.mark.parametrize(("seconds", "fps", "frames"), [(5, 16, 81), (4, 24, 97), (81 / 16, 16, 81), (0.25, 16, 5)])
def test_seconds_are_the_frames_between_and_the_one_that_closes_them(seconds, fps, frames):
    assert _rules().frames_for(seconds, fps) == frames


def test_seconds_that_no_number_of_frames_lasts():
    with pytest.raises(RefusalError, match=r"num_frames 49, which is 4\.9 seconds"):
        _rules(frames=8).frames_for(5.2, 10)
    assert _rules(frames=None).frames_for(5.1, 10) == 51
