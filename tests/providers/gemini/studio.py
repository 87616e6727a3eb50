"""The name under which tests outside this folder know the harness."""

from tests.providers.harness import PNG

__all__ = ["PNG"]
