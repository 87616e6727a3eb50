"""What a feed may say: nothing that moves a paid request, a credential, or an answer."""

import json
from copy import deepcopy
from urllib.parse import urlsplit

import pytest

from aggregator._build import fill
from aggregator.backends import provider_names, provider_table
from aggregator.contract import Call, Provider
from aggregator.errors import FeedError
from aggregator.pricing.table import bundled_rates
from aggregator.registry.bounds import check
from aggregator.registry.bundle import catalogue_text
from aggregator.registry.load import bundled_rows

TABLES = {name: provider_table(name) for name in provider_names()}
TASK = "text-to-video"
OFFER = {
    "provider": "fal",
    "endpoint": "maker/model-1",
    "model": "model-1",
    "task": TASK,
    "checked": "2026-11-20",
    "fields": {"prompt": "prompt", "duration_s": {"to": "duration", "as": "{:g}s"}},
    "files": {"path": "video.url", "mime_type": "video/mp4"},
    "meters": [{"unit": "video_second", "quantity": "request.duration_s"}],
}
RATE = {"endpoint": "maker/model-1", "unit": "video_second", "usd": "0.10", "from": "2026-11-20"}
SAID = {
    "cards": {"model-1": {"maker": "maker", "tier": "hero"}},
    "offers": {TASK: [OFFER]},
    "boards": {},
    "rates": {"fal": [RATE]},
}


def feed(provider="fal", **changes):
    words = deepcopy(SAID)
    words["offers"][TASK][0] |= {"provider": provider, **changes}
    return words


def refusal(words):
    with pytest.raises(FeedError) as error:
        check(words, TABLES, source="feed")
    assert error.value.reason == "content"
    return str(error.value)


def test_an_offer_of_a_known_provider_is_taken():
    taken = check(feed(), TABLES, source="feed")
    assert list(taken.rows.offers) == [("fal", "maker/model-1", TASK)]
    assert taken.rates == {"fal": [RATE]}


def test_the_packages_own_catalogue_is_within_bounds():
    index = json.loads(catalogue_text(bundled_rows(), bundled_rates().rows))
    taken = check(index, TABLES, source="feed")
    assert (taken.rows.cards, taken.rates, taken.left_out) == (index["cards"], index["rates"], ())
    assert sum(map(len, index["offers"].values())) == len(taken.rows.offers)


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://evil.example/x",
        "//evil.example/x",
        "/fal-ai/veo",
        "../../admin",
        "fal-ai/../../admin",
        "fal-ai/./veo",
        "fal-ai//veo",
        "fal-ai/veo/",
        "fal-ai/veo?x=1",
        "fal-ai/veo#x",
        "@evil.example",
        ":443",
        "fal-ai\\veo",
        "fal-ai/%2e%2e/veo",
        "fal-ai/veo;x",
        "{model}",
        ".hidden",
        "-flag",
        "fal-ai/véo",
        "fal-ai/ve\to",
        "",
    ],
)
@pytest.mark.parametrize("name", ["endpoint", "version"])
def test_nothing_bends_the_address_of_an_order(name, endpoint):
    assert "endpoint" in (said := refusal(feed(**{name: endpoint}))) or "version" in said or "text" in said


@pytest.mark.parametrize("name", sorted(TABLES))
def test_a_word_of_a_feed_stands_behind_the_host_in_every_template(name):
    """What `bounds` relies on: an endpoint cannot be a part of the host."""
    provider = TABLES[name]
    spoken = [provider, *(provider.spoken(dialect) for dialect in provider.dialects)]
    calls = [call for one in spoken for call in (one.submit, one.poll, one.cancel, one.stream, *one.free.values())]
    calls += [end.submit for end in provider.tasks.values()]
    for call in (call for call in calls if isinstance(call, Call)):
        names = dict.fromkeys(("endpoint", "model", "version", "task", "dialect"), "w")
        url = fill_known(provider, call.url, names)
        bent = fill_known(provider, call.url, dict.fromkeys(names, "a@b:c/d"))
        assert urlsplit(url).netloc == urlsplit(bent).netloc, call.url


