"""What we ask of Hugging Face's router for each partner, and what we make of the partners' answers."""

import base64
from typing import Any

import pytest

from aggregator import errors
from aggregator.contract import State
from aggregator.providers.huggingface import PROVIDER
from aggregator.testing.emulator import Answer
from tests.providers.harness import STILL, Shop, plain

NAME = "huggingface"
WAN = "fal-ai/wan/v2.2-5b/text-to-video"


# ------------------------------------------------------------------------------------------------------ what is sent

PICTURE = "https://example.com/a.png"
CASES: list[tuple[str, tuple[Any, ...], str, dict[str, Any], tuple[str, dict[str, str], dict[str, Any]]]] = [
    (
        "text_to_image",
        ("a fox",),
        "stabilityai/stable-diffusion-3-medium-diffusers",
        {"size": "512x768", "seed": 3, "negative_prompt": "dogs"},
        (
            "/hf-inference/models/stabilityai/stable-diffusion-3-medium-diffusers",
            {},
            {"inputs": "a fox", "parameters": {"width": 512, "height": 768, "seed": 3, "negative_prompt": "dogs"}},
        ),
    ),
    (
        "text_to_image",
        ("a fox",),
        "fal-ai/flux/dev",
        {"size": "512x768"},
        ("/fal-ai/fal-ai/flux/dev", {}, {"prompt": "a fox", "image_size": {"width": 512, "height": 768}}),
    ),
    (
        "text_to_image",
        ("a fox",),
        "black-forest-labs/FLUX.1-schnell",
        {"size": "512x768"},
        (
            "/nscale/v1/images/generations",
            {},
            {
                "prompt": "a fox",
                "size": "512x768",
                "model": "black-forest-labs/FLUX.1-schnell",
                "response_format": "b64_json",
            },
        ),
    ),
    (
        "text_to_image",
        ("a fox",),
        "black-forest-labs/flux-dev",
        {"seed": 0},
        ("/replicate/v1/models/black-forest-labs/flux-dev/predictions", {}, {"input": {"prompt": "a fox", "seed": 0}}),
    ),
    (
        "text_to_image",
        ("a fox",),
        "wavespeed-ai/flux-dev",
        {"seed": 0},
        ("/wavespeed/api/v3/wavespeed-ai/flux-dev", {}, {"prompt": "a fox", "seed": 0}),
    ),
    (
        "image_to_image",
        (PICTURE, "a fox"),
        "fal-ai/flux-2/klein/9b/edit",
        {},
        (
            "/fal-ai/fal-ai/flux-2/klein/9b/edit",
            {"_subdomain": "queue"},
            {"image_url": PICTURE, "image_urls": [PICTURE], "prompt": "a fox"},
        ),
    ),
    (
        "image_to_image",
        (PICTURE, "a fox"),
        "black-forest-labs/flux-2-klein-9b",
        {},
        (
            "/replicate/v1/models/black-forest-labs/flux-2-klein-9b/predictions",
            {},
            {
                "input": {
                    "image": PICTURE,
                    "images": [PICTURE],
                    "input_image": PICTURE,
                    "input_images": [PICTURE],
                    "prompt": "a fox",
                }
            },
        ),
    ),
    (
        "text_to_video",
        ("a fox",),
        WAN,
        {"negative_prompt": "dogs"},
        (f"/fal-ai/{WAN}", {"_subdomain": "queue"}, {"prompt": "a fox", "negative_prompt": "dogs"}),
    ),
]


@pytest.mark.parametrize(("verb", "args", "endpoint", "options", "sent"), CASES, ids=[case[2] for case in CASES])
async def test_a_verb_sends_this(
    verb: str, args: Any, endpoint: str, options: dict[str, Any], sent: tuple[Any, ...], shop: Shop
) -> None:
    asked, made = await shop.bought(verb, *args, model=f"huggingface:{endpoint}", **options)
    assert plain(asked[0]) == ("POST", *sent)
    assert asked[0].headers["authorization"].startswith("Bearer hf_")
    assert len(made.artifacts) == 1


