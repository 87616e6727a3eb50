"""The tables of the providers in memory, one for each way to find out about a request without an answer.

| table | what a client may do |
|---|---|
| `PROVIDER` | nothing: another request is another job |
| `REPLAYING` | send again: the key's first answer comes back |
| `EXPIRING` | the same, for an hour |
| `REJECTING` | send again: a key that was taken is refused; then look it up by its reference |
| `REFERRING` | look it up by its reference |
| `LISTING` | look through the jobs of that time |
| `CALLING` | be called back |
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from aggregator.contract import (
    Auth,
    Body,
    Call,
    Codes,
    Endpoint,
    Files,
    Flow,
    HttpRequest,
    Lookup,
    Meter,
    Provider,
    State,
    Status,
    UploadSource,
    Webhook,
)
from aggregator.errors import ProviderError

__all__ = [
    "CALLING",
    "EXPIRING",
    "KEPT_S",
    "KEY_TTL_S",
    "LISTED_WITHIN_S",
    "LISTING",
    "PROVIDER",
    "REFERRING",
    "REJECTING",
    "REPLAYING",
    "registry",
]

KEY_TTL_S = 3600.0
"""How long `EXPIRING` knows a key."""
KEPT_S = 3 * 86_400.0
"""How long a job stays where jobs are looked up, at least."""
LISTED_WITHIN_S = 30.0
"""How late a job may appear where jobs are looked up."""


def _bills(error: ProviderError) -> bool | None:
    return {"failed_free": False, "failed_billed": True}.get(error.code or "")


def _upload(source: UploadSource) -> Flow:
    content = Body(source.path, source.size_bytes)
    answer = yield HttpRequest("POST", "/files", {"content-type": source.mime_type}, content=content)
    return str(json.loads(answer.body)["url"])


PROVIDER = Provider(
    name="memory",
    docs="README.md",
    checked="2026-11-21",
    base_url="http://memory.invalid",
    auth=Auth(env=()),
    submit=Call("POST", "/jobs", capture={"id": "id"}),
    poll=Call("GET", "/jobs/{id}"),
    cancel=Call("DELETE", "/jobs/{id}"),
    status=Status("status", {state.value: state for state in State}, error="error.message", progress="progress"),
    codes=Codes(
        ("error.code",),
        {
            "moderated": "content_policy",
            "failed_free": "job_failed",
            "failed_billed": "job_failed",
            "failed_unclear": "job_failed",
            "invalid": "invalid_request",
            "key_taken": "invalid_request",
        },
    ),
    idempotency_header="X-Attempt",  # for the server's book; this table does not say that it is replayed
    upload=_upload,
    bills_failures=_bills,
    tasks={
        task: Endpoint(
            fields={"prompt": "prompt", "seed": "seed", **({"image": "image"} if task == "image-to-image" else {})},
            fixed={"endpoint": "{endpoint}"},
            files=Files("files[].url", "image/png"),
            meters=(Meter("image", "1", reported="usage.images"),),
            facts={"seed": "seed"},
        )
        for task in ("text-to-image", "image-to-image")
    },
)
REPLAYING = replace(PROVIDER, name="replaying", base_url="http://replaying.invalid", idempotency="replay")
EXPIRING = replace(REPLAYING, name="expiring", base_url="http://expiring.invalid", idempotency_ttl_s=KEY_TTL_S)

_BY_REFERENCE = Lookup(
    Call("GET", "/jobs?reference={attempt}"),
    jobs="jobs",
    reference="reference",
    created="created",
    complete_after_s=LISTED_WITHIN_S,
    kept_s=KEPT_S,
)
REFERRING = replace(
    PROVIDER, name="referring", base_url="http://referring.invalid", reference="reference", lookup=_BY_REFERENCE
)
REJECTING = replace(
    REFERRING,
    name="rejecting",
    base_url="http://rejecting.invalid",
    idempotency="reject",
    lookup=replace(_BY_REFERENCE, complete_after_s=None),
)
LISTING = replace(
    PROVIDER,
    name="listing",
    base_url="http://listing.invalid",
    lookup=Lookup(
        Call("GET", "/jobs?since={since_s}"),
        jobs="jobs",
        created="created",
        equal={"prompt": "prompt", "endpoint": "endpoint"},
        complete_after_s=LISTED_WITHIN_S,
        kept_s=KEPT_S,
    ),
)
CALLING = replace(PROVIDER, name="calling", base_url="http://calling.invalid", webhook=Webhook(ask="callback", id="id"))


def registry(directory: Path, offers: Mapping[str, str | None], *, tiers: Mapping[str, str] | None = None) -> Path:
    """Write a registry directory: one model per offer id (`memory:cheap`), at so many dollars a picture.

    `None` writes no rate. `tiers` names the models that are heroes.
    """
    rates: dict[str, list[str]] = {}
    for offer, usd in offers.items():
        provider, _, endpoint = offer.partition(":")
        model = f"{provider}-{endpoint}"
        card = f'[model]\nmaker = "nobody"\ntier = "{(tiers or {}).get(offer, "workhorse")}"\n'
        tables = "".join(f"[tasks.{task}]\n" for task in PROVIDER.tasks)
        _write(directory / "models" / f"{model}.toml", card)
        row = f'model = "{model}"\nendpoint = "{endpoint}"\nchecked = 2026-01-01\n{tables}'
        _write(directory / "offers" / provider / f"{endpoint}.toml", row)
        if usd is not None:
            rates.setdefault(provider, []).append(
                f'[[rate]]\nendpoint = "{endpoint}"\nunit = "image"\nusd = "{usd}"\nfrom = 2025-01-01\n'
            )
    for provider, rows in rates.items():
        _write(directory / "rates" / f"{provider}.toml", "\n".join(rows))
    return directory


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
