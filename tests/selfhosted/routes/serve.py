"""Run by the environment's python: the routes of an engine as it publishes them, with a stand-in where its model is.

`serve.py <engine> <folder of the unpacked packages> <port>`. The engines need cards: what is imported of torch, ray and
their own pipelines is empty here, and what would be made by a model is drawn. A prompt that has the word "break" fails.
"""

import ast
import base64
import io
import sys
import time
import wave
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import av
import uvicorn
from fastapi import FastAPI
from PIL import Image


def empty(name: str, folder: Path | None = None, **said: Any) -> ModuleType:
    """A module that says only this; with a folder, a package whose own `__init__` does not run."""
    made = ModuleType(name)
    if folder is not None:
        made.__path__ = [str(folder.joinpath(*name.split(".")))]
    for word, value in said.items():
        setattr(made, word, value)
    sys.modules[name] = made
    return made


def refused(prompt: str) -> None:
    if "break" in prompt:
        raise ValueError("no fox today")


# ------------------------------------------------------------------------------------------------------------ FastVideo


class Generator:
    """In place of `VideoGenerator`: a file where it was told to put one."""

    def generate_video(
        self,
        *,
        prompt: str,
        output_path: str,
        num_frames: int = 81,
        width: int = 64,
        height: int = 48,
        fps: int = 24,
        **_more: Any,
    ) -> dict[str, float]:
        refused(prompt)
        if "wait" in prompt:
            time.sleep(2)
        if num_frames == 1:
            Image.new("RGB", (width, height), "teal").save(output_path)
            return {}
        with av.open(output_path, "w") as file:
            stream = file.add_stream("mpeg4", rate=fps)
            stream.width, stream.height = width, height
            for _ in range(num_frames):
                frame = av.VideoFrame.from_image(Image.new("RGB", (width, height), "teal"))
                file.mux(stream.encode(frame))
            file.mux(stream.encode())
        return {"generation_time": 1.5}


class Arguments:
    model_path = "fastvideo/wan-2.2"


def fastvideo(folder: Path) -> FastAPI:
    for package in ("fastvideo", "fastvideo.api", "fastvideo.entrypoints", "fastvideo.entrypoints.openai"):
        empty(package, folder)
    import logging

    empty("fastvideo.logger", init_logger=logging.getLogger)
    empty("fastvideo.api.compat", explicit_request_updates=dict)
    import_module("fastvideo.entrypoints.openai.state").set_state(Generator(), Arguments(), "outputs")
    app = FastAPI()
    for part in ("common_api", "video_api", "image_api"):
        app.include_router(import_module(f"fastvideo.entrypoints.openai.{part}").router)
    return app


# ----------------------------------------------------------------------------------------------------------------- xDiT


class Engine:
    """In place of the workers: what one of them answers."""

    async def generate(self, request: Any) -> dict[str, Any]:
        refused(request.prompt)
        file = io.BytesIO()
        Image.new("RGB", (request.width, request.height), "teal").save(file, format="PNG")
        said = {"message": "Image generated successfully", "elapsed_time": "1.50 sec"}
        return {**said, "output": base64.b64encode(file.getvalue()).decode(), "save_to_disk": False}


def xdit(folder: Path) -> FastAPI:
    empty("torch")
    empty("ray", remote=lambda **_how: lambda made: made)
    names = ["PixArtAlpha", "PixArtSigma", "Flux", "StableDiffusion3", "HunyuanDiT"]
    empty("xfuser", xFuserArgs=object, **{f"xFuser{name}Pipeline": object for name in names})
    empty("entrypoints", folder)
    launch = import_module("entrypoints.launch")
    launch.engine = Engine()
    return launch.app


# ----------------------------------------------------------------------------------------------------------------- XTTS


class Voices:
    """In place of `TTSWrapper`."""

    model_source, model_folder, enable_cache_results = "local", ".", False

    def __init__(self, *_settings: Any) -> None:
        self.speaker_folder = self.output_folder = "."

    def check_model_version_old_format(self, version: str) -> str:
        return version

    def load_model(self) -> None:
        """There is none."""

    def get_speakers(self) -> list[str]:
        return ["me"]

    def list_languages(self) -> dict[str, str]:
        return {"English": "en"}

    def process_tts_to_file(self, *, text: str, file_name_or_path: str, **_more: Any) -> str:
        refused(text)
        with wave.open(file_name_or_path, "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(24_000)
            file.writeframes(bytes(2 * 24_000))
        return file_name_or_path


def xtts(folder: Path) -> FastAPI:
    empty("TTS")
    empty("TTS.api", TTS=object)
    empty("xtts_api_server", folder)
    source = ast.parse((folder / "xtts_api_server" / "tts_funcs.py").read_text(encoding="utf-8"))
    languages = next(
        ast.literal_eval(node.value)
        for node in source.body
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "supported_languages"
    )
    said = {"TTSWrapper": Voices, "supported_languages": languages, "InvalidSettingsError": ValueError}
    empty("xtts_api_server.tts_funcs", **said)
    empty("xtts_api_server.RealtimeTTS", TextToAudioStream=object, CoquiEngine=object)
    empty(
        "xtts_api_server.modeldownloader",
        check_stream2sentence_version=None,
        install_deepspeed_based_on_python_version=None,
    )
    return import_module("xtts_api_server.server").app


ENGINES = {"fastvideo": fastvideo, "xdit": xdit, "xtts": xtts}

if __name__ == "__main__":
    engine, packages, port = sys.argv[1:]
    uvicorn.run(ENGINES[engine](Path(packages)), host="127.0.0.1", port=int(port), log_level="warning")
