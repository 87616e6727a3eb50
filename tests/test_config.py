"""The configuration: where it is read from, what it says, and how it says no."""

from decimal import Decimal
from pathlib import Path

import pytest

from aggregator.config import Config, load_config
from aggregator.errors import ConfigurationError

EVERYTHING = """
directory = "store"
budget_usd = "100.00"
follow_successor = true
allow_ephemeral = true
[providers.fal]
api_key_env = "FAL_KEY_STAGING"
base_url = "http://127.0.0.1:8000/"
concurrency = 10
requests_per_second = 5.0
[providers.runway]
enabled = false
[roles]
shot = "veo-3.1"
voice = { prototype = "kokoro-82m", final = "elevenlabs-v3" }
[tiers]
"veo-3.1" = "workhorse"
[policy]
review = "hero"
[routing]
allow = ["fal:*", "veo-3.1"]
deny = ["runway"]
[registry]
paths = ["./models"]
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_nothing_written_gives_the_defaults(here):
    config = load_config(None, {})
    assert config.directory == Path(".aggregator")
    assert config.budget_usd is None
    assert {stage: chosen.tier for stage, chosen in config.policy.items()} == {
        "prototype": "workhorse",
        "final": "hero",
    }
    assert (config.routing.allow, config.routing.deny, config.registry.paths) == ((), (), ())
    assert not config.follow_successor
    assert not config.allow_ephemeral


def test_every_key_is_read(here):
    file = here / "sub" / "my.toml"
    file.parent.mkdir()
    file.write_text(EVERYTHING)
    config = load_config(file, {})
    assert config.directory == file.parent / "store"
    assert config.budget_usd == Decimal("100.00")
    assert config.follow_successor
    assert config.allow_ephemeral
    fal = config.providers["fal"]
    assert (fal.api_key_env, fal.base_url, fal.enabled) == ("FAL_KEY_STAGING", "http://127.0.0.1:8000", True)
    assert (fal.concurrency, fal.requests_per_second) == (10, 5.0)
    assert config.providers["runway"].enabled is False
    assert config.roles["shot"] == "veo-3.1"
    assert config.roles["voice"] == {"prototype": "kokoro-82m", "final": "elevenlabs-v3"}
    assert config.tiers == {"veo-3.1": "workhorse"}
    tiers = {stage: chosen.tier for stage, chosen in config.policy.items()}
    assert tiers == {"review": "hero", "prototype": "workhorse", "final": "hero"}
    assert config.routing.allow == ("fal:*", "veo-3.1")
    assert config.registry.paths == (file.parent / "models",)


def test_where_the_file_is_looked_for(here):
    (here / "aggregator.toml").write_text('budget_usd = "1"')
    (here / "env.toml").write_text('budget_usd = "2"')
    (here / "given.toml").write_text('budget_usd = "3"')
    assert load_config(None, {}).budget_usd == 1
    assert load_config(None, {"AGGREGATOR_CONFIG": "env.toml"}).budget_usd == 2
    assert load_config(here / "given.toml", {"AGGREGATOR_CONFIG": "env.toml"}).budget_usd == 3
    assert load_config(None, {"AGGREGATOR_CONFIG": ""}).budget_usd == 1


def test_the_environment_moves_the_store(here):
    (here / "aggregator.toml").write_text('directory = "written"')
    assert load_config(None, {"AGGREGATOR_DIR": "/srv/store"}).directory == Path("/srv/store")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("budget_usd = 100.0", "budget_usd: write it as a string"),
        ("budget_usd = true", "budget_usd: write it as a string"),
        ('budget_usd = "0"', "budget_usd: a budget must be above zero"),
        ('budget_usd = "-1"', "budget_usd: a budget must be above zero"),
        ('budget_usd = "NaN"', "budget_usd: a budget must be above zero"),
        ('budget_usd = "lots"', "budget_usd: not an amount"),
        ('budget_usd = { year = "1" }', "budget_usd: there is no budget for each 'year'; there are total, day, week"),
        ("budget_usd = { month = 1.5 }", "budget_usd: write it as a string"),
        ("warn_at = [0]", "warn_at.0"),
        ("warn_at = [101]", "warn_at.0"),
        ("warn_at = [80.5]", "warn_at.0"),
        ("[providers.fal.credits]", "providers.fal.credits.usd"),
        ("[providers.fal.credits]\nusd = 0.01", "providers.fal.credits.usd: write it as a string"),
        ('[providers.fal.credits]\nusd = "0.01"\nbudget = { day = "0" }', "providers.fal.credits.budget: a budget"),
        ('directroy = "x"', "unknown key 'directroy'; did you mean 'directory'?"),
        ("[routing]\nalow = []", "routing: unknown key 'alow'; did you mean 'allow'?"),
        ("[providers.fal]\nconcurency = 3", "providers.fal: unknown key 'concurency'; did you mean 'concurrency'?"),
        ("[providers.fal]\nzzz = 3", "providers.fal: unknown key 'zzz'; known keys: api_key_env"),
        ("[providers.fal]\nconcurrency = 0", "providers.fal.concurrency"),
        ("[providers.fal]\nenabled = 1", "providers.fal.enabled"),
        ('[providers.fal]\nbase_url = "ftp://x"', "providers.fal.base_url: write an address"),
        (
            '[providers.fal]\nbase_url = "http://me:pw@x"',
            "providers.fal.base_url: an address holds no user or password",
        ),
        ("providers = 3", "providers"),
        ("[roles]\nshot = 3", "roles.shot: write a model or a pinned offer"),
        ('[roles]\nshot = { finale = "veo-3.1" }', "roles.shot: unknown stage 'finale'; [policy] has prototype, final"),
        ('[tiers]\n"veo-3.1" = "best"', "tiers.veo-3.1"),
        ('[policy]\nfinal = "best"', "policy.final.tier: Input should be 'workhorse' or 'hero'"),
        ("[policy]\nfinal = 3", 'policy.final: write a tier, "workhorse" or "hero", or a table'),
        ('[policy.review]\norder = "price"', 'policy.review: say which tier it wants: tier = "workhorse" or "hero"'),
        ('[policy.final]\norder = "prise"', "policy.final.order: did you mean 'price'? there are price, quality"),
        ('[policy.final]\norder = "mine"', 'or a function of your own as "module:name"'),
        ('[policy.final]\norder = "weighted"', "policy.final: weights: say how much each counts"),
        (
            '[policy.final]\norder = "price"\nweights = { price = 1 }',
            "weights are for order = \"weighted\", not 'price'",
        ),
        ("[policy.final]\nweights = { prise = 1 }", "policy.final.weights.prise"),
        ("[policy.final]\nquality_floor = 30", "policy.final.quality_floor"),
        ("[policy.final]\nquality_flor = 0.3", "unknown key 'quality_flor'; did you mean 'quality_floor'?"),
        ("[policy.final]\nmax_usd = 0.5", "policy.final.max_usd: write it as a string"),
        ('[policy.final]\nallow = [""]', "policy.final.allow.0: an empty pattern matches nothing"),
        ('[policy.final]\ncanary = { model = "x", share = 1 }', "policy.final.canary.share"),
        ("= 3", "not valid TOML: Invalid statement (at line 1, column 1)"),
    ],
)
def test_a_mistake_names_the_file_and_the_key(here, text, said):
    file = here / "aggregator.toml"
    file.write_text(text)
    with pytest.raises(ConfigurationError) as caught:
        load_config(None, {})
    assert str(caught.value).startswith("aggregator.toml: ")
    assert said in str(caught.value)


@pytest.mark.parametrize(
    "text",
    ['[providers.fal]\napi_key = "sk-secret"', '[providers.fal]\napi_key_env = "sk-secret:abc"', 'token = "sk-secret"'],
)
def test_a_key_in_the_file_is_refused_and_not_repeated(here, text):
    (here / "aggregator.toml").write_text(text)
    with pytest.raises(ConfigurationError) as caught:
        load_config(None, {})
    assert "sk-secret" not in str(caught.value)


def test_a_key_in_the_file_comes_with_advice():
    with pytest.raises(ConfigurationError, match="environment variable and name that variable in 'api_key_env'"):
        Config.of({"providers": {"fal": {"api_key": "x"}}})


def test_a_missing_file_is_said(here):
    with pytest.raises(ConfigurationError, match=r"nope\.toml: no such file; AGGREGATOR_CONFIG"):
        load_config(None, {"AGGREGATOR_CONFIG": "nope.toml"})
    with pytest.raises(ConfigurationError, match=r"nope\.toml: no such file; the path given"):
        load_config(Path("nope.toml"), {})


def test_it_is_frozen():
    config = Config.of({"budget_usd": "1"})
    with pytest.raises(ValueError, match="frozen"):
        config.budget_usd = Decimal(2)  # type: ignore[misc]


def test_a_mapping_is_checked_like_a_file():
    assert Config.of({"budget_usd": Decimal("2.5")}).budget_usd == Decimal("2.5")
    with pytest.raises(ConfigurationError, match="configuration: unknown key 'budget'; did you mean 'budget_usd'"):
        Config.of({"budget": "1"})


def test_budgets_may_be_for_periods_and_in_credits():
    config = Config.of(
        {
            "budget_usd": {"total": "100", "month": Decimal("20.5")},
            "warn_at": [50, 100],
            "providers": {"runway": {"credits": {"usd": "0.01", "budget": {"week": "300"}}}},
        }
    )
    assert config.budget_usd == {"total": Decimal(100), "month": Decimal("20.5")}
    assert config.warn_at == (50, 100)
    credit = config.providers["runway"].credits
    assert credit is not None
    assert (credit.usd, credit.budget) == (Decimal("0.01"), {"week": Decimal(300)})
    assert Config.of({}).warn_at == (80, 100)
