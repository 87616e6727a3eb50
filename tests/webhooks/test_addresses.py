"""The addresses that providers are given: what makes one, what believes one, and what the configuration must say."""

import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.backends import provider_table
from aggregator.callbacks import Callbacks, callbacks_of
from aggregator.config import Config
from aggregator.errors import ConfigurationError
from aggregator.secret import Secret
from aggregator.testing.memory_tables import CALLING
from tests.webhooks.tables import HOOKED, SIGNING, TELLING

URL = "https://api.example.com/hooks"
ONE, TWO = "0123456789abcdef-one", "0123456789abcdef-two"
BACK = Callbacks(URL, (Secret(ONE),), {"signing": (Secret("whsec_a2V5"),)})
ATTEMPT = "019c0ffee00abcdef0123.1"


def last(address: str) -> str:
    return address.rpartition("/")[2]


def test_an_address_names_its_attempt_and_no_other() -> None:
    address = BACK.address("calling", ATTEMPT)
    assert re.fullmatch(rf"{URL}/calling/{re.escape(ATTEMPT)}\.[A-Za-z0-9_-]{{24}}", address)
    assert BACK.attempt("calling", last(address)) == ATTEMPT
    token = last(address).rpartition(".")[2]
    assert BACK.attempt("signing", last(address)) is None
    assert BACK.attempt("calling", f"019c0ffee00abcdef0123.2.{token}") is None
    for wrong in ("", ".", token, f"{ATTEMPT}.", f".{token}", f"{ATTEMPT}.{token[:-1]}", f"{ATTEMPT}.{token}=", "é.ü"):
        assert BACK.attempt("calling", wrong) is None, wrong


@given(st.text(max_size=60))
def test_no_text_is_an_address_that_we_have_not_made(text: str) -> None:
    assert BACK.attempt("calling", text) is None


def test_no_token_of_an_empty_attempt() -> None:
    assert BACK.attempt("calling", last(BACK.address("calling", ""))) is None


def test_a_secret_is_replaced_without_losing_an_address() -> None:
    old = BACK.address("calling", ATTEMPT)
    both = replace(BACK, secrets=(Secret(TWO), Secret(ONE)))
    new = both.address("calling", ATTEMPT)
    assert old != new
    assert [both.attempt("calling", last(one)) for one in (old, new)] == [ATTEMPT, ATTEMPT]
    assert replace(BACK, secrets=(Secret(TWO),)).attempt("calling", last(old)) is None


def test_an_order_is_told_an_address_where_a_delivery_could_be_believed() -> None:
    assert BACK.asked(CALLING, ATTEMPT) == {"callback": BACK.address("calling", ATTEMPT)}
    assert BACK.asked(SIGNING, ATTEMPT) == {"callback": BACK.address("signing", ATTEMPT)}
    assert BACK.asked(replace(SIGNING, name="other"), ATTEMPT) == {}, "it signs with a secret that nobody gave"
    assert BACK.asked(HOOKED, ATTEMPT) == {}, "it calls an address of the account"
    assert BACK.asked(replace(CALLING, webhook=None), ATTEMPT) == {}
    assert Callbacks().asked(CALLING, ATTEMPT) == {}
    assert replace(BACK, url="").asked(CALLING, ATTEMPT) == {}


def test_a_secret_of_the_order_is_told_with_it_and_is_no_token() -> None:
    asked = BACK.asked(TELLING, ATTEMPT)
    secret = asked.pop("callback_secret")
    assert asked == {"callback": BACK.address("telling", ATTEMPT)}
    assert [secret] == BACK.order_secrets("telling", ATTEMPT)
    assert re.fullmatch("[0-9a-f]{64}", secret)
    assert secret != BACK.order_secrets("telling", f"{ATTEMPT}0")[0]
    assert ONE not in secret


