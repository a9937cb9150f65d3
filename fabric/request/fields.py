"""The kinds of words in a request: texts, names, numbers and choices, each with its limits."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Discriminator, Field, StringConstraints, Tag, ValidationInfo
from pydantic_core import PydanticCustomError

from fabric import catalog
from fabric.errors import nearest

__all__ = [
    "MAX_GPUS",
    "WRITING",
    "Any_",
    "AxisName",
    "BundleName",
    "Count",
    "FamilyName",
    "Gbps",
    "Name",
    "Planes",
    "Price",
    "Pue",
    "Quantity",
    "Rails",
    "RateKey",
    "Ratio",
    "ResultKey",
    "Role",
    "ServerName",
    "Share",
    "Split",
    "Stock",
    "StrictModel",
    "SurviveName",
    "SwitchName",
    "Tariff",
    "Text",
    "Tiers",
    "UplinkRole",
    "Years",
    "tag",
    "tag_choice",
    "wrong",
]

MAX_GPUS = 100_000_000

_NAME = r"^[A-Za-z0-9(+_]([A-Za-z0-9 ._()+-]*[A-Za-z0-9_()+-])?$"
_AXIS = r"^[a-z][a-z0-9_]*(-[a-z][a-z0-9_]*)?$"
_KEY = r"^[A-Za-z_][A-Za-z0-9_.-]*$"
_RATE = r"^[1-9][0-9]{0,6}$"
WRITING = {
    _NAME: "a name is of letters a-z, digits and _ ( ) +, with spaces, dots and dashes only inside; a dash may end it",
    _AXIS: "an axis or a bundle is written like `spine` or `leaf-spine`",
    _KEY: "a key is written like `leaf`, `leaf-spine` or `cost_usd.total`",
    _RATE: "a rate is a whole number of Gb/s",
}
"""What each pattern asks for, in words."""

_CONTROL = ("Cc", "Cf", "Cs", "Zl", "Zp")


def _printable(text: str) -> str:
    if any(unicodedata.category(letter) in _CONTROL for letter in text):
        raise wrong("holds a line break or another control character; write it in one line")
    return text


def _known(kind: str, catalogued: Callable[[], Iterable[str]] = tuple) -> AfterValidator:
    """Return a validator of names: those of the catalogue and those that the validation's context has for `kind`."""

    def check(name: str, info: ValidationInfo) -> str:
        known = {*catalogued(), *(info.context or {}).get(kind, ())}
        if name not in known:
            raise wrong(f"unknown {kind} '{name}'{nearest(name, known)}")
        return name

    return AfterValidator(check)


def _in_cents(price: float) -> float:
    """Refuse what is less than a cent, for costs are counted in cents and it would be nothing."""
    if 0 < price < 0.01:
        raise wrong(f"{price:g} is less than a cent; write 0 or at least 0.01")
    return price


def wrong(text: str) -> PydanticCustomError:
    """Return the error that says `text`, to be raised by a validator."""
    return PydanticCustomError("wrong", "{text}", {"text": text})


def tag(value: Any) -> str:
    """Return which of a key's forms `value` takes; what is neither text, list nor mapping is tried as the plain one."""
    tags: dict[type, str] = {str: "<name>", list: "<list>", dict: "<mapping>"}
    return tags.get(type(value), "<one>")


def tag_choice(value: Any) -> str:
    """Return the form of a value where the only text is `any`."""
    return "<any>" if isinstance(value, str) else tag(value)


Text = Annotated[str, StringConstraints(max_length=1000), AfterValidator(_printable)]
Name = Annotated[str, StringConstraints(max_length=100, pattern=_NAME)]
ServerName = Annotated[
    Name,
    _known("server", catalog.servers),
    Field(json_schema_extra=lambda schema: schema.update(enum=list(catalog.servers()))),
]
SwitchName = Annotated[
    Name,
    _known("switch", lambda: [*catalog.switches(), "any"]),
    Field(json_schema_extra=lambda schema: schema.update(examples=[*catalog.switches(), "any"])),
]
FamilyName = Annotated[Name, _known("family")]
AxisName = Annotated[str, StringConstraints(max_length=60, pattern=_AXIS)]
ResultKey = Annotated[str, StringConstraints(max_length=100, pattern=_KEY)]
RateKey = Annotated[str, StringConstraints(pattern=_RATE)]
Role = Annotated[AxisName, _known("tier")]
"""A switch role of any family."""
UplinkRole = Annotated[AxisName, _known("tier with uplinks")]
"""A role whose switches have links up."""
SurviveName = Annotated[AxisName, _known("tier or plane")]
"""What may fail: a switch of a role, or a plane."""
BundleName = Annotated[AxisName, _known("bundle")]
"""A bundle of any family."""
Any_ = Literal["any"]

Count = Annotated[int, Field(ge=1, le=1_000_000)]
Gbps = Annotated[int, Field(ge=1, le=1_000_000)]
Quantity = Annotated[float, Field(ge=0, le=1e9)]
Stock = Annotated[int, Field(ge=0, le=MAX_GPUS)]
Price = Annotated[Quantity, AfterValidator(_in_cents)]
Total = Annotated[float, Field(ge=1, le=1e13)]
Spare = Annotated[int, Field(ge=0, le=100_000)]
Years = Annotated[float, Field(gt=0, le=100)]
Tariff = Annotated[float, Field(ge=0, le=100)]
Pue = Annotated[float, Field(ge=1, le=10)]
Planes = Annotated[int, Field(ge=1, le=64)]
Tiers = Annotated[int, Field(ge=1, le=4)]
Rails = Annotated[int, Field(ge=1, le=10_000)]
Split = Annotated[Annotated[int, Field(ge=2, le=8), Tag("<one>")] | Annotated[Text, Tag("<name>")], Discriminator(tag)]
Share = Annotated[float, Field(ge=0, le=1)]
Ratio = Annotated[float, Field(ge=0.001, le=1000)]


class StrictModel(BaseModel):
    """Words of the request: numbers are not text, booleans are not numbers, and no word is unknown."""

    model_config = ConfigDict(
        strict=True, extra="forbid", frozen=True, allow_inf_nan=False, use_attribute_docstrings=True
    )
