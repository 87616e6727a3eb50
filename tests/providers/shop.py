"""The name under which tests outside this folder know the harness."""

from tests.providers.harness import STILL, Shop, opened

__all__ = ["STILL", "Shop", "opened"]
