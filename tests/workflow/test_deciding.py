"""Why a step is made again, in words."""

from aggregator.tasks import TextToImage
from aggregator.workflow.deciding import differences


def test_of_long_prompts_what_differs_is_shown() -> None:
    same = "a lighthouse keeper, sixty, in a wool coat, looks out over the sea, "
    [line] = differences(TextToImage(prompt=same + "in summer"), TextToImage(prompt=same + "in winter"))
    assert line == "prompt: '…ver the sea, in summer' → '…ver the sea, in winter'"


def test_short_ones_are_shown_whole() -> None:
    lines = list(differences(TextToImage(prompt="a fox"), TextToImage(prompt="a hare", seed=7)))
    assert lines == ["prompt: 'a fox' → 'a hare'", "seed: – → 7"]
