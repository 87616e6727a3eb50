"""What no exchange with a provider shows of its table: its addresses, words, codes and limits, as plain JSON."""

import json
from typing import Any

from aggregator.contract import Call, Provider, Status

__all__ = ["pins_of", "spoken"]


def spoken(provider: Provider) -> dict[str, Provider]:
    """The table in each of its dialects, its own first."""
    return {"": provider, **{name: provider.spoken(name) for name in provider.dialects}}


def _status_json(status: Status | None) -> Any:
    if status is None:
        return None
    return {"path": status.path, "words": dict(status.words), "missing": status.missing, "error": status.error}


def _call_json(call: Any) -> Any:
    if not isinstance(call, Call):
        return None if call is None else "flow"
    return f"{call.method} {call.url}"


def _ends(seconds: float | None) -> list[float]:
    return [] if seconds is None else [seconds]


def pins_of(provider: Provider) -> dict[str, Any]:
    """What no exchange shows of a table: to be looked through once, and then held."""
    found: dict[str, Any] = {
        "hosts": dict(provider.hosts),
        "cdns": dict(provider.cdns),
        "concurrency": provider.concurrency,
        "requests_per_second": provider.requests_per_second,
        "idempotency": [provider.idempotency, provider.idempotency_header, *_ends(provider.idempotency_ttl_s)],
        "never_accepted": sorted(provider.never_accepted),
        "request_id_header": provider.request_id_header,
    }
    for name, table in spoken(provider).items():
        rule = table.bills_failures
        found[f"dialect {name}".strip()] = {
            "base_url": table.base_url,
            "auth": [list(table.auth.env), table.auth.header, table.auth.template],
            "status": _status_json(table.status),
            "follow": [[_call_json(stage.call), _status_json(stage.status)] for stage in table.follow],
            "codes": {"paths": list(table.codes.paths), "kinds": dict(table.codes.kinds)},
            "refusal": None if table.refusal is None else [table.refusal.path, list(table.refusal.ok)],
            "charge": None if table.charge is None else [table.charge.path, table.charge.usd, table.charge.at],
            "poll": _call_json(table.poll),
            "stream": _call_json(table.stream),
            "cancel": _call_json(table.cancel),
            "probe": _call_json(table.probe),
            "believes_body": table.believes_body,
            "bills_failures": "rule" if callable(rule) else rule,
            "result_ttl_s": table.result_ttl_s,
            "inputs": {kind: [list(taken.accepts), taken.max_bytes] for kind, taken in table.inputs.items()},
            "webhook": None
            if table.webhook is None
            else [table.webhook.ask, table.webhook.id, table.webhook.algorithm, table.webhook.signature],
        }
        if (lookup := table.lookup) is not None:
            found[f"dialect {name}".strip()]["lookup"] = {
                "call": _call_json(lookup.call),
                "sent": table.reference,
                "found": [lookup.jobs, lookup.reference, lookup.created, dict(lookup.equal)],
            }
    return json.loads(json.dumps(found))  # type: ignore[no-any-return]
