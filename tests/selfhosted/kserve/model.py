"""What the real KServe serves: a model that draws, waits and breaks as its prompt says, by tensors and by instances."""

import argparse
import base64
import io
import re
import time
from typing import Any

from kserve import InferOutput, InferRequest, InferResponse, Model, ModelServer, model_server
from PIL import Image


class Studio(Model):
    def __init__(self) -> None:
        super().__init__("studio")
        self.ready = True

    async def get_input_types(self) -> list[dict[str, Any]]:
        numbers = [{"name": name, "datatype": "INT32", "shape": [1]} for name in ("width", "height")]
        return [{"name": "prompt", "datatype": "BYTES", "shape": [1]}, *numbers]

    def predict(self, payload: Any, headers: Any = None, response_headers: Any = None) -> Any:
        if not isinstance(payload, InferRequest):
            return {"predictions": [drawn(**one) for one in payload["instances"]]}
        asked = {one.name: one.data[0] for one in payload.inputs}
        made = InferOutput("output", [1], "BYTES", data=[drawn(**asked)])
        return InferResponse(payload.id or "1", self.name, [made])


def drawn(prompt: str, width: int = 64, height: int = 48) -> str:
    if found := re.search(r"wait (\d+)", prompt):
        time.sleep(int(found[1]))
    if "break" in prompt:
        raise ValueError("no fox today")
    out = io.BytesIO()
    Image.new("RGB", (width, height), (200, 90, 0)).save(out, "png")
    return base64.b64encode(out.getvalue()).decode()


if __name__ == "__main__":
    told, _ = argparse.ArgumentParser(parents=[model_server.parser]).parse_known_args()
    ModelServer(http_port=told.http_port, enable_grpc=False).start([Studio()])
