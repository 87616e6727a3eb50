"""Sounds: made and answered at once, in both formats, told truly, stopped when nobody waits for them any more."""

import io
import wave

import av
import pytest

ROUTE = "/v1/audio/generate"


async def test_a_sound_is_the_answer(server):
    asked = {"input": "rain", "audio_length": 1.5, "seed": 7, "negative_prompt": "wind", "num_inference_steps": 3}
    answer = await server.http.post(ROUTE, json=asked)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "audio/wav")
    assert (answer.headers["x-seed"], answer.headers["x-duration-s"]) == ("7", "1.5")
    assert float(answer.headers["x-inference-time-s"]) >= 0
    with wave.open(io.BytesIO(answer.content)) as sound:
        assert (sound.getframerate(), sound.getnchannels(), sound.getnframes()) == (8000, 2, 12_000)
        assert sound.readframes(1) == (16_383).to_bytes(2, "little") + (-32_767).to_bytes(2, "little", signed=True)
    told = server.sound.told
    assert (told["prompt"], told["negative_prompt"], told["generator"]) == ("rain", "wind", 7)
    assert (told["audio_end_in_s"], told["output_type"]) == (1.5, "np")
    assert server.jobs.all() == []


async def test_flac_is_made_where_it_is_asked_for(server):
    answer = await server.http.post(ROUTE, json={"input": "rain", "response_format": "flac"})
    assert answer.headers["content-type"] == "audio/flac"
    with av.open(io.BytesIO(answer.content)) as sound:
        stream = sound.streams.audio[0]
        assert (stream.codec_context.name, stream.rate, stream.channels) == ("flac", 8000, 2)


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"response_format": "mp3"}, "response_format"),
        ({"audio_length": 0}, "audio_length"),
        ({"audio_length": 3600}, "audio_length"),
        ({"input": " "}, "prompt"),
        ({"n": 2}, "n"),
        ({"size": "64x64"}, "size"),
        ({"callback_steps": 2}, "callback_steps"),
    ],
)
async def test_what_cannot_be_made_is_refused(server, fields, param):
    answer = await server.http.post(ROUTE, json={"input": "rain", **fields})
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, param)


async def test_a_key_that_comes_again_is_answered_with_the_same_sound(server):
    head = {"Idempotency-Key": "one"}
    first, again = [await server.http.post(ROUTE, json={"input": "rain"}, headers=head) for _ in range(2)]
    assert (first.content, first.headers["x-seed"]) == (again.content, again.headers["x-seed"])
    assert len(server.gate.steps) == 2


async def test_it_stops_after_a_step_when_nobody_waits_for_it(server):
    server.gate.shut()
    await server.hung_up(ROUTE, b'{"input": "rain", "num_inference_steps": 50}')
    server.gate.pass_one()
    [record] = server.jobs.all()
    assert (record.order.kind, record.status) == ("audio", "canceled")
    assert len(server.gate.steps) < 50
