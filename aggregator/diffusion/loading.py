"""The pipelines of a folder or a repository of weights: the one file that knows torch and diffusers.

Owns: devices, number formats, LoRA weights, and the sister pipelines that the same weights serve.
Refuses: code that comes with weights, and weights that a request names.
"""

import gc
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from aggregator.diffusion.jobs import said_of
from aggregator.diffusion.pipelines import Pipelines, Tools, tasks_of
from aggregator.errors import ConfigurationError

DEVICES: Final = ("cpu", "cuda", "mps")
DTYPES: Final = ("auto", "float32", "bfloat16", "float16")
CLIP_SISTERS: Final = {"LTXPipeline": "LTXImageToVideoPipeline"}
"""Pipelines whose weights serve another task as well; those of pictures are found by diffusers itself."""
PICTURE_SISTERS: Final = {"I2I": "AutoPipelineForImage2Image", "INPAINT": "AutoPipelineForInpainting"}
_EXTRA_MODULES: Final = ("torch", "diffusers", "transformers", "accelerate", "peft")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be served, and how."""

    weights: str
    """A folder, or the name of a repository that diffusers fetches."""
    device: str = "cpu"
    dtype: str = "auto"
    """`auto`: bfloat16 on cuda, else float32."""
    lora: tuple[tuple[str, str, float], ...] = ()
    """Name, folder, file or repository, and strength of each adapter."""
    offload: bool = False
    """Keep on the device only the part that is at work."""


def read_lora(words: Sequence[str]) -> tuple[tuple[str, str, float], ...]:
    """`[NAME=]PATH_OR_ID[@SCALE]`, each.

    Raises:
        ConfigurationError: A name comes twice, or is none.

    """
    found = []
    for word in words:
        name, equals, rest = word.rpartition("=")
        where, _, scale = rest.rpartition("@")
        try:
            strength = float(scale) if where else 1.0
        except ValueError:  # an @ of the path itself
            where, strength = rest, 1.0
        where = where or rest
        found.append((name if equals else Path(where).stem.replace(".", "-"), where, strength))
    names = [name for name, _, _ in found]
    if len(set(names)) < len(names) or not all(names):
        raise ConfigurationError(f"--lora: each needs a name of its own (NAME=PATH); these are {', '.join(names)}")
    return tuple(found)


def load(wanted: Wanted) -> Pipelines:
    """Load the weights, and say what they serve.

    Raises:
        ConfigurationError: They cannot be loaded or served here; nothing of this machine's paths is in it.

    """
    try:
        import torch
        from diffusers import DiffusionPipeline
    except ImportError as missing:
        if (missing.name or "").partition(".")[0] not in _EXTRA_MODULES:
            raise
        raise ConfigurationError(
            f'serving diffusers pipelines needs {missing.name}: pip install "aggregator[diffusers]"'
        ) from missing
    _check_device(torch, wanted)
    half = "bfloat16" if wanted.device == "cuda" else "float32"
    try:
        dtype = getattr(torch, half if wanted.dtype == "auto" else wanted.dtype)
        pipe = DiffusionPipeline.from_pretrained(wanted.weights, dtype=dtype)
        for name, where, _ in wanted.lora:
            pipe.load_lora_weights(where, adapter_name=name)
        if not wanted.offload:
            pipe.to(wanted.device)
        pipes = _by_task(pipe)
    except Exception as error:  # whatever a library of others raises ends the start, with its words
        raise ConfigurationError(f"the weights cannot be served: {said_of(error)['message']}") from error
    for one in pipes.values():
        one.set_progress_bar_config(disable=True)
    return Pipelines(pipes, _tools(torch, wanted))


def _check_device(torch: Any, wanted: Wanted) -> None:
    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if not there[wanted.device]:
        here = ", ".join(name for name, is_there in there.items() if is_there)
        raise ConfigurationError(f"torch finds no {wanted.device} here; it has {here}: choose with --device")
    if wanted.offload and wanted.device == "cpu":
        raise ConfigurationError("--offload moves parts off a GPU: it needs --device cuda or mps")


def _by_task(pipe: Any) -> Mapping[str, Any]:
    """The pipeline, and its sisters over the same weights, by task."""
    pipes = dict.fromkeys(tasks_of(pipe), pipe)
    for task, sister in _sisters(pipe):
        pipes.setdefault(task, sister)
    return pipes


def _sisters(pipe: Any) -> list[tuple[str, Any]]:
    import diffusers

    name = type(pipe).__name__
    if name in CLIP_SISTERS:
        return [("I2V", getattr(diffusers, CLIP_SISTERS[name]).from_pipe(pipe))]
    if "T2I" not in tasks_of(pipe):
        return []
    found = []
    for task, maker in PICTURE_SISTERS.items():
        try:
            sister = getattr(diffusers, maker).from_pipe(pipe)
        except (ValueError, TypeError):  # there is none for this family, or it needs other weights
            continue
        if task in tasks_of(sister):
            found.append((task, sister))
    return found


def _tools(torch: Any, wanted: Wanted) -> Tools:
    def generator(seed: int) -> Any:
        # On the CPU for every device: the same seed gives the same noise wherever it runs.
        return torch.Generator("cpu").manual_seed(seed)

    hooked: list[Any] = []

    def around(pipe: Any) -> None:
        if wanted.offload and hooked != [pipe]:  # sisters share their parts: only one of them may move these
            pipe.enable_model_cpu_offload(device=wanted.device)
            hooked[:] = [pipe]

    def after() -> None:
        gc.collect()
        if wanted.device == "cuda":
            torch.cuda.empty_cache()

    return Tools(generator, around, after, {name: scale for name, _, scale in wanted.lora})
