"""The model that the real Triton serves: it draws, waits and breaks as its prompt says."""

import base64
import io
import re
import time

import numpy as np
import triton_python_backend_utils as triton
from PIL import Image


class TritonPythonModel:
    def execute(self, requests):
        return [self._answer(request) for request in requests]

    def _answer(self, request):
        tensors = (triton.get_input_tensor_by_name(request, name) for name in ("prompt", "width", "height"))
        prompt, width, height = (tensor.as_numpy().item() for tensor in tensors)
        if found := re.search(rb"wait (\d+)", prompt):
            time.sleep(int(found[1]))
        if b"break" in prompt:
            return triton.InferenceResponse(error=triton.TritonError("no fox today"))
        out = io.BytesIO()
        Image.new("RGB", (width, height), (200, 90, 0)).save(out, "png")
        drawn = np.array([base64.b64encode(out.getvalue())], dtype=np.object_)
        return triton.InferenceResponse([triton.Tensor("output", drawn)])
