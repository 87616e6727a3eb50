"""Thirty spots from a table under one budget: of each row a picture, a push-in over it, its line in words and spoken.

    aggregator run examples/product_spots.py --local --budget 1.00 --plan
    aggregator run examples/product_spots.py --local --budget 1.00 --out spots

The money for all of them is reserved before the first picture is ordered. Change a row and run it again: only what is
made from that row is paid. The push-in and the words are local edits, which cost nothing.
"""

import csv
from pathlib import Path

from aggregator.workflow import Steps, workflow

TABLE = str(Path(__file__).with_suffix(".csv"))


def rows_of(table: str) -> list[dict[str, str]]:
    with Path(table).open(newline="", encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


@workflow
async def product_spots(w: Steps, table: str = TABLE, size: str = "480x270") -> None:
    for n, row in enumerate(rows_of(table), 1):
        prompt = f"{row['product']}, {row['setting']}, product photography"
        picture = await w.text_to_image(prompt, size=size, name=f"picture-{n}")
        voice = await w.text_to_speech(row["line"], name=f"voice-{n}")
        clip = await w.edit("hold", image=picture, duration_s=3, push_in=0.15, name=f"clip-{n}")
        told = await w.edit("captions", video=clip, text=row["line"], name=f"told-{n}")
        await w.edit("mux-sound", video=told, audio=voice, name=f"spot-{n}")