def test_looks_are_fewer_only_for_an_order_that_was_told_our_address() -> None:
    told = {"callback": BACK.address("calling", ATTEMPT)}
    assert BACK.expected(CALLING, told)
    for body in ({}, {"callback": "https://elsewhere.example/x"}, {"callback": f"{URL}.evil.example/x"}):
        assert not BACK.expected(CALLING, body)
    assert not Callbacks().expected(CALLING, told)
    assert not BACK.expected(HOOKED, {}), "whether it was registered is not known here"


@pytest.mark.parametrize("name", ["fal", "bfl", "vidu", "higgsfield", "ark", "ideogram", "topaz"])
def test_providers_that_prove_it_without_a_secret_of_the_user(name: str) -> None:
    table = provider_table(name)
    asked = BACK.asked(table, ATTEMPT)
    assert table.webhook is not None
    assert asked[table.webhook.ask] == BACK.address(name, ATTEMPT)
    assert ("webhook_secret" in asked) is (name == "bfl")


# ------------------------------------------------------------------------------------------------------- configuration


def read(environ: dict[str, str] | None = None, **settings: Any) -> Callbacks:
    return callbacks_of(Config.of(settings), environ or {})


def test_two_secrets_stand_in_one_variable() -> None:
    webhooks = {"url": f"{URL}/", "secret_env": "HOOKS"}
    providers = {"replicate": {"webhook_secret_env": "REPLICATE_HOOKS"}}
    found = read({"HOOKS": f"{TWO} {ONE}", "REPLICATE_HOOKS": "whsec_YQ=="}, webhooks=webhooks, providers=providers)
    assert found.url == URL
    assert [one.reveal() for one in found.secrets] == [TWO, ONE]
    assert [one.reveal() for one in found.given["replicate"]] == ["whsec_YQ=="]
    assert ONE not in repr(found)


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({}, "HOOKS, which is not set"),
        ({"HOOKS": "  "}, "HOOKS, which is not set"),
        ({"HOOKS": "too-short"}, "HOOKS: a secret .* at least 16"),
        ({"HOOKS": f"{ONE} short"}, "HOOKS: a secret .* at least 16"),
        ({"HOOKS": f"{ONE} {TWO} {ONE}"}, "HOOKS holds 3 secrets"),
    ],
)
def test_a_secret_that_is_missing_is_said_by_its_variable(environ: dict[str, str], said: str) -> None:
    with pytest.raises(ConfigurationError, match=said) as caught:
        read(environ, webhooks={"url": URL, "secret_env": "HOOKS"})
    assert not any(word in str(caught.value) for word in (ONE, TWO, "too-short"))


def test_a_providers_secret_that_is_missing_is_said_by_its_variable() -> None:
    with pytest.raises(ConfigurationError, match=r"\[providers.replicate\] webhook_secret_env names RHOOKS, which"):
        read(providers={"replicate": {"webhook_secret_env": "RHOOKS"}})
    assert not read(providers={"replicate": {"webhook_secret_env": "RHOOKS", "enabled": False}}).on


@pytest.mark.parametrize(
    ("webhooks", "said"),
    [
        ({"url": URL}, "name a variable"),
        ({"url": "http://api.example.com/hooks", "secret_env": "HOOKS"}, "https"),
        ({"url": "https://user:pw@api.example.com/", "secret_env": "HOOKS"}, "no user"),
        ({"url": "https://api.example.com/?a=1", "secret_env": "HOOKS"}, "no query"),
        ({"url": URL, "secret": "x"}, "unknown key 'secret'"),
        ({"url": URL, "secret_env": "whsec_not+a+name"}, "environment variable"),
    ],
)
def test_what_cannot_be_meant_is_refused(webhooks: dict[str, str], said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        read({"HOOKS": ONE}, webhooks=webhooks)


@pytest.mark.parametrize("url", ["http://127.0.0.1:8000/x", "http://localhost:1", "http://[::1]:9", URL])
def test_plain_http_is_for_this_machine(url: str) -> None:
    assert read({"HOOKS": ONE}, webhooks={"url": url, "secret_env": "HOOKS"}).url == url


def test_nothing_configured_is_nothing_asked() -> None:
    assert read() == Callbacks()
    assert not read().on
