"""One model's pipelines: which tasks they serve, what their calls take, and one job made by one of them.

Owns: the way from an order to a call and from its output to files. Works with any object that is called like a
diffusers pipeline, so nothing here knows torch.
"""

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from aggregator.diffusion.media import read_picture, save_film, save_picture, save_sound
from aggregator.diffusion.order import FORMATS, Order, plain
from aggregator.diffusion.refusals import RefusalError, invalid
from aggregator.diffusion.rules import Rules, rules_of

FRAME_COUNTS: Final = ("num_frames", "frames")
FRAME_RATES: Final = ("frame_rate", "fps")
SOUND_LENGTHS: Final = ("audio_end_in_s", "audio_length_in_s", "audio_duration", "audio_duration_s", "duration")
SOUND_RATES: Final = ("sampling_rate", "sample_rate")
OURS: Final = frozenset(
    {
        *("self", "args", "kwargs", "prompt", "image", "mask_image", "last_image", "width", "height", "generator"),
        *("num_images_per_prompt", "num_videos_per_prompt", "output_type", "return_dict", "callback_on_step_end"),
        *("callback_on_step_end_tensor_inputs", "callback", "callback_steps", "num_frames", "frames", "frame_rate"),
        *("fps", "latents", "video", "timesteps", "sigmas", "attention_kwargs", "cross_attention_kwargs"),
        *("joint_attention_kwargs", "ip_adapter_image", "num_waveforms_per_prompt", "audio_codes", "src_audio"),
        *("reference_audio", "initial_audio_waveforms", "initial_audio_sampling_rate", *SOUND_LENGTHS),
    }
)
"""Parameters of a call that are not set by their own name in a request."""

Tick = Callable[[int, int | None], None]
"""Told the steps that are done and how many there are; raises to stop."""


@dataclass(frozen=True, slots=True)
class Made:
    """What came of a job: its files, and what they really hold."""

    outputs: list[dict[str, str]]
    facts: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Tools:
    """What making needs of the library below, as arguments: a pipeline does not say it of itself."""

    generator: Callable[[int], Any]
    """The source of noise for one output, from its seed."""
    around: Callable[[Any], None] = lambda _pipe: None
    """Called with the pipeline before it is."""
    after: Callable[[], None] = lambda: None
    """Called when a job is over: what it held may go."""
    adapters: Mapping[str, float] = field(default_factory=dict)
    """LoRA adapters that are loaded, each with the strength it has unless a request says otherwise."""


class _Call:
    """One pipeline and the parameters of its call."""

    def __init__(self, pipe: Any) -> None:
        self.pipe = pipe
        self.parameters = inspect.signature(type(pipe).__call__).parameters
        self.rules: Rules = rules_of(pipe)

    def takes(self, *names: str) -> str:
        """The first of these names that the call knows; empty: none."""
        return next((name for name in names if name in self.parameters), "")

    @property
    def is_video(self) -> bool:
        return bool(self.takes(*FRAME_COUNTS))

    @property
    def is_sound(self) -> bool:
        return not self.is_video and bool(self.takes(*SOUND_LENGTHS)) and self.sound_rate is not None

    @property
    def sound_rate(self) -> int | None:
        """Samples for each second of what it makes, as it or a part of it says."""
        parts = [self.pipe, *(getattr(self.pipe, name, None) for name in ("vae", "vocoder"))]
        said = (
            getattr(of, name, None)
            for part in parts
            for of in (part, getattr(part, "config", None))
            for name in SOUND_RATES
        )
        return next((int(rate) for rate in said if isinstance(rate, int) and rate > 0), None)

    def needs(self, name: str) -> bool:
        parameter = self.parameters.get(name)
        return parameter is not None and parameter.default is inspect.Parameter.empty


def tasks_of(pipe: Any) -> tuple[str, ...]:
    """The tasks a pipeline serves, from the parameters of its call.

    Raises:
        ValueError: It makes nothing that this server can hand out.

    """
    call = _Call(pipe)
    name = type(pipe).__name__
    if call.is_sound and call.takes("prompt"):
        return ("T2A",)
    if any("audio" in one for one in call.parameters):
        raise ValueError(f"{name} makes a clip with sound, or needs one: SGLang and vLLM-Omni serve such")
    if call.needs("video") or not call.takes("prompt", "image"):
        raise ValueError(f"{name} makes neither pictures nor clips from a text or a picture")
    made = "V" if call.is_video else "I"
    if call.takes("mask_image"):
        return ("INPAINT",)
    if call.needs("image") or not call.takes("prompt"):
        return (f"I2{made}",)
    return (f"T2{made}", f"I2{made}") if call.takes("image") else (f"T2{made}",)


