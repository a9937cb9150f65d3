"""The keys of a request for editors and readers; `python -m fabric.request.schema` writes the JSON Schema again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from fabric.request.model import Request

__all__ = ["FILE", "key_table", "schema_text"]

FILE = Path(__file__).with_name("request.schema.json")
"""The shipped schema."""


def schema_text() -> str:
    """Return the JSON Schema of a request as the text of its file."""
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "urn:fabric-designer:request:1"}
    return json.dumps({**head, **_close_mappings(Request.model_json_schema())}, indent=2) + "\n"


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
        rows.append(f"| `{field.alias or name}` | {default} | {field.description} |")
    return "\n".join(rows) + "\n"


def _format_default(default: object) -> str:
    plain = default.model_dump() if isinstance(default, BaseModel) else default
    return plain if isinstance(plain, str) and plain else json.dumps(plain)


if __name__ == "__main__":
    FILE.write_text(schema_text(), encoding="utf-8")
