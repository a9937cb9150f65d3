"""Mistakes that are found long after a request was read, with the lines of its file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from fabric.errors import InputError
from fabric.request.spec import Spec

__all__ = ["locate_mistakes"]


@contextmanager
def locate_mistakes(spec: Spec) -> Iterator[None]:
    """Give mistakes that are at keys of a request their file and line, where they are known."""
    try:
        yield
    except InputError as error:
        raise InputError(
            [spec.mistake(each.place, each.text) if each.place else each for each in error.mistakes]
        ) from None
