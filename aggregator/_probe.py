"""The child process that opens delivered files: one path a line in, one JSON object a line out.

It runs by its path, in isolated mode, under limits, with no network protocol compiled into what it opens: a hostile
file can end this process and nothing else. The parent is `aggregator.probing`. Imports the standard library and PyAV
only.
"""

import json
import resource
import sys
from typing import Any

MEMORY_BYTES = 4 * 2**30
FORMATS = "aac,flac,gif,jpeg_pipe,matroska,mov,mp3,ogg,png_pipe,wav,webp_pipe,gif_pipe"
"""What the store knows by its first bytes. No playlists and no lists of files, which name others to be opened."""
OPEN_OPTIONS = {"protocol_whitelist": "file", "format_whitelist": FORMATS}


def probe(path: str) -> dict[str, Any]:
    """Read the headers of a media file; durations in seconds."""
    import av

    with open(path, "rb") as file:  # noqa: PTH123 - nothing more is imported here
        is_jpeg = file.read(3) == b"\xff\xd8\xff"
    # By the ending of its name it may be taken for one of a list of pictures, which is not opened.
    with av.open(path, format="jpeg_pipe" if is_jpeg else None, options=OPEN_OPTIONS) as container:
        facts: dict[str, Any] = {}
        if container.streams.video:
            video = container.streams.video[0]
            facts["width"], facts["height"] = video.codec_context.width, video.codec_context.height
            facts["video_codec"] = video.codec_context.name
            if not container.format.name.endswith("_pipe") and container.format.name != "image2":
                facts["fps"] = float(video.average_rate) if video.average_rate else None
                facts["frames"] = video.frames
        if container.streams.audio:
            facts["audio_codec"] = container.streams.audio[0].codec_context.name
        if (container.duration and "fps" in facts) or (container.duration and "video_codec" not in facts):
            facts["duration_s"] = container.duration / 1_000_000
        return {name: value for name, value in facts.items() if value}  # a broken header says 0


def main() -> None:
    """Answer until the parent closes its end."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for line in sys.stdin:
        try:
            answer: dict[str, Any] = {"facts": probe(json.loads(line))}
        except Exception as error:  # noqa: BLE001  whatever a file does to the reader is an answer
            answer = {"error": type(error).__name__}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
