"""What the user decides: `aggregator.toml` and the environment, read once, checked, frozen.

Every error is a `ConfigurationError` that names the file, the key, the nearest known key and what to write. A value is
never repeated in a message: it may be a secret that was put in the wrong place.
"""

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, StrictBool, StrictInt, model_validator

from aggregator._toml import Table, money, nearest, read_toml
from aggregator.errors import ConfigurationError
from aggregator.options import PERIODS
from aggregator.policies import Globs, PolicySettings, Tier, long_form
from aggregator.secret import Secret

__all__ = [
    "ArtifactSettings",
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
_STAGES: Mapping[str, Tier] = {"prototype": "workhorse", "final": "hero"}
_PUBLIC_KEY = r"^[A-Za-z0-9+/]{43}=$"  # 32 bytes in base64
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def _budget(value: object) -> Decimal | dict[str, Decimal]:
    if not isinstance(value, Mapping):
        return money(value)
    unknown = [period for period in value if period not in PERIODS]
    if unknown:
        raise ValueError(f"there is no budget for each {unknown[0]!r}; there are {', '.join(PERIODS)}")
    return {period: money(amount) for period, amount in value.items()}


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


def _bucket(value: object) -> str:
    parts = urlsplit(value) if isinstance(value, str) else None
    if parts is None or parts.scheme != "s3" or not parts.hostname:
        raise ValueError('write a bucket, and where in it the files are kept: "s3://bucket/prefix"')
    if parts.netloc != parts.hostname or parts.query or parts.fragment:
        raise ValueError("a bucket's address holds no key and no options: the key comes from the environment")
    return str(value).rstrip("/")


def _feed(value: object) -> str:
    if isinstance(value, str) and value.strip() and "://" not in value:
        return value
    return _address(value)


def _listed(value: object) -> object:
    return (value,) if isinstance(value, str) else value


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

    usd: Annotated[Decimal, BeforeValidator(money)]
    """What one credit costs. A change counts from then on."""
    budget: Budget | None = None
    """Credits."""


class ProviderSettings(Table):
    """One provider. It is configured if it has a table here or its key variable is set."""

    api_key_env: Annotated[str, BeforeValidator(_variable)] | None = None
    api_key_header: Annotated[str, Field(pattern=r"^[A-Za-z0-9-]+: *[^{}]*\{key\}$")] | None = None
    """How the key is written, where a proxy of yours wants it otherwise: `"Authorization: Basic {key}"`."""
    base_url: Annotated[str, BeforeValidator(_address)] | None = None
    """The user's own address; trusted because the user wrote it: its host alone may be private, speak plain http and
    serve files on other ports.
    """
    base_urls: tuple[Annotated[str, BeforeValidator(_address)], ...] = ()
    """Several servers that serve the same: a job goes to the one with the fewest of ours, and stays with it. What is
    said of one (`concurrency`, `requests_per_second`) holds for each.
    """
    table: Annotated[str, Field(pattern=r"^[\w.]+:\w+$")] | None = None
    """Where the provider's table is, for one of your own: `module:NAME`."""
    enabled: StrictBool = True
    self_hosted: StrictBool | None = None
    """A server of your own. `None`: if the provider has no address until you give one."""
    concurrency: Annotated[StrictInt, Field(ge=1)] | None = None
    requests_per_second: Annotated[float, Field(gt=0)] | None = None
    credits: CreditSettings | None = None
    usd_per_gpu_hour: Annotated[Decimal, BeforeValidator(money)] | None = None
    """What an hour of a GPU costs you there: for your own, or rented by the hour."""
    gpu: Annotated[str, Field(pattern=r"\S")] | None = None
    """The card that runs there, such as `RTX 4090`: what a model takes that was never run is reckoned with it."""
    webhook_secret_env: Annotated[str, BeforeValidator(_variable)] | None = None
    """What the provider signs its callbacks with; the variable may hold two, with a blank between."""

    @model_validator(mode="after")
    def _one_or_several(self) -> Self:
        if self.base_urls and self.base_url is not None:
            raise ValueError("base_urls: write base_url for one server, base_urls for several")
        if len(set(self.base_urls)) < len(self.base_urls):
            raise ValueError("base_urls: the same address stands there twice")
        return self

    @property
    def addresses(self) -> tuple[str, ...]:
        """The user's own, in their order; empty where the provider's hold."""
        return self.base_urls or ((self.base_url,) if self.base_url else ())

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


class ArtifactSettings(Table):
    """Where files are kept beside `directory`, so that several machines share them. The key comes from the environment
    (`AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`, or the role of the machine).
    """

    url: Annotated[str, BeforeValidator(_bucket)] | None = None
    """A bucket that speaks S3: `s3://bucket/prefix`. `None`: files are on this machine only."""
    endpoint: Annotated[str, BeforeValidator(_address)] | None = None
    """Where it is served, if not by Amazon: `https://s3.example.com`."""
    region: Annotated[str, Field(pattern=r"^[a-z0-9-]+$")] | None = None
    """`None`: what the environment says, else `us-east-1`."""

    @model_validator(mode="after")
    def _of_a_bucket(self) -> Self:
        if self.url is None and (self.endpoint or self.region):
            raise ValueError('endpoint and region are those of a bucket: url = "s3://bucket/prefix"')
        return self

    @classmethod
    def _refusal(cls, key: str, known: Iterable[str]) -> str:
        if "key" in key.lower() or "secret" in key.lower() or "token" in key.lower():
            return (
                f"{key!r} does not belong in a file: the key comes from the environment, as AWS_ACCESS_KEY_ID and "
                "AWS_SECRET_ACCESS_KEY, or is the role of the machine"
            )
        return super()._refusal(key, known)


class RoutingSettings(Table):
    """Globs over offer ids, model ids or provider names. An empty `allow` allows all; `deny` wins."""

    allow: Globs = ()
    deny: Globs = ()
    spread: StrictBool = False
    """While a provider takes no more jobs, ask the next offer of the tier, at its price, instead of waiting."""


class RegistrySettings(Table):
    """Where cards, offers, readings and rates come from beside the package's own."""

    paths: tuple[Path, ...] = ()
    """Directories of the user's own, which win over everything else."""
    feed: Annotated[str, BeforeValidator(_feed)] | None = None
    """A bundle that takes the place of the package's own data while it is newer: an address, or a file."""
    feed_key: Annotated[tuple[Annotated[str, Field(pattern=_PUBLIC_KEY)], ...], BeforeValidator(_listed)] = ()
    """The public keys that may have signed it, in base64: several while one replaces another."""
    feed_ttl_s: Annotated[float, Field(ge=60)] = 3600.0
    """How often it is asked for while a client is open, in seconds."""
    feed_accept: tuple[str, ...] = ()
    """Rows that a guard held back, by globs over their ids: they may change as the feed says."""

    @model_validator(mode="after")
    def _signed(self) -> Self:
        if (self.feed is None) != (not self.feed_key):
            raise ValueError('a feed needs the key that it is signed with: feed = "https://…" and feed_key = "…"')
        return self


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
    replace_retired: StrictBool = False
    """A retired pin without a successor is served by its closest equivalent, else by any offer that the policy of the
    stage chooses for the task.
    """
    frozen: StrictBool = False
    """Order only as `lock` says; what has moved since is refused, at opening and when it is asked for."""
    lock: Path = Path("aggregator.lock")
    """What `aggregator lock` writes."""
    allow_ephemeral: StrictBool = False
    """Accept a store on a RAM disk."""
    providers: dict[str, ProviderSettings] = Field(default_factory=dict)
    roles: dict[str, Role] = Field(default_factory=dict)
    tiers: dict[str, Tier] = Field(default_factory=dict)
    policy: dict[str, Annotated[PolicySettings, BeforeValidator(long_form)]] = Field(default_factory=dict)
    """Stage to how its offers are chosen, or to a tier alone; the two stages of the library are always there."""
    routing: RoutingSettings = Field(default_factory=RoutingSettings)
    registry: RegistrySettings = Field(default_factory=RegistrySettings)
    store: StoreSettings = Field(default_factory=StoreSettings)
    artifacts: ArtifactSettings = Field(default_factory=ArtifactSettings)
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
            self.policy[stage] = self.policy.get(stage, PolicySettings()).of_tier(tier)
        for stage, chosen in self.policy.items():
            if chosen.tier is None:
                raise ValueError(f'policy.{stage}: say which tier it wants: tier = "workhorse" or "hero"')
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
    feed = config.registry.feed
    if feed is not None and "://" not in feed:
        feed = str(file.parent / Path(feed).expanduser())
    return config.model_copy(
        update={
            "directory": file.parent / config.directory.expanduser(),
            "lock": file.parent / config.lock.expanduser(),
            "registry": config.registry.model_copy(update={"paths": paths, "feed": feed}),
        }
    )
