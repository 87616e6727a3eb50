"""What the user decides: `aggregator.toml` and the environment, read once, checked, frozen.

Every error is a `ConfigurationError` that names the file, the key, the nearest known key and what to write. A value is
never repeated in a message: it may be a secret that was put in the wrong place.
"""

import difflib
import re
import tomllib
from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    ValidationError,
    model_validator,
)

from aggregator.errors import ConfigurationError
from aggregator.options import PERIODS
from aggregator.secret import Secret

__all__ = [
    "Config",
    "CreditSettings",
    "ProviderSettings",
    "RegistrySettings",
    "RoutingSettings",
    "StoreSettings",
    "Table",
    "WebhookSettings",
    "load_config",
    "nearest",
    "read_toml",
]

FILE_NAME = "aggregator.toml"
_STAGES: Mapping[str, Literal["workhorse", "hero"]] = {"prototype": "workhorse", "final": "hero"}
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def nearest(word: str, known: Iterable[str], *, count: int = 3) -> tuple[str, ...]:
    """The known words that look most like `word`."""
    return tuple(difflib.get_close_matches(word, sorted(set(known)), n=count, cutoff=0.5))


def read_toml(path: Path) -> dict[str, Any]:
    """Read one TOML file, or say which file, which line and why not."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{path}: not valid TOML: {error}") from None
    except UnicodeDecodeError:
        raise ConfigurationError(f"{path}: not UTF-8 text: save it as UTF-8") from None
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be read: {error.strerror or error}") from None


class Table(BaseModel):
    """A frozen table of a TOML file, whose unknown keys are refused with the nearest known one."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _known_keys(cls, values: Any) -> Any:
        if not isinstance(values, Mapping):
            raise ValueError("this must be a table")  # noqa: TRY004 - pydantic collects ValueErrors only
        known = [field.alias or name for name, field in cls.model_fields.items()]
        unknown = [key for key in values if key not in known]
        if unknown:
            raise ValueError("; ".join(cls._refusal(str(key), known) for key in unknown))
        return values

    @classmethod
    def _refusal(cls, key: str, known: Iterable[str]) -> str:
        close = nearest(key, known, count=1)
        hint = f"did you mean {close[0]!r}?" if close else f"known keys: {', '.join(known)}"
        return f"unknown key {key!r}; {hint}"

    @classmethod
    def read(cls, values: Mapping[str, Any], *, source: str) -> Self:
        """Check `values`; `source` (a file, mostly) stands first in the error."""
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            raise ConfigurationError(f"{source}: {_explain(error)}") from None


def _explain(error: ValidationError) -> str:
    problems = []
    for item in error.errors(include_url=False, include_input=False):
        where = ".".join(str(part) for part in item["loc"])
        message = item["msg"].removeprefix("Value error, ")
        problems.append(f"{where}: {message}" if where else message)
    return "; ".join(dict.fromkeys(problems))


def _money(value: object) -> Decimal:
    if isinstance(value, bool | float) or not isinstance(value, str | int | Decimal):
        raise ValueError('write it as a string, such as "100.00": a float is not an exact amount')  # noqa: TRY004
    try:
        amount = Decimal(value)
    except InvalidOperation:
        raise ValueError('not an amount: write US dollars as a string, such as "100.00"') from None
    if not amount.is_finite() or amount <= 0:
        raise ValueError("a budget must be above zero; leave it out for none")
    return amount


def _budget(value: object) -> Decimal | dict[str, Decimal]:
    if not isinstance(value, Mapping):
        return _money(value)
    unknown = [period for period in value if period not in PERIODS]
    if unknown:
        raise ValueError(f"there is no budget for each {unknown[0]!r}; there are {', '.join(PERIODS)}")
    return {period: _money(amount) for period, amount in value.items()}


def _variable(value: object) -> str:
    if not isinstance(value, str) or not _VARIABLE.fullmatch(value):
        raise ValueError('this is the name of an environment variable, such as "FAL_KEY_STAGING", never the key itself')
    return value


def _address(value: object) -> str:
    parts = urlsplit(value) if isinstance(value, str) else None
    if parts is None or parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError('write an address such as "http://127.0.0.1:8000"')
    if parts.username is not None or parts.password is not None:
        raise ValueError("an address holds no user or password: the credential comes from the environment")
    return str(value).rstrip("/")


