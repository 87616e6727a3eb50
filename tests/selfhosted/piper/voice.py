"""Writes a voice for the real Piper: each letter is a short tone. Run with the folder to write it to."""

import json
import math
import string
import sys
from pathlib import Path

from onnx import TensorProto, checker, helper, save

RATE_HZ, PER_LETTER = 16_000, 800


def main(at: Path) -> None:
    """`en_US-tones-low.onnx` and its configuration."""
    tone = [math.sin(2 * math.pi * 440 * n / RATE_HZ) for n in range(PER_LETTER)]
    nodes = [
        helper.make_node("Cast", ["input"], ["letters"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["letters", "last"], ["column"]),
        helper.make_node("Mul", ["column", "tone"], ["tones"]),
        helper.make_node("Reshape", ["tones", "flat"], ["loud"]),
        helper.make_node("ReduceMax", ["loud"], ["peak"]),
        helper.make_node("Div", ["loud", "peak"], ["even"]),
        helper.make_node("ReduceSum", ["scales"], ["scaled"]),  # every input must be used
        helper.make_node("Mul", ["scaled", "zero"], ["nothing"]),
        helper.make_node("Add", ["even", "nothing"], ["output"]),
    ]
    constants = [
        helper.make_tensor("last", TensorProto.INT64, [1], [2]),
        helper.make_tensor("tone", TensorProto.FLOAT, [1, 1, PER_LETTER], tone),
        helper.make_tensor("flat", TensorProto.INT64, [4], [1, 1, 1, -1]),
        helper.make_tensor("zero", TensorProto.FLOAT, [1], [0.0]),
    ]
    inputs = [
        helper.make_tensor_value_info("input", TensorProto.INT64, [1, None]),
        helper.make_tensor_value_info("input_lengths", TensorProto.INT64, [1]),
        helper.make_tensor_value_info("scales", TensorProto.FLOAT, [3]),
    ]
    output = helper.make_tensor_value_info("output", TensorProto.FLOAT, [1, 1, 1, None])
    graph = helper.make_graph(nodes, "tones", inputs, [output], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    checker.check_model(model)
    save(model, at / "en_US-tones-low.onnx")
    letters = ["_", "^", "$", " ", *string.ascii_lowercase, *".,!?"]
    config = {
        "audio": {"sample_rate": RATE_HZ, "quality": "low"},
        "espeak": {"voice": "en-us"},
        "phoneme_type": "text",
        "inference": {"noise_scale": 0.667, "length_scale": 1, "noise_w": 0.8},
        "phoneme_id_map": {letter: [number] for number, letter in enumerate(letters)},
        "num_symbols": len(letters),
        "num_speakers": 1,
        "speaker_id_map": {},
    }
    (at / "en_US-tones-low.onnx.json").write_text(json.dumps(config))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
