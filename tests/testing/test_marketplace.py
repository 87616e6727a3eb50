"""The emulated hosts of many models make what our offers of them expect: a picture, a clip or a sound."""

import pytest

from aggregator.testing.emulator.marketplace import kind_of
from tests.facts.validate import offers_of


@pytest.mark.parametrize("provider", ["fal", "higgsfield", "huggingface", "replicate"])
def test_every_offer_gets_the_kind_of_file_it_expects(provider: str) -> None:
    offers = offers_of(provider)
    assert offers
    wrong = [
        f"{offer.id} for {offer.task}: {kind_of(offer.endpoint)}"
        for offer in offers
        if offer.mapping.files is None or kind_of(offer.endpoint) != offer.mapping.files.mime_type.partition("/")[0]
    ]
    assert not wrong