def _callback_address(value: object) -> str:
    address = _address(value)
    parts = urlsplit(address)
    if parts.query or parts.fragment:
        raise ValueError("a callback address has no query: write it up to the path")
    if parts.scheme != "https" and not _is_loopback(parts.hostname or ""):
        raise ValueError("providers call back over https: write an address that begins with https://")
    return address


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _role(value: object) -> object:
    stages = isinstance(value, Mapping) and all(isinstance(model, str) for model in value.values())
    if not isinstance(value, str) and not stages:
        raise ValueError('write a model or a pinned offer, or one per stage: { prototype = "…", final = "…" }')
    return value


Budget = Annotated[Decimal | dict[str, Decimal], BeforeValidator(_budget)]
"""A figure for life; or several, by what they are for: `total`, `day`, `week`, `month`."""


class CreditSettings(Table):
    """Count a provider's bills in its own credits too, beside the dollars."""

    usd: Annotated[Decimal, BeforeValidator(_money)]
    """What one credit costs. A change counts from then on."""
    budget: Budget | None = None
    """Credits."""


class ProviderSettings(Table):
    """One provider. It is configured if it has a table here or its key variable is set."""

    api_key_env: Annotated[str, BeforeValidator(_variable)] | None = None
    base_url: Annotated[str, BeforeValidator(_address)] | None = None
    """The user's own address; trusted because the user wrote it: its host alone may be private, speak plain http and
    serve files on other ports.
    """
    table: Annotated[str, Field(pattern=r"^[\w.]+:\w+$")] | None = None
    """Where the provider's table is, for one of your own: `module:NAME`."""
    enabled: StrictBool = True
    concurrency: Annotated[StrictInt, Field(ge=1)] | None = None
    requests_per_second: Annotated[float, Field(gt=0)] | None = None
    credits: CreditSettings | None = None
    webhook_secret_env: Annotated[str, BeforeValidator(_variable)] | None = None
    """What the provider signs its callbacks with; the variable may hold two, with a blank between."""

    @classmethod
    def _refusal(cls, key: str, known: Iterable[str]) -> str:
        if key.lower() in ("api_key", "key", "token", "secret", "password"):
            return (
                f"{key!r} does not belong in a file: put the key into an environment variable "
                "and name that variable in 'api_key_env'"
            )
        return super()._refusal(key, known)


class NoKey(str):
    """Why a provider cannot be used, where the reason is that none of its key variables is set."""

    __slots__ = ()


class WebhookSettings(Table):
    """Being called back. Without `url` no provider is asked to; jobs are polled either way."""

    url: Annotated[str, BeforeValidator(_callback_address)] | None = None
    """Where `Aggregator.webhooks()` is reached from outside."""
    secret_env: Annotated[str, BeforeValidator(_variable)] | None = None
    """Signs callback addresses; the variable may hold two, with a blank between, while one replaces the other."""

    @model_validator(mode="after")
    def _signed(self) -> Self:
        if self.url is not None and self.secret_env is None:
            raise ValueError('addresses are signed: name a variable, secret_env = "AGGREGATOR_WEBHOOK_SECRET"')
        return self


class StoreSettings(Table):
    """Where jobs and money are written down: a file below `directory`, or a server that several machines share."""

    url_env: Annotated[str, BeforeValidator(_variable)] | None = None
    """Holds the URL of PostgreSQL: `postgresql://user:password@host/database`. `None`: SQLite."""

    @classmethod
    def _refusal(cls, key: str, known: Iterable[str]) -> str:
        if key.lower() in ("url", "dsn", "database", "database_url"):
            return (
                f"{key!r} does not belong in a file, because it may hold a password: put the URL into an environment "
                "variable and name that variable in 'url_env'"
            )
        return super()._refusal(key, known)

    def url(self, environ: Mapping[str, str]) -> Secret | None:
        """The URL of PostgreSQL; `None` for SQLite.

        Raises:
            ConfigurationError: The variable is not set.

        """
        if self.url_env is None:
            return None
        if not environ.get(self.url_env):
            raise ConfigurationError(
                f"[store] url_env names {self.url_env}, which is not set: set it to "
                "postgresql://user:password@host/database, or take url_env out for a store on SQLite"
            )
        return Secret(environ[self.url_env])


