"""Every task has a verb, and each verb makes the request that its words say."""

from typing import Any

import pytest

from aggregator import Media, Reference, Request
from aggregator.errors import RequestError
from aggregator.tasks import TASKS
from aggregator.verbs import Verbs

A, B = Media(url="https://a.example/a"), Media(url="https://a.example/b")


class Heard(Verbs[Any]):
    """Keeps what would have been served."""

    async def generate(self, request: Request, **options: Any) -> Any:
        return request, options


CASES: list[tuple[str, str, tuple[Any, ...], dict[str, Any]]] = [
    ("text-to-image", "text_to_image", ("p",), {"prompt": "p", "size": (8, 8), "format": "webp"}),
    ("image-to-image", "image_to_image", (A, "p"), {"image": A, "prompt": "p", "mask": B, "strength": 0.0}),
    ("image-upscaling", "upscale_image", (A,), {"image": A, "factor": 2.0, "seed": 0}),
    ("text-to-video", "text_to_video", ("p",), {"prompt": "p", "duration_s": 5.0, "audio": False, "camera": "static"}),
    ("image-to-video", "image_to_video", (A, "p"), {"image": A, "prompt": "p", "last_image": B, "fps": 24.0}),
    ("video-to-video", "video_to_video", (A, "p"), {"video": A, "prompt": "p", "strength": 0.5}),
    ("video-extension", "extend_video", (A, "p"), {"video": A, "prompt": "p", "duration_s": 4.0}),
    ("video-upscaling", "upscale_video", (A,), {"video": A, "resolution": "4k"}),
    ("frame-interpolation", "interpolate_frames", (A,), {"video": A, "fps": 60.0}),
    ("lip-sync", "lip_sync", (A,), {"audio": A, "video": B}),
    ("text-to-speech", "text_to_speech", ("t",), {"text": "t", "prompt": "softly", "voice": "v", "language": "en"}),
    ("speech-to-speech", "speech_to_speech", (A, "v"), {"audio": A, "voice": "v", "format": "mp3"}),
    ("text-to-sound", "text_to_sound", ("p",), {"prompt": "p", "duration_s": 2.0}),
    ("text-to-music", "text_to_music", ("p",), {"prompt": "p", "lyrics": "la"}),
    ("video-to-audio", "video_to_audio", (A, "p"), {"video": A, "prompt": "p", "negative_prompt": "n"}),
]


def test_every_task_has_a_verb() -> None:
    assert {task for task, *_ in CASES} == set(TASKS)


@pytest.mark.parametrize(("task", "verb", "given", "values"), CASES, ids=[case[0] for case in CASES])
async def test_a_verb_makes_its_request_and_passes_the_options_on(
    task: str, verb: str, given: tuple[Any, ...], values: dict[str, Any]
) -> None:
    named = dict(list(values.items())[len(given) :])
    request, options = await getattr(Heard(), verb)(*given, **named, key="k", stage="final", max_usd="1")
    assert request.task == task
    assert request.values() == values
    assert options == {"key": "k", "stage": "final", "max_usd": "1"}


async def test_references_and_their_roles_are_carried() -> None:
    request, _ = await Heard().text_to_image("p", references=[Reference(image=A, role="style")])
    assert [(item.image, item.role) for item in request.values()["references"]] == [(A, "style")]


async def test_what_a_task_does_not_have_is_refused() -> None:
    with pytest.raises(RequestError, match="LipSync: camera: unknown parameter"):
        await Heard().lip_sync(A, video=B, camera="static")  # type: ignore[call-arg]
