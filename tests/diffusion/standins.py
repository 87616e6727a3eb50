"""torch and diffusers as far as `aggregator.diffusion.loading` asks them, without either: for tests of what it does."""

import sys
from dataclasses import dataclass, field
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from tests.diffusion.conftest import StableDiffusionImg2ImgPipeline, StableDiffusionPipeline, WanPipeline


@dataclass
class Loaded:
    """What was asked of the libraries."""

    weights: str = ""
    dtype: str = ""
    done: list[tuple[Any, ...]] = field(default_factory=list)


class _Managed:
    """What every pipeline of diffusers has."""

    loaded: Loaded

    def to(self, device: str) -> None:
        self.loaded.done.append(("to", device))

    def load_lora_weights(self, where: str, adapter_name: str) -> None:
        self.loaded.done.append(("lora", where, adapter_name))

    def set_progress_bar_config(self, **how: bool) -> None:
        self.loaded.done.append(("bar", how))

    def enable_model_cpu_offload(self, device: str) -> None:
        self.loaded.done.append(("offload", type(self).__name__, device))


def installed(patch: pytest.MonkeyPatch, *, gpus: tuple[str, ...] = (), fault: Exception | None = None) -> Loaded:
    """Put both in place; `gpus` are there, and loading ends with `fault`, if any."""
    loaded = Loaded()
    kinds = {
        name: type(name, (_Managed, kind), {"loaded": loaded})
        for name, kind in {
            "StableDiffusionPipeline": StableDiffusionPipeline,
            "StableDiffusionImg2ImgPipeline": StableDiffusionImg2ImgPipeline,
            "WanPipeline": WanPipeline,
            "LTXPipeline": WanPipeline,
            "LTXImageToVideoPipeline": WanPipeline,
        }.items()
    }

    def from_pretrained(weights: str, *, dtype: str) -> Any:
        if fault is not None:
            raise fault
        loaded.weights, loaded.dtype = weights, dtype
        return kinds[weights.rpartition("/")[2]]()

    def none(_pipe: Any) -> Any:
        raise ValueError("AutoPipeline can't find a pipeline")

    diffusers: Any = ModuleType("diffusers")
    diffusers.DiffusionPipeline = SimpleNamespace(from_pretrained=from_pretrained)
    edits = kinds["StableDiffusionImg2ImgPipeline"]
    diffusers.AutoPipelineForImage2Image = SimpleNamespace(from_pipe=lambda _pipe: edits())
    diffusers.AutoPipelineForInpainting = SimpleNamespace(from_pipe=none)
    diffusers.LTXImageToVideoPipeline = SimpleNamespace(from_pipe=lambda _pipe: kinds["LTXImageToVideoPipeline"]())
    torch: Any = ModuleType("torch")
    torch.float32, torch.bfloat16 = "float32", "bfloat16"
    torch.cuda = SimpleNamespace(
        is_available=lambda: "cuda" in gpus, empty_cache=lambda: loaded.done.append(("empty", "cuda"))
    )
    torch.backends = SimpleNamespace(mps=SimpleNamespace(is_available=lambda: "mps" in gpus))

    def noise(device: str) -> Any:
        def manual_seed(seed: int) -> int:
            loaded.done.append(("noise", device, seed))
            return seed

        return SimpleNamespace(manual_seed=manual_seed)

    torch.Generator = noise
    patch.setitem(sys.modules, "torch", torch)
    patch.setitem(sys.modules, "diffusers", diffusers)
    return loaded
