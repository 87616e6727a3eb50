"""Published schemas as the providers publish them, from the facts in `tests/data/schemas` and `tests/facts`."""

import json
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

from aggregator.discovery.found import FoundOffer

TESTS = Path(__file__).parents[1]
FILE = {
    "type": "object",
    "title": "File",
    "properties": {"url": {"type": "string"}, "content_type": {"type": "string"}},
    "required": ["url"],
}
EDGE = {"type": "integer", "exclusiveMinimum": 0, "maximum": 14142, "default": 512}
SIZE = {"type": "object", "title": "ImageSize", "properties": {"width": EDGE, "height": EDGE}}


@cache
def fal_facts() -> dict[str, Any]:
    """What is known of fal's endpoints: the task each is for, its input, its output."""
    return json.loads((TESTS / "data" / "schemas" / "fal.json").read_text(encoding="utf-8"))["endpoints"]


def fal_openapi(endpoint: str) -> dict[str, Any]:
    """The document of `GET /v1/models?endpoint_id=…&expand=openapi-3.0`."""
    facts = deepcopy(fal_facts()[endpoint])

    def content(name: str) -> dict[str, Any]:
        return {"content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}}}

    schemas = {"Input": facts["input"], "Output": facts["output"], "File": FILE, "ImageSize": deepcopy(SIZE)}
    return {
        "openapi": "3.0.4",
        "info": {"title": f"Queue OpenAPI for {endpoint}", "x-fal-metadata": {"endpointId": endpoint}},
        "components": {"schemas": {**schemas, **facts.get("schemas", {})}},
        "paths": {
            f"/{endpoint}/requests/{{request_id}}/status": {"get": {}},
            f"/{endpoint}": {"post": {"requestBody": {"required": True, **content("Input")}}},
            f"/{endpoint}/requests/{{request_id}}": {"get": {"responses": {"200": content("Output")}}},
        },
        "servers": [{"url": "https://queue.fal.run"}],
    }


def fal_model(endpoint: str, **about: Any) -> dict[str, Any]:
    """One entry of the list of models, with its document."""
    metadata = {"display_name": endpoint.title(), "status": "active", "kind": "inference", **about}
    return {"endpoint_id": endpoint, "metadata": metadata, "openapi": fal_openapi(endpoint)}


def fal_offer(endpoint: str) -> FoundOffer:
    return FoundOffer("fal", endpoint, status="active", schema=fal_openapi(endpoint))


def replicate_model(endpoint: str) -> dict[str, Any]:
    """A model of Replicate's, from what the pages of its versions say."""
    facts = json.loads((TESTS / "facts" / "replicate.json").read_text(encoding="utf-8"))["endpoints"][endpoint]
    schema = facts["schema"]["properties"]["input"]
    owner, _, name = endpoint.partition("/")
    output = {"type": "string", "format": "uri", "title": "Output"}
    return {
        "owner": owner,
        "name": name,
        "description": "A model",
        "visibility": "public",
        "latest_version": {
            "id": "ed5b1767" + "0" * 56,
            "openapi_schema": _openapi({"Input": schema, "Output": output}),
        },
    }


def _openapi(schemas: dict[str, Any]) -> dict[str, Any]:
    return {"openapi": "3.0.2", "info": {"title": "Cog"}, "paths": {}, "components": {"schemas": schemas}}
