"""The keys of requests and clusters for editors and readers.

`python -m fabric.request.schema` writes the JSON Schemas again.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from fabric.request.endpoints import EndpointKeys, JoinKeys
from fabric.request.limits import SHARED
from fabric.request.model import Request

__all__ = ["CLUSTER_FILE", "FILE", "cluster_schema_text", "key_table", "schema_text"]

FILE = Path(__file__).with_name("request.schema.json")
"""The shipped schema of a request."""

CLUSTER_FILE = Path(__file__).with_name("cluster.schema.json")
"""The shipped schema of a cluster."""


def schema_text() -> str:
    """Return the JSON Schema of a request as the text of its file."""
    return _write_schema("request", Request.model_json_schema())


def cluster_schema_text() -> str:
    """Return the JSON Schema of a cluster of several fabrics as the text of its file.

    A fabric has the keys of a request and those that say what it joins. Each key of a request may be among the common
    ones instead, so that none is required of a fabric.
    """
    models = (Request, EndpointKeys, JoinKeys)
    parts = models_json_schema([(model, "validation") for model in models])[1]["$defs"]
    request, endpoints, joins = (parts.pop(model.__name__)["properties"] for model in models)
    limits = parts["RequestLimits"]["properties"]
    following = {key: {"type": "null"} for key in ("server", "servers", "gpus")}
    fabric = {
        **_describe_mapping("A request for one fabric, and what it joins.", request | joins),
        "if": {"required": ["joins"]},
        "then": {"properties": following},
    }
    keys = {
        "$schema": request["$schema"],
        "name": {"description": "The name of the cluster.", "type": ["string", "number"]},
        "limits": _describe_mapping("Limits on all fabrics together.", {key: limits[key] for key in SHARED}),
        **endpoints,
        "common": _describe_mapping("Keys that apply to every fabric that does not set them.", request),
        "fabrics": {
            "description": "The fabrics by name.",
            "type": "object",
            "minProperties": 1,
            "additionalProperties": {"$ref": "#/$defs/Fabric"},
        },
    }
    cluster = _describe_mapping("A cluster of several fabrics.", keys)
    return _write_schema("cluster", {**cluster, "required": ["fabrics"], "$defs": {**parts, "Fabric": fabric}})


def _describe_mapping(description: str, properties: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a mapping that has these keys and no others."""
    return {"description": description, "type": "object", "properties": properties, "additionalProperties": False}


def _write_schema(kind: str, schema: dict[str, Any]) -> str:
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": f"urn:fabric-designer:{kind}:1"}
    return json.dumps({**head, **_close_mappings(schema)}, indent=2) + "\n"


def _close_mappings(schema: Any) -> Any:
    """Return a schema whose mappings refuse keys that match none of their patterns, as the model does."""
    if isinstance(schema, list):
        return [_close_mappings(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {"additionalProperties": False} if "patternProperties" in schema else {}
    return {key: _close_mappings(value) for key, value in schema.items()} | closed


def key_table(model: type[BaseModel]) -> str:
    """Return the table of the keys of `model` in Markdown, as docs/request.md shows it."""
    rows = ["| key | default | meaning |", "|---|---|---|"]
    for name, field in model.model_fields.items():
        default = "required" if field.is_required() else f"`{_format_default(field.default)}`"
        rows.append(f"| `{field.alias or name}` | {default} | {' '.join(str(field.description).split())} |")
    return "\n".join(rows) + "\n"


def _format_default(default: object) -> str:
    plain = default.model_dump() if isinstance(default, BaseModel) else default
    return plain if isinstance(plain, str) and plain else json.dumps(plain)


if __name__ == "__main__":
    FILE.write_text(schema_text(), encoding="utf-8")
    CLUSTER_FILE.write_text(cluster_schema_text(), encoding="utf-8")
