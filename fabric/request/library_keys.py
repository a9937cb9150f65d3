"""The keys of the collective library: what users set of NCCL or RCCL."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from pydantic import AfterValidator, Field

from fabric.catalog import PROTOCOLS, LibrarySettings, library_tunings
from fabric.errors import InputError, nearest
from fabric.request.fields import StrictModel, custom_error, known_name

__all__ = ["LibraryKeys", "library_of", "parse_settings"]


_NUMBERS: dict[str, Callable[[str], float]] = {"channels": int, "qps": int, "nvlink_us": float, "network_us": float}


def _algorithms() -> tuple[str, ...]:
    """Return the algorithms that libraries choose from, and the one that they have where switches reduce."""
    return (*dict.fromkeys(name for tuning in library_tunings() for name in tuning.costs), "sharp")


def _check_version(version: str) -> str:
    if problem := _version_problem(version):
        raise custom_error(problem)
    return version


def _version_problem(version: str) -> str | None:
    """Return why no table chooses for a version; None where one does."""
    known = [f"{tuning.version} of {tuning.library.upper()}" for tuning in library_tunings()]
    if any(tuning.version == version for tuning in library_tunings()):
        return None
    return f"no table of version {version}; known: {', '.join(known)}"


class LibraryKeys(StrictModel):
    """What is set of the collective library (NCCL, or RCCL on GPUs of AMD); what is left out is the library's."""

    channels: Annotated[int, Field(ge=1, le=64)] | None = Field(default=None, examples=[32])
    """Channels of a communicator (NCCL_MIN_NCHANNELS and NCCL_MAX_NCHANNELS); default: two for each NIC, 16 for 8."""
    qps: Annotated[int, Field(ge=1, le=128)] | None = Field(default=None, examples=[4])
    """Queue pairs of a connection (NCCL_IB_QPS_PER_CONNECTION), each hashed on its own by ECMP; default: 1."""
    protocol: Annotated[str, known_name("protocol", lambda: PROTOCOLS)] | None = Field(default=None, examples=["ll128"])
    """Protocol (NCCL_PROTO): ll, ll128 or simple; default: the library chooses by size."""
    algorithm: Annotated[str, known_name("algorithm", _algorithms)] | None = Field(default=None, examples=["tree"])
    """Algorithm (NCCL_ALGO): ring, tree, nvls, nvls-tree or sharp, where it can run; default: the library chooses."""
    version: Annotated[str, AfterValidator(_check_version)] | None = Field(default=None, examples=["2.30"])
    """Version whose cost model chooses, in quotes: 2.30, 2.28 or 2.27 of NCCL, 2.26 of RCCL; default: the newest."""
    nvlink_us: Annotated[float, Field(ge=0, le=10_000)] | None = Field(default=None, examples=[1.2])
    """Latency of a step over NVLink in microseconds; default: that of the protocol and the GPUs' generation."""
    network_us: Annotated[float, Field(ge=0, le=10_000)] | None = Field(default=None, examples=[6.5])
    """Latency of a step over the network through one switch in microseconds; default: that of the protocol."""


def parse_settings(text: str) -> LibrarySettings:
    """Return the settings of a text such as `channels=32,protocol=ll128`; raises InputError."""
    values: dict[str, str | float] = {}
    keys = tuple(LibraryKeys.model_fields)
    for part in text.split(","):
        key, found, value = (each.strip() for each in part.partition("="))
        if not found or not value:
            raise InputError(f"nccl: '{part}' is not KEY=VALUE; write for example channels=32,protocol=ll128")
        if key not in keys:
            raise InputError(f"nccl: unknown key '{key}'{nearest(key, keys)}")
        if key in values:
            raise InputError(f"nccl.{key} is there twice; leave one out")
        if key in _NUMBERS:
            try:
                values[key] = _NUMBERS[key](value)
            except ValueError:
                raise InputError(f"nccl.{key} '{value}' is not a number") from None
        else:
            values[key] = value
    if "algorithm" in values and values["algorithm"] not in _algorithms():
        raise InputError(
            f"nccl: unknown algorithm '{values['algorithm']}'{nearest(str(values['algorithm']), _algorithms())}"
        )
    if "version" in values and (problem := _version_problem(str(values["version"]))):
        raise InputError(f"nccl.version: {problem}")
    return LibrarySettings(**values)  # type: ignore[arg-type]


def library_of(keys: LibraryKeys) -> LibrarySettings:
    """Return the settings that the keys ask for."""
    return LibrarySettings(**vars(keys))