class Pipelines:
    """The pipelines of one model by task. Not for two threads: one job at a time."""

    def __init__(self, pipes: Mapping[str, Any], tools: Tools) -> None:
        self._calls = {task: _Call(pipe) for task, pipe in pipes.items()}
        self._tools = tools

    @property
    def tasks(self) -> tuple[str, ...]:
        return tuple(self._calls)

    @property
    def adapters(self) -> tuple[str, ...]:
        return tuple(self._tools.adapters)

    def stops(self, order: Order) -> bool:
        """Whether the pipeline of an order can be stopped between two steps."""
        return bool(self._call(order).takes("callback_on_step_end", "callback"))

    def complete(self, order: Order, directory: Path) -> Order:
        """An order with what the pipeline needs filled in, once it is known that the pipeline can make it.

        Raises:
            RefusalError: It cannot; where another value is near, the refusal names it.

        """
        call = self._call(order)
        order = replace(order, parameters=self._parameters(call, order.parameters))
        if order.prompt and not call.takes("prompt"):
            raise invalid("prompt", "this pipeline takes none: it moves a picture")
        if call.takes("prompt") and not order.prompt.strip():
            raise invalid("prompt", "text")
        if len(order.images) > 1 and not call.rules.several:
            raise invalid("image", "one picture: this pipeline takes no more")
        if order.n > 1 and not call.takes("num_images_per_prompt"):
            raise invalid("n", "1: this pipeline makes one at a time")
        for name, _ in order.lora or ():
            if name not in self._tools.adapters:
                loaded = ", ".join(self._tools.adapters) or "none"
                raise invalid("lora", f"{name!r} was not given to the server at its start (it has {loaded})")
        _check_size(call, order, directory)
        return _timed(call, order) if order.kind == "video" else order

    def make(self, order: Order, directory: Path, tick: Tick) -> Made:
        """Make what was ordered; the files are whole when this returns."""
        call = self._call(order)

        def step(pipe: Any, done: int, _time: Any, kwargs: dict[str, Any]) -> dict[str, Any]:
            total = getattr(pipe, "num_timesteps", None)
            tick(done + 1, total if isinstance(total, int) else None)
            return kwargs

        told = _arguments(call, order, directory)
        if call.takes("callback_on_step_end"):
            told["callback_on_step_end"] = step
        elif call.takes("callback"):  # the older way: it is told the steps that are over, and nothing of how many
            told["callback"] = lambda done, _time, _latents: tick(done + 1, told.get("num_inference_steps"))
        told["generator"] = [self._tools.generator(order.seed + number) for number in range(order.n)]
        if order.n == 1:
            told["generator"] = told["generator"][0]
        try:
            self._tools.around(call.pipe)
            self._adapt(call.pipe, order)
            output = call.pipe(**told)
            tick(0, None)
            return _written(call, order, output, directory, lambda: tick(0, None))
        finally:
            self._tools.after()

    def _call(self, order: Order) -> _Call:
        made = {"image": "I", "video": "V", "audio": "A"}[order.kind]
        task = "INPAINT" if order.mask else f"I2{made}" if order.images else f"T2{made}"
        if task not in self._calls:
            served = ", ".join(self._calls)
            raise RefusalError(400, "unsupported_task", f"this model does not serve {task}: it serves {served}")
        return self._calls[task]

    def _parameters(self, call: _Call, given: Mapping[str, Any]) -> dict[str, Any]:
        known = [name for name in call.parameters if name not in OURS and not name.endswith(("_embeds", "_mask"))]
        for name in given:
            if name not in known:
                raise RefusalError(
                    400,
                    "unknown_parameter",
                    f"{name}: the pipeline takes no such thing; it takes {', '.join(known)}",
                    param=name,
                )
        return {name: plain(name, value) for name, value in given.items()}

    def _adapt(self, pipe: Any, order: Order) -> None:
        if not self._tools.adapters:
            return
        wanted = tuple(self._tools.adapters.items()) if order.lora is None else order.lora
        if wanted:
            pipe.enable_lora()
            pipe.set_adapters([name for name, _ in wanted], [scale for _, scale in wanted])
        else:
            pipe.disable_lora()


