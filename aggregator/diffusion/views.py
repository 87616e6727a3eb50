"""Jobs as the dialect shows them."""

import base64
from pathlib import Path
from typing import Any

from aggregator.diffusion.store import Record

__all__ = ["pictures", "progress", "sound", "video"]


def progress(record: Record) -> int:
    """Percent of the steps; the last one is there when the file is."""
    if record.status == "completed":
        return 100
    done, total = record.steps or (0, 0)
    return min(99, 100 * done // total) if total else 0


def video(record: Record, *, model: str, position: int | None, ttl_s: float) -> dict[str, Any]:
    """A job of a clip: what was asked for until it is made, then what was made."""
    order, made = record.order, record.made
    width, height = made.get("width", order.width), made.get("height", order.height)
    frames, fps = made.get("num_frames", order.num_frames), made.get("fps", order.fps)
    seconds = round(frames / fps, 4) if frames and fps else None
    return {
        "id": record.id,
        "object": "video",
        "model": model,
        "status": record.status,
        "progress": progress(record),
        "queue_position": position,
        "steps": None if record.steps is None else {"done": record.steps[0], "total": record.steps[1] or None},
        "created_at": int(record.created_at),
        "completed_at": record.ended_at,
        "expires_at": None if record.ended_at is None else int(record.ended_at + ttl_s),
        "prompt": order.prompt,
        "size": f"{width}x{height}" if width and height else None,
        "seconds": None if seconds is None else f"{seconds:g}",
        "seed": order.seed,
        "num_frames": frames,
        "fps": fps,
        "duration_s": seconds,
        "inference_time_s": record.inference_time_s,
        "error": record.error,
    }


def sound(record: Record) -> dict[str, str]:
    """What is told of a sound beside the file: headers."""
    made = record.made
    return {
        "x-seed": str(record.order.seed),
        "x-duration-s": f"{made['seconds']:g}",
        "x-inference-time-s": f"{record.inference_time_s:g}",
    }


def pictures(record: Record, *, model: str, directory: Path, address: str | None) -> dict[str, Any]:
    """The answer to an order of pictures; `address`: where they are, instead of the pictures themselves."""
    data = []
    for number, output in enumerate(record.outputs):
        held: dict[str, Any] = {"seed": record.order.seed + number}
        if address is not None:
            held["url"] = f"{address}/v1/images/{record.id}/content?variant={number}"
        else:
            held["b64_json"] = base64.b64encode((directory / output["name"]).read_bytes()).decode()
        data.append(held)
    return {
        "id": record.id,
        "created": int(record.created_at),
        "model": model,
        "data": data,
        "seed": record.order.seed,
        "size": f"{record.made['width']}x{record.made['height']}",
        "output_format": record.order.format,
        "inference_time_s": record.inference_time_s,
    }
