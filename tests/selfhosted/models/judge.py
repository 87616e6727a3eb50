"""Run by the environment's python: holds bodies against the models that SGLang and vLLM-Omni read and write them with.

`judge.py <folder of the unpacked packages>`; a list of `[model, body]` as JSON comes in, and for each the list of what
is wrong with it goes out. The servers themselves need cards; their models need pydantic, so only those are loaded: the
packages around them are stood in for by empty ones.
"""

import ast
import json
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType

from pydantic import BaseModel, ValidationError

SGLANG = "sglang.multimodal_gen.runtime.entrypoints.openai"
OMNI = "vllm_omni.entrypoints.openai"
LEVELS = "DIFFUSION_QUALITY_LEVELS"
PLACES = {
    "sglang": f"{SGLANG}.protocol",
    "omni.videos": f"{OMNI}.protocol.videos",
    "omni.images": f"{OMNI}.protocol.images",
    "omni.audio": f"{OMNI}.protocol.audio",
}


def prepare(folder: Path) -> None:
    """Packages that run nothing when they are imported, and the one constant of a module that wants a card."""
    for package in (SGLANG, f"{OMNI}.protocol", "vllm_omni.inputs"):
        parts = package.split(".")
        for length in range(1, len(parts) + 1):
            empty = ModuleType(".".join(parts[:length]))
            empty.__path__ = [str(folder.joinpath(*parts[:length]))]
            sys.modules.setdefault(empty.__name__, empty)
    source = ast.parse((folder / "vllm_omni" / "inputs" / "data.py").read_text(encoding="utf-8"))
    said = [
        node for node in source.body if isinstance(node, ast.AnnAssign) and getattr(node.target, "id", "") == LEVELS
    ]
    data = ModuleType("vllm_omni.inputs.data")
    setattr(data, LEVELS, ast.literal_eval(said[0].value))
    sys.modules[data.__name__] = data


def wrong(model: type[BaseModel], body: dict) -> list[str]:
    """What the model does not take, and what it would pass over in silence."""
    names = set(model.model_fields)
    for field in model.model_fields.values():
        names |= set(getattr(field.validation_alias, "choices", ()))
    found = [f"{name}: the server knows no such field" for name in body if name not in names]
    try:
        model.model_validate(body)
    except ValidationError as error:
        found += [f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors(include_url=False)]
    return found


def main() -> None:
    prepare(Path(sys.argv[1]))
    answers = []
    for name, body in json.load(sys.stdin):
        place, _, model = name.rpartition(".")
        answers.append(wrong(getattr(import_module(PLACES[place]), model), body))
    json.dump(answers, sys.stdout)


if __name__ == "__main__":
    main()