class RoutingSettings(Table):
    """Globs over offer ids, model ids or provider names. An empty `allow` allows all; `deny` wins."""

    allow: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()


class RegistrySettings(Table):
    """Directories of the user's own cards, offers and rates."""

    paths: tuple[Path, ...] = ()


Tier = Literal["workhorse", "hero"]
Role = Annotated[str | dict[str, str], BeforeValidator(_role)]


class Config(Table):
    """Everything that may be configured. Build it with `load_config` or `Config.of`."""

    directory: Path = Path(".aggregator")
    """The store and the artifacts."""
    budget_usd: Budget | None = None
    """Caps over all projects; `None`: none."""
    warn_at: tuple[Annotated[StrictInt, Field(ge=1, le=100)], ...] = (80, 100)
    """Percent of any budget at which a `budget_threshold` event says how much is used, once each."""
    settle_unknown: Literal["never", "assume_charged"] = "never"
    """What becomes of a purchase nobody has found out about in seven days, or as long as its provider keeps a result:
    its money stays reserved, or is booked as if it had been charged, which can be corrected.
    """
    follow_successor: StrictBool = False
    """A retired pin is served by its successor."""
    allow_ephemeral: StrictBool = False
    """Accept a store on a RAM disk."""
    providers: dict[str, ProviderSettings] = Field(default_factory=dict)
    roles: dict[str, Role] = Field(default_factory=dict)
    tiers: dict[str, Tier] = Field(default_factory=dict)
    policy: dict[str, Tier] = Field(default_factory=lambda: dict(_STAGES))
    """Stage to tier; the two stages of the library are always there."""
    routing: RoutingSettings = Field(default_factory=RoutingSettings)
    registry: RegistrySettings = Field(default_factory=RegistrySettings)
    store: StoreSettings = Field(default_factory=StoreSettings)
    webhooks: WebhookSettings = Field(default_factory=WebhookSettings)

    @classmethod
    def of(cls, values: Mapping[str, Any] | None = None, *, source: str = "configuration") -> Self:
        """Build it from a mapping with the layout of the file.

        Raises:
            ConfigurationError: A key or a value is not understood.

        """
        return cls.read(values or {}, source=source)

    @model_validator(mode="after")
    def _stages(self) -> Self:
        for stage, tier in _STAGES.items():
            self.policy.setdefault(stage, tier)
        for role, model in self.roles.items():
            for stage in model if isinstance(model, dict) else ():
                if stage not in self.policy:
                    raise ValueError(f"roles.{role}: unknown stage {stage!r}; [policy] has {', '.join(self.policy)}")
        return self


def load_config(path: Path | None, environ: Mapping[str, str]) -> Config:
    """Read the configuration: `path`, else `AGGREGATOR_CONFIG`, else `./aggregator.toml` if it exists, else defaults.

    Raises:
        ConfigurationError: The file is missing, malformed, or says something that is not understood.

    """
    file = path or (Path(environ["AGGREGATOR_CONFIG"]) if environ.get("AGGREGATOR_CONFIG") else None)
    if file is not None and not file.is_file():
        said = "the path given" if path else "AGGREGATOR_CONFIG"
        raise ConfigurationError(f"{file}: no such file; {said} must name an {FILE_NAME}")
    if file is None and Path(FILE_NAME).is_file():
        file = Path(FILE_NAME)
    config = Config.of() if file is None else _beside(file, Config.of(read_toml(file), source=str(file)))
    if environ.get("AGGREGATOR_DIR"):
        config = config.model_copy(update={"directory": Path(environ["AGGREGATOR_DIR"])})
    return config


def _beside(file: Path, config: Config) -> Config:
    """Paths written in a file are relative to that file, wherever the program was started."""
    paths = tuple(file.parent / path.expanduser() for path in config.registry.paths)
    return config.model_copy(
        update={
            "directory": file.parent / config.directory.expanduser(),
            "registry": config.registry.model_copy(update={"paths": paths}),
        }
    )
