"""XTTS behind its two servers: `xtts-api-server`, and in the dialect `coqui` the demo server of Coqui's TTS.

Both make WAV. There are no offers: write the card of your voices, with `endpoint` as a name of your choice. The weights
are under the Coqui public model licence: not for commercial use.
"""

from aggregator import contract as c

_WAV = c.Files(mime_type="audio/wav", form="body")

PROVIDER = c.Provider(
    name="xtts",
    docs="https://github.com/daswer123/xtts-api-server",
    checked="2026-11-21",
    base_url="",
    auth=c.Auth(env=()),
    submit=c.Call("POST", "/tts_to_audio/", read_s=600),
    probe=c.Call("GET", "/languages"),
    free={"voices": c.Call("GET", "/speakers_list"), "languages": c.Call("GET", "/languages")},
    error_message=("detail[].msg", "detail"),
    dialects={"coqui": {}},
    tasks={
        # All three are required there: an offer gives a language where the request has none (`fixed`), and says that a
        # voice is wanted (`required`).
        "text-to-speech": c.Endpoint({"text": "text", "voice": "speaker_wav", "language": "language"}, files=_WAV),
        "text-to-speech@coqui": c.Endpoint(
            {"text": "@query.text", "voice": "@query.speaker_id", "language": "@query.language_id"},
            files=_WAV,
            submit=c.Call("GET", "/api/tts", read_s=600),
            dialect="coqui",
        ),
    },
)
