"""Piper's HTTP server (PyPI `piper-tts`, GPL-3.0: a process of its own): speech on a CPU.

There are no offers: write the card of the voices that you have, with `endpoint` as a name of your choice. It says that
its WAV is a page, refuses nothing but an empty text (with a page and HTTP 500), and reads with its first voice where it
does not know the one that was asked for: `limits = { voice = { values = […] } }` in your offer keeps to those you have.
"""

from pydantic import JsonValue

from aggregator import contract as c


def _length(speed: JsonValue) -> JsonValue:
    """How long a sound lasts, in proportion to the voice's own."""
    return round(1 / speed, 4) if isinstance(speed, int | float) else speed


PROVIDER = c.Provider(
    name="piper",
    docs="https://github.com/OHF-Voice/piper1-gpl/blob/main/docs/API_HTTP.md",
    checked="2026-11-21",
    base_url="",
    auth=c.Auth(env=()),
    submit=c.Call("POST", "/synthesize", read_s=300),
    probe=c.Call("GET", "/voices"),
    free={"voices": c.Call("GET", "/voices")},
    tasks={
        "text-to-speech": c.Endpoint(
            {"text": "text", "voice": "voice", "speed": c.To("length_scale", _length)},
            files=c.Files(mime_type="audio/wav", form="body"),
        ),
    },
)
