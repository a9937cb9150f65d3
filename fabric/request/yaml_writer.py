"""Write a request as YAML, from which the same request is read again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from fabric.request.yaml_reader import is_plain_text

__all__ = ["yaml_text", "yaml_value"]


class _Dumper(yaml.SafeDumper):
    """Writes no aliases, and quotes text that would be read as a number, a boolean or null."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
        """Write every value in full."""
        return True


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=None if is_plain_text(text) else "'")


_Dumper.add_representer(str, _represent_text)


def yaml_text(request: Mapping[str, Any], *, ascii_only: bool = False) -> str:
    """Return a request as YAML, its keys in their order, in lines of at most 80 characters where possible.

    With `ascii_only`, other letters are escaped as YAML has it.
    """
    return yaml.dump(dict(request), Dumper=_Dumper, sort_keys=False, allow_unicode=not ascii_only, width=78)


def yaml_value(value: Any) -> str:
    """Return a value as YAML on one line, to write after a key."""
    text: str = yaml.dump(
        value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=10**6, default_flow_style=True
    )
    return text.removesuffix("...\n").strip()
