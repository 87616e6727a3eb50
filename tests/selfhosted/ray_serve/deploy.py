"""What the real Ray Serve serves: one deployment that waits and breaks as its prompt says, and takes two at once."""

import base64
import io
import re
import sys
import time

import ray
from PIL import Image
from ray import serve
from starlette.requests import Request
from starlette.responses import Response


@serve.deployment(max_ongoing_requests=1, max_queued_requests=1, ray_actor_options={"num_cpus": 0.1})
class Studio:
    async def __call__(self, request: Request) -> Response | dict[str, object]:
        asked = await request.json()
        if found := re.search(r"wait (\d+)", asked["prompt"]):
            time.sleep(int(found[1]))  # it is one worker
        if "break" in asked["prompt"]:
            raise ValueError("no fox today")
        out = io.BytesIO()
        Image.new("RGB", (asked.get("width", 64), asked.get("height", 48)), (200, 90, 0)).save(out, "png")
        if asked.get("as_json"):
            return {"result": {"file": base64.b64encode(out.getvalue()).decode()}}
        return Response(out.getvalue(), media_type="image/png")


if __name__ == "__main__":
    ray.init(_node_ip_address="127.0.0.1", include_dashboard=False, num_cpus=2, _temp_dir=sys.argv[2])
    serve.start(http_options={"host": "127.0.0.1", "port": int(sys.argv[1])})
    serve.run(Studio.bind(), route_prefix="/studio")
    while True:
        time.sleep(3600)