def fill_known(provider: Provider, template: str, names: dict[str, str]) -> str:
    import re

    known = {**dict.fromkeys(re.findall(r"\{(\w+)\}", template), "x"), **provider.cdns, **provider.hosts, **names}
    url = fill(template, known)
    return url if url.startswith("http") else (provider.base_url or "http://own.example").rstrip("/") + url


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"fixed": {"@headers.authorization": "Key x"}}, "may not write headers"),
        ({"fixed": {"@headers.host": "evil"}}, "may not write headers"),
        ({"fixed": {"@headers": {"host": "evil"}}}, "may not write headers"),
        ({"fixed": {"@query.fal_webhook": "evil"}}, "may not write headers"),
        ({"fixed": {"@query": {"a": "b"}}}, "may not write headers"),
        ({"fixed": {"@path.id": "x"}}, "may not write headers"),
        ({"fields": {"prompt": "@headers.x-prompt"}}, "may not write headers"),
        ({"fields": {"prompt": {"to": "prompt @query.prompt"}}}, "may not write headers"),
        ({"fixed": {"image_url": "https://evil.example/x.png"}}, "an address"),
        ({"fixed": {"image_url": "//evil.example/x.png"}}, "an address"),
        ({"fixed": {"output": "s3://bucket/x"}}, "an address"),
        ({"fixed": {"a": {"b": ["x", {"c": "https://evil.example"}]}}}, "an address"),
        ({"fixed": {"webhook_url": "evil.example"}}, "where an answer goes"),
        ({"fixed": {"callbackUrl": "evil.example"}}, "where an answer goes"),
        ({"fixed": {"a": {"webhook": "evil.example"}}}, "where an answer goes"),
        ({"fixed": {"a": [{"apiKey": "x"}]}}, "who pays"),
        ({"fixed": {"storage.bucket": "evil"}}, "where an answer goes"),
        ({"fixed": {"proxy": "evil"}}, "where an answer goes"),
        ({"fields": {"prompt": "webhook_url"}}, "where an answer goes"),
        ({"fields": {"prompt": {"to": "p", "values": {"a": "https://evil.example"}}}}, "an address"),
        ({"fields": {"prompt": {"to": "p", "values": {"a": {"notify": "x"}}}}}, "where an answer goes"),
        ({"fields": {"prompt": {"to": "p", "as": "{.__class__}"}}}, "a format"),
        ({"fields": {"prompt": {"to": "p", "as": "{:>99999999}"}}}, "a format"),
        ({"fields": {"prompt": {"to": "p", "as": "https://evil.example/{}"}}}, "a format"),
        ({"fields": {"prompt": {"to": "@path.language", "as": "..{:.0}"}}}, "may not write"),
        ({"fixed": {"a": "{model.__class__}"}}, "braces hold one name"),
        ({"fixed": {"a": "{model:>99999999}"}}, "braces hold one name"),
        ({"fixed": {"a": "{model!r}"}}, "braces hold one name"),
        ({"fixed": {"a": "{"}}, "braces hold one name"),
        ({"refs": {"it": "{id:>99999999}"}}, "braces hold one name"),
        ({"files": {"url": "https://evil.example/{id}", "mime_type": "video/mp4"}}, "files.url"),
        ({"files": {"url": "//evil.example/{id}", "mime_type": "video/mp4"}}, "files.url"),
        ({"files": {"url": "{evil}/{id}", "mime_type": "video/mp4"}}, "files.url"),
        ({"files": {"url": "/a/../../{id}", "mime_type": "video/mp4"}}, "files.url"),
        ({"files": {"url": "/a?to={id}", "mime_type": "video/mp4"}}, "files.url"),
        ({"files": {"url": "/{id.__class__}", "mime_type": "video/mp4"}}, "files.url"),
        ({"submit": {"method": "POST", "url": "https://evil.example"}}, "unknown key 'submit'"),
        ({"base_url": "https://evil.example"}, "unknown key 'base_url'"),
        ({"auth": {"env": ["HOME"]}}, "unknown key 'auth'"),
        ({"headers": {"host": "evil"}}, "unknown key 'headers'"),
        ({"build": "os:system"}, "unknown key 'build'"),
        ({"dialect": "elsewhere"}, "has no dialect"),
        ({"note": "\x1b[2Jgone"}, "control characters"),
        ({"note": "right\u202eleft"}, "control characters"),
        ({"source": "x" * 5000}, "more than 4000"),
        ({"model": "nobody"}, "unknown model"),
        ({"task": "image-to-video"}, "or elsewhere"),
    ],
)
def test_what_could_redirect_is_refused(changes, said):
    assert said in refusal(feed(**changes))


def test_the_providers_own_ways_may_be_used():
    """A path segment that its template asks for, and an address it has named itself."""
    words = {"family": "flux", "voice": "alexis", "language": "en"}
    row = {"task": "text-to-speech", "fields": {}, "meters": [], "fixed": {f"@path.{k}": v for k, v in words.items()}}
    said = feed("deepgram", **row)
    said["offers"] = {"text-to-speech": said["offers"][TASK]}
    assert check(said, TABLES, source="feed").rows.offers
    said["offers"]["text-to-speech"][0]["fixed"]["@path.voice"] = ".."
    assert "written into an address" in refusal(said)
    host = next(iter(TABLES["fal"].hosts))
    assert check(feed(files={"url": f"{{{host}}}/files/{{id}}"}), TABLES, source="feed").rows.offers


def test_what_the_client_writes_itself_is_closed():
    """Where a callback's address and an order's own id go."""
    for name, provider in TABLES.items():
        hook = provider.webhook
        for path in {hook.ask if hook else "", provider.reference} - {""}:
            task = next(iter(provider.tasks)).partition("@")[0]
            row = {"task": task, "fields": {}, "meters": [], "fixed": {path: "x"}}
            said = feed(name, **row)
            said["offers"] = {task: said["offers"][TASK]}
            assert path in refusal(said) or "may not" in refusal(said), (name, path)


def test_a_provider_without_a_table_is_left_out_and_said():
    words = feed("tomorrow")
    words["rates"] = {"tomorrow": [RATE]}
    taken = check(words, TABLES, source="feed")
    assert (taken.rows.offers, taken.rates) == ({}, {})
    assert taken.left_out == ("tomorrow: there is no provider of this name here",)
