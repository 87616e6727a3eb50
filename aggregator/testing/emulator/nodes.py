"""A few nodes of ComfyUI: what they take, what is wrong with a graph of them, and what it makes.

`VHS_VideoCombine` is of a popular extension. As in the real one, a step is what the editor counts by: it binds nobody.
"""

from collections.abc import Container
from typing import Any

from aggregator.testing.emulator.jobs import Kind
from aggregator.testing.emulator.service import Order, order

__all__ = ["MAKES", "MODELS", "NODES", "Graph", "below", "fault_of", "node_error", "not_in_list", "ordered"]

MODELS = ["ltx-2.safetensors", "sd15.safetensors", "wan2.2.safetensors"]
WHOLE = ["INT", {"default": 512, "min": 16, "max": 16384}]
SIDE = ["INT", {"default": 832, "min": 16, "max": 16384, "step": 16}]
FRAMES = ["INT", {"default": 81, "min": 1, "max": 16384, "step": 4}]
SEED = ["INT", {"default": 0, "min": 0, "max": 2**64 - 1}]
TEXT, NUMBER = ["STRING", {"multiline": True}], ["FLOAT", {"default": 1.0, "min": 0.0, "max": 100.0}]
FILE, PREFIX = ["STRING", {"file_upload": True}], ["STRING", {"default": "ComfyUI"}]
NODES: dict[str, dict[str, Any]] = {
    "CheckpointLoaderSimple": {"ckpt_name": [MODELS, {}]},
    "CLIPTextEncode": {"text": TEXT, "clip": ["CLIP"]},
    "EmptyLatentImage": {"width": WHOLE, "height": WHOLE, "batch_size": ["INT", {"min": 1, "max": 4096}]},
    "EmptyLatentVideo": {"width": SIDE, "height": SIDE, "length": FRAMES},
    "EmptyImage": {"width": WHOLE, "height": WHOLE, "batch_size": ["INT", {"min": 1, "max": 4096}]},
    "ImageInvert": {"image": ["IMAGE"]},
    "PrimitiveString": {"value": TEXT},
    "KSampler": {"model": ["MODEL"], "seed": SEED, "steps": ["INT", {"min": 1, "max": 10000}], "cfg": NUMBER},
    "VAEDecode": {"samples": ["LATENT"], "vae": ["VAE"]},
    "LoadImage": {"image": FILE},
    "LoadVideo": {"file": FILE},
    "LoadAudio": {"audio": FILE},
    "TextEncodeAceStepAudio": {"tags": TEXT, "lyrics": TEXT, "clip": ["CLIP"]},
    "EmptyAceStepLatentAudio": {"seconds": ["FLOAT", {"min": 1.0, "max": 1000.0}]},
    "VAEDecodeAudio": {"samples": ["LATENT"], "vae": ["VAE"]},
    "CreateVideo": {"images": ["IMAGE"], "fps": NUMBER},
    "PreviewImage": {"images": ["IMAGE"]},
    "SaveImage": {"images": ["IMAGE"], "filename_prefix": PREFIX},
    "SaveVideo": {"video": ["VIDEO"], "filename_prefix": PREFIX, "format": ["COMBO", {"options": ["auto", "mp4"]}]},
    "SaveAudio": {"audio": ["AUDIO"], "filename_prefix": PREFIX},
    "VHS_VideoCombine": {"images": ["IMAGE"], "frame_rate": NUMBER, "filename_prefix": PREFIX},
}
MAKES: dict[str, tuple[Kind, str, str]] = {
    "SaveImage": ("image", "images", "output"),
    "SaveVideo": ("video", "images", "output"),
    "SaveAudio": ("audio", "audio", "output"),
    "VHS_VideoCombine": ("video", "gifs", "output"),
    "PreviewImage": ("image", "images", "temp"),
}
"""What an output node makes, under which key it is found, and whether it is kept."""
Graph = dict[str, Any]


def node_error(kind: str, message: str, details: str, class_type: str, **extra: Any) -> dict[str, Any]:
    """What is wrong with a node, as its answers say it."""
    said = {"type": kind, "message": message, "details": details, "extra_info": extra}
    return {"errors": [said], "dependent_outputs": ["9"], "class_type": class_type}


def not_in_list(name: str, value: Any, options: list[str], class_type: str) -> dict[str, Any]:
    """A value that the server does not have, with those that it has."""
    details = f"{name}: '{value}' not in {options}"
    extra = {"input_name": name, "input_config": [options, {}], "received_value": value}
    return node_error("value_not_in_list", "Value not in list", details, class_type, **extra)


def fault_of(graph: Graph, name: str, files: Container[str]) -> dict[str, Any] | None:
    """What is wrong with a node, where these are the files that it could load."""
    node = graph[name]
    kind, given = node["class_type"], node["inputs"]
    for wanted, spec in NODES[kind].items():
        value = given.get(wanted)
        if value is None:
            return node_error("required_input_missing", "Required input is missing", wanted, kind, input_name=wanted)
        if isinstance(value, list):
            if value[0] not in graph:
                return node_error("bad_linked_input", "Bad linked input", wanted, kind, input_name=wanted)
            continue
        found = wrong_value(wanted, value, spec, kind, files)
        if found is not None:
            return found
    return None


def wrong_value(name: str, value: Any, spec: list[Any], kind: str, files: Container[str]) -> dict[str, Any] | None:
    about = {"input_name": name, "input_config": spec, "received_value": value}
    options = spec[0] if isinstance(spec[0], list) else spec[1]["options"] if spec[0] == "COMBO" else None
    if options is not None and value not in options:
        return not_in_list(name, value, options, kind)
    if spec is FILE and value not in files:
        details = f"{name} - Invalid image file: {value}"
        return node_error("custom_validation_failed", "Custom validation failed for node", details, kind, **about)
    if spec[0] in ("INT", "FLOAT"):
        if isinstance(value, str):
            details = f"{name}, {value}, invalid literal"
            return node_error("invalid_input_type", "Failed to convert an input value", details, kind, **about)
        for bound, word, over in (
            ("min", "smaller", value < spec[1].get("min", value)),
            ("max", "bigger", value > spec[1].get("max", value)),
        ):
            if over:
                text = f"Value {value} {word} than {bound} of {spec[1][bound]}"
                return node_error(f"value_{word}_than_{bound}", text, name, kind, **about)
    return None


def below(graph: Graph, name: str) -> list[str]:
    """A node and all that it is made from."""
    found = [name]
    for at in found:
        links = [value[0] for value in graph[at]["inputs"].values() if isinstance(value, list)]
        found += [link for link in links if link in graph and link not in found]
    return found


def ordered(graph: Graph, outputs: list[str]) -> Order:
    """What the first output of a graph makes."""
    node = next((one for one in outputs if MAKES[graph[one]["class_type"]][2] == "output"), outputs[0])
    used = [graph[one]["inputs"] for one in below(graph, node)]
    known = {name: value for one in reversed(used) for name, value in one.items() if not isinstance(value, list)}
    kind = MAKES[graph[node]["class_type"]][0]
    fps = float(known.get("fps") or known.get("frame_rate") or 16)
    seconds = float(known.get("seconds") or known.get("length", 33) / fps)
    size = (known.get("width"), known.get("height")) if kind != "audio" else (None, None)
    count = int(known.get("batch_size", 1)) if kind == "image" else 1
    mime = "audio/flac" if kind == "audio" else None
    return order(kind, width=size[0], height=size[1], duration_s=seconds, fps=fps, count=count, usd="0", mime=mime)
