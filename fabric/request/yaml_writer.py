"""A request written as YAML, so that reading the text gives the same request again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from fabric.request.yaml_reader import is_plain_text

__all__ = ["yaml_text"]


class _Dumper(yaml.SafeDumper):
    """Writes no aliases, and quotes what would be read as a number, a boolean or nothing."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
        """Write a value out wherever it stands."""
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=None if is_plain_text(text) else "'")


_Dumper.add_representer(str, _text)


def yaml_text(words: Mapping[str, Any]) -> str:
    """Return the words of a request as YAML, in their order, in lines of at most 80 characters where words allow."""
    return yaml.dump(dict(words), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=78)