async def test_a_local_picture_goes_along_in_the_body(shop: Shop) -> None:
    asked, _ = await shop.bought("image_to_image", STILL, "a fox", model="huggingface:wavespeed-ai/flux-2-dev/edit")
    assert asked[0].json["image"] == f"data:image/png;base64,{base64.b64encode(STILL.read_bytes()).decode()}"


async def test_the_hosted_picture_is_asked_for_as_a_picture(shop: Shop) -> None:
    asked, made = await shop.bought(
        "text_to_image",
        "a fox",
        model="huggingface:stabilityai/stable-diffusion-3-medium-diffusers",
    )
    assert asked[0].headers["accept"] == "image/png"
    assert made.artifacts[0].mime_type == "image/png"


async def test_an_organisation_can_be_billed(shop: Shop) -> None:
    asked, _ = await shop.bought(
        "text_to_image",
        "a fox",
        model="huggingface:wavespeed-ai/flux-dev",
        provider_options={"huggingface": {"@headers.x-hf-bill-to": "acme"}},
    )
    assert asked[0].headers["x-hf-bill-to"] == "acme"
    assert asked[0].json == {"prompt": "a fox"}


# --------------------------------------------------------------------------------------------- every partner, each task

ROUTES = [(*task.partition("@")[::2],) for task in PROVIDER.tasks]


@pytest.mark.parametrize(("task", "dialect"), ROUTES)
async def test_every_route_delivers(task: str, dialect: str, shop: Shop) -> None:
    given = {"model": "x", "prompt": "a fox", "input": {"prompt": "a fox"}, "inputs": "a fox", "voice": "v"}
    given["image_url"] = PICTURE
    if dialect == "together-speech":
        given["input"] = "Good evening."
    endpoint = {"text-to-speech": "hexgrad/Kokoro-82M"}.get(
        task, f"maker/model/{task}" if dialect != "replicate" else f"maker/{task}"
    )
    if dialect == "replicate":
        endpoint = f"maker/{task}"
    delivery = await shop.result(await shop.submit(given, endpoint, task, dialect=dialect))
    assert len(delivery.files) == 1
    kind = {"video": "video/", "speech": "audio/", "image": "image/"}[task.rpartition("-")[2]]
    assert delivery.files[0].mime_type.startswith(kind)


@pytest.mark.parametrize(
    ("dialect", "answer", "state"),
    [
        ("fal-queue", {"status": "IN_QUEUE", "queue_position": 2}, State.QUEUED),
        ("fal-queue", {"status": "IN_PROGRESS"}, State.RUNNING),
        ("fal-queue", {"status": "COMPLETED"}, State.SUCCEEDED),
        ("together-video", {"id": "x"}, State.QUEUED),
        ("together-video", {"status": "queued"}, State.QUEUED),
        ("together-video", {"status": "in_progress"}, State.RUNNING),
        ("together-video", {"status": "completed"}, State.SUCCEEDED),
        ("together-video", {"status": "failed", "error": {"message": "no"}}, State.FAILED),
        ("wavespeed", {"data": {"status": "created"}}, State.QUEUED),
        ("wavespeed", {"data": {"status": "processing"}}, State.RUNNING),
        ("wavespeed", {"data": {"status": "completed"}}, State.SUCCEEDED),
        ("wavespeed", {"data": {"status": "failed", "error": "no"}}, State.FAILED),
    ],
)
async def test_every_word_of_the_partners(dialect: str, answer: dict[str, Any], state: State, shop: Shop) -> None:
    submission = await shop.submit({"prompt": "a fox", "model": "x"}, WAN, "text-to-video", dialect=dialect)
    shop.answer_once("GET /*", Answer(200, answer))
    assert (await shop.engine.poll(shop.backend, submission.handle)).state is state


