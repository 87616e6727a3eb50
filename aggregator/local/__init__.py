"""The embedded backend: animatics, sketches, sound and speech from prompt and seed, honest about being a stand-in.

Owns: `LocalApp`, loaded when it is first asked for, so that `aggregator.local.compute` and `.defaults` stay free of
the imaging and server libraries.
Refuses: to start without its extra; the error says how to install it.
"""

from typing import TYPE_CHECKING

from aggregator.errors import ConfigurationError

if TYPE_CHECKING:
    from aggregator.local.app import LocalApp

__all__ = ["LocalApp"]

_EXTRA_MODULES = ("av", "PIL", "starlette")


def __getattr__(name: str) -> object:
    if name != "LocalApp":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        from aggregator.local.app import LocalApp as Loaded
    except ImportError as missing:
        if (missing.name or "").split(".")[0] not in _EXTRA_MODULES:
            raise
        message = f'the local backend needs {missing.name}: pip install "aggregator[local]"'
        raise ConfigurationError(message) from missing
    return Loaded
