"""The name under which tests of sound outside this folder know the harness."""

from tests.providers.cartesia.test_cartesia import VOICE
from tests.providers.harness import DETAIL, faults_of
from tests.providers.harness import Shop as Studio
from tests.providers.harness import opened as studio

VOICES = {"cartesia": VOICE}

__all__ = ["DETAIL", "VOICES", "Studio", "faults_of", "studio"]