@pytest.mark.parametrize("dialect", ["fal-queue", "together-video", "wavespeed", "replicate"])
async def test_a_job_can_fail(dialect: str, shop: Shop) -> None:
    shop.emulator.script("huggingface", "failed")
    body = {"prompt": "a fox", "model": "x", "input": {"prompt": "a fox"}}
    endpoint = "maker/video" if dialect == "replicate" else WAN
    submission = await shop.submit(body, endpoint, "text-to-video", dialect=dialect)
    error = await shop.failure(submission)
    assert error.accepted is True
    assert type(error) in (errors.JobFailedError, errors.UnavailableError)
    assert PROVIDER.bills_failures is None


@pytest.mark.parametrize(
    ("dialect", "endpoint", "task"),
    [("fal-queue", WAN, "text-to-video"), ("replicate", "maker/video", "text-to-video")],
)
async def test_a_job_can_be_refused_for_its_content(dialect: str, endpoint: str, task: str, shop: Shop) -> None:
    shop.emulator.script("huggingface", "moderated_output")
    body = {"prompt": "a fox", "input": {"prompt": "a fox"}}
    error = await shop.failure(await shop.submit(body, endpoint, task, dialect=dialect))
    assert type(error) is errors.ContentPolicyError


async def test_a_prediction_that_was_not_awaited_stays_unknown(shop: Shop) -> None:
    """The router has no documented way to ask for it again: what it bought nobody knows."""
    shop.emulator.script("huggingface", "succeeded:late")
    submission = await shop.submit({"input": {"prompt": "a fox"}}, "a/video", "text-to-video", dialect="replicate")
    assert submission.outcome == "unknown"
    assert submission.error is not None
    assert submission.error.accepted is None
    assert shop.emulator.requests[0].headers["prefer"] == "wait"


@pytest.mark.parametrize("dialect", ["", "fal", "fal-queue", "wavespeed"])
@pytest.mark.parametrize(
    ("fault", "outcome", "expected"),
    [
        ("bad_key", "rejected", errors.AuthenticationError),
        ("no_credit", "rejected", errors.QuotaError),
        ("forbidden", "rejected", errors.AuthenticationError),
        ("not_found", "rejected", errors.InvalidRequestError),
        ("invalid", "rejected", errors.InvalidRequestError),
        ("rate_limited", "rejected", errors.RateLimitError),
        ("unavailable", "unknown", errors.UnavailableError),
    ],
)
async def test_a_refused_submit(
    dialect: str, fault: str, outcome: str, expected: type[errors.ProviderError], shop: Shop
) -> None:
    shop.emulator.script("huggingface", fault)
    submission = await shop.submit({"prompt": "x", "inputs": "x"}, "fal-ai/flux/dev", "text-to-image", dialect=dialect)
    assert (submission.outcome, type(submission.error)) == (outcome, expected)
    assert submission.error is not None
    assert submission.error.request_id
    assert not shop.emulator.book


async def test_fal_refuses_content_in_its_own_words(shop: Shop) -> None:
    shop.emulator.script("huggingface", "moderated_input")
    submission = await shop.submit({"prompt": "x"}, "fal-ai/flux/dev", "text-to-image", dialect="fal")
    assert type(submission.error) is errors.ContentPolicyError


async def test_what_costs_nothing(shop: Shop) -> None:
    assert await shop.engine.probe(shop.backend) == "the key works"
    said: Any = await shop.engine.ask(
        shop.backend, PROVIDER.free["partners"], {"endpoint": "Wan-AI/Wan2.2-TI2V-5B"}, doing="asking for partners"
    )
    assert said["inferenceProviderMapping"]["fal-ai"]["providerId"] == WAN
    assert [plain(one)[1:3] for one in shop.emulator.requests] == [
        ("/api/whoami-v2", {}),
        ("/api/models/Wan-AI/Wan2.2-TI2V-5B", {"expand": "inferenceProviderMapping"}),
    ]