def _check_size(call: _Call, order: Order, directory: Path) -> None:
    if order.width and order.height:
        if not call.takes("width"):
            raise invalid("size", "none: this pipeline keeps the size of the picture")
        call.rules.check_size("size", order.width, order.height)
    for number, name in enumerate((*order.images, *((order.mask,) if order.mask else ()))):
        picture = read_picture(directory / name, "image" if number < len(order.images) else "mask")
        if not call.takes("width"):
            call.rules.check_size("image", *picture.size)


def _timed(call: _Call, order: Order) -> Order:
    """The order with its frame rate and its number of frames, where they follow from what is given."""
    fps = order.fps or _default(call, FRAME_RATES) or call.rules.fps
    if fps is None:
        raise invalid("fps", "a number: this pipeline has no usual frame rate")
    frames = order.num_frames
    if order.seconds is not None:
        wanted = call.rules.frames_for(order.seconds, fps) if frames is None else frames
        if frames is not None and abs(frames - order.seconds * fps) > 1:
            raise invalid("seconds", f"{frames} frames at {fps:g} per second last {frames / fps:.6g} seconds")
        frames = wanted
    if frames is not None:
        call.rules.check_frames(frames)
    return replace(order, fps=fps, num_frames=frames)


def _default(call: _Call, names: tuple[str, ...]) -> float | None:
    name = call.takes(*names)
    value = call.parameters[name].default if name else None
    return float(value) if isinstance(value, int | float) else None


def _arguments(call: _Call, order: Order, directory: Path) -> dict[str, Any]:
    told: dict[str, Any] = {**order.parameters, "output_type": "np" if order.kind == "audio" else "pil"}
    if order.kind == "audio" and order.seconds:
        told[call.takes(*SOUND_LENGTHS)] = order.seconds
    if order.prompt:
        told["prompt"] = order.prompt
    if order.width:
        told |= {"width": order.width, "height": order.height}
    pictures = [read_picture(directory / name, "image") for name in order.images]
    if pictures:
        told["image"] = pictures if len(pictures) > 1 else pictures[0]
    if order.mask:
        told["mask_image"] = read_picture(directory / order.mask, "mask")
        if call.takes("width") and not order.width:  # its own default is not the picture's size
            told |= dict(zip(("width", "height"), pictures[0].size, strict=True))
    if order.num_frames:
        told[call.takes(*FRAME_COUNTS)] = order.num_frames
    if order.fps and call.takes(*FRAME_RATES):
        name = call.takes(*FRAME_RATES)
        told[name] = int(order.fps) if isinstance(call.parameters[name].default, int) else order.fps
    if call.takes("num_images_per_prompt"):
        told["num_images_per_prompt"] = order.n
    return told


def _written(call: _Call, order: Order, output: Any, directory: Path, tick: Callable[[], None]) -> Made:
    """Write what a pipeline returned; what counts is what is there, not what was asked for."""
    if call.is_video:
        frames, fps = list(output.frames[0]), order.fps or 1.0
        save_film(directory / "output-0.mp4", frames, fps, tick)
        facts = {"width": frames[0].width, "height": frames[0].height, "num_frames": len(frames), "fps": fps}
        return Made([{"name": "output-0.mp4", "mime_type": "video/mp4"}], facts)
    if call.is_sound:
        name, rate = f"output-0.{order.format}", call.sound_rate or 1
        channels, samples = save_sound(directory / name, output.audios[0], rate, tick)
        facts = {"seconds": round(samples / rate, 4), "sample_rate": rate, "channels": channels}
        return Made([{"name": name, "mime_type": FORMATS["audio"][order.format]}], facts)
    outputs = list(_pictures(order, output.images, directory, tick))
    return Made(outputs, {"width": output.images[0].width, "height": output.images[0].height})


def _pictures(order: Order, pictures: Any, directory: Path, tick: Callable[[], None]) -> Iterator[dict[str, str]]:
    for number, picture in enumerate(pictures):
        tick()
        name = f"output-{number}.{order.format}"
        save_picture(directory / name, picture)
        yield {"name": name, "mime_type": FORMATS["image"][order.format]}
