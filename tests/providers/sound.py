"""The name under which tests of sound outside this folder know the harness."""

from tests.providers.harness import DETAIL, faults_of
from tests.providers.harness import Shop as Studio
from tests.providers.harness import opened as studio
from tests.providers.record import VOICES

__all__ = ["DETAIL", "VOICES", "Studio", "faults_of", "studio"]
