"""The size of a frame, from the length of its short side and its shape."""

__all__ = ["SHORT", "frame"]

SHORT = {
    "360p": 360,
    "480p": 480,
    "512p": 512,
    "540p": 540,
    "720p": 720,
    "768p": 768,
    "1080p": 1080,
    "2k": 1440,
    "4k": 2160,
}
"""The short side that a word for a resolution names."""


def frame(resolution: str, ratio: str = "16:9") -> tuple[int, int]:
    """Width and height, both even; a shape that is no ratio (`adaptive`) is 16:9."""
    short = SHORT[resolution.lower()]
    wide, _, high = ratio.partition(":")
    across, down = (int(wide), int(high)) if wide.isdigit() and high.isdigit() else (16, 9)
    long = round(short * max(across, down) / min(across, down) / 2) * 2
    return (long, short) if across >= down else (short, long)
