"""The speaking child: reads an order on standard input, writes a WAV file to standard output, and ends.

Owns: the only use of eSpeak NG (GPL-3.0), loaded here by ctypes, in a process of its own, started by `voice`.
Refuses: to be imported by the rest of the library, to take text as an argument (arguments are public on a machine),
and to import anything from this package, so that the two programs stay apart.
"""

import ctypes
import io
import json
import sys
import wave

import espeakng_loader

RETRIEVAL_OUTPUT = 1
DO_NOT_EXIT_ON_ERROR = 0x8000
POSITION_IS_CHARACTER = 1
UTF8_TEXT = 1
RATE_PARAMETER = 1
BYTES_PER_SAMPLE = 2
EXIT_UNKNOWN_VOICE = 3
EXIT_NO_ENGINE = 4

SAMPLES_ARRIVED = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)


def main() -> int:
    """Speak one order: `{"text", "voice", "words_per_minute"}`."""
    order = json.load(sys.stdin.buffer)
    engine = ctypes.CDLL(espeakng_loader.get_library_path())
    data_path = espeakng_loader.get_data_path().encode()
    rate_hz = engine.espeak_Initialize(RETRIEVAL_OUTPUT, 0, data_path, DO_NOT_EXIT_ON_ERROR)
    if rate_hz <= 0:
        return EXIT_NO_ENGINE
    if engine.espeak_SetVoiceByName(order["voice"].encode()) != 0:
        return EXIT_UNKNOWN_VOICE
    engine.espeak_SetParameter(RATE_PARAMETER, int(order["words_per_minute"]), 0)
    samples = bytearray()

    def keep(block: "ctypes._Pointer[ctypes.c_short]", count: int, _events: int | None) -> int:
        if block and count > 0:
            samples.extend(ctypes.string_at(block, count * BYTES_PER_SAMPLE))
        return 0

    callback = SAMPLES_ARRIVED(keep)
    engine.espeak_SetSynthCallback(callback)
    text = order["text"].encode() + b"\0"
    engine.espeak_Synth(text, ctypes.c_size_t(len(text)), 0, POSITION_IS_CHARACTER, 0, UTF8_TEXT, None, None)
    engine.espeak_Synchronize()
    answer = io.BytesIO()
    with wave.open(answer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(BYTES_PER_SAMPLE)
        file.setframerate(rate_hz)
        file.writeframes(bytes(samples))
    sys.stdout.buffer.write(answer.getvalue())
    return 0


if __name__ == "__main__":
    sys.exit(main())
