"""A server without a jobs API against the compliance suite, by its own recording."""

from aggregator.providers.comfyui import PROVIDER
from aggregator.testing.compliance import ProviderCompliance
from tests.comfyui.record import NAME, OLDER
from tests.providers.own import cards_of


class TestOlder(ProviderCompliance):
    provider = PROVIDER
    recording = OLDER
    registry = cards_of(NAME)
