"""The types of the values in a request: text, names, numbers and choices, each with its bounds."""

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
    "RATIO",
    "WRITING",
    "Any_",
    "AxisName",
    "AxisOrAll",
    "BundleName",
    "ConstantName",
    "Count",
    "Currency",
    "FamilyName",
    "Gbps",
    "HallName",
    "Name",
    "NameOrAll",
    "Planes",
    "PortName",
    "Price",
    "Pue",
    "Quantity",
    "Rails",
    "RateKey",
    "ResultKey",
    "Role",
    "ServerName",
    "Share",
    "SpareByTier",
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
    "custom_error",
    "known_name",
    "tag",
    "tag_choice",
]

MAX_GPUS = 100_000_000

_NAME = r"^[A-Za-z0-9(+_]([A-Za-z0-9 ._()+-]*[A-Za-z0-9_()+-])?$"
_AXIS = r"^[a-z][a-z0-9_]*(-[a-z][a-z0-9_]*)?$"
_AXIS_OR_ALL = rf"^(\*|{_AXIS[1:-1]})$"
_NAME_OR_ALL = rf"^(\*|{_NAME[1:-1]})$"
_BUNDLE = r"^[A-Za-z0-9_][A-Za-z0-9_.()+-]*$"
_KEY = r"^[A-Za-z_][A-Za-z0-9_.-]*$"
_CURRENCY = r"^[A-Z]{3}$"
_RATE = r"^[1-9][0-9]{0,6}$"
_PORT = r"^[A-Za-z0-9]([A-Za-z0-9 ._:/()#+-]{0,38}[A-Za-z0-9)])?$"
_HALL = r"^[A-Za-z0-9_-]{1,20}$"
_CONSTANT = r"^[a-z0-9_]+(\.[A-Za-z0-9_]+)*$"
RATIO = r"^(\d{1,4}(\.\d{1,6})?) ?: ?(\d{1,4}(\.\d{1,6})?)$"
"""A ratio as text."""
WRITING = {
    _NAME: "use letters a-z, digits and _ ( ) +, with spaces, dots and dashes only inside; a dash may end it",
    _AXIS: "write a tier, a bundle or an axis like `spine` or `leaf-spine`",
    _BUNDLE: "write a tier, a bundle or an axis like `spine` or `leaf-spine`",
    _AXIS_OR_ALL: "write a tier like `spine`, `server`, or `*` for all others",
    _NAME_OR_ALL: "write a model like `sn5600`, or `*` for all others",
    _KEY: "write a key like `leaf`, `leaf-spine` or `cost_usd.total`",
    _CURRENCY: "write the three capitals of a currency, such as USD or EUR",
    _RATE: "write a rate as a whole number of Gb/s",
    _PORT: "use up to 40 letters a-z, digits and . _ : / ( ) # + -, with blanks only inside",
    _HALL: "use up to 20 letters a-z, digits, _ and -",
    RATIO: "write for example 2, or 2:1",
    _CONSTANT: "write the path of a constant like `generations.hopper.channel_GBps`",
}
"""What to write, by the pattern that text must match."""

_CONTROL = ("Cc", "Cf", "Cs", "Zl", "Zp")


def _check_printable(text: str) -> str:
    """Refuse control characters, which could change what a terminal shows."""
    if any(unicodedata.category(letter) in _CONTROL for letter in text):
        raise custom_error("contains a line break or another control character; write it in one line")
    return text


def known_name(kind: str, names: Callable[[], Iterable[str]] = tuple) -> AfterValidator:
    """Return a validator that takes `names` and those that the context of the validation has under `kind`.

    `kind` is the word for people, such as `switch`.
    """

    def check(name: str, info: ValidationInfo) -> str:
        known = {*names(), *(info.context or {}).get(kind, ())}
        if name not in known:
            raise custom_error(f"unknown {kind} {name!r:.80}{nearest(name, known)}")
        return name

    return AfterValidator(check)


def _check_cents(price: float) -> float:
    """Refuse a price below one cent, for costs are counted in whole cents and it would vanish."""
    if 0 < price < 0.01:
        raise custom_error(f"{price:g} is less than a cent; write 0 or at least 0.01")
    return price


def custom_error(text: str) -> PydanticCustomError:
    """Return the error with the message `text`, to be raised by a validator."""
    return PydanticCustomError("custom", "{text}", {"text": text})


def tag(value: Any) -> str:
    """Return the tag of the form of `value`: `<name>`, `<list>` or `<mapping>`, and `<one>` for anything else."""
    tags: dict[type, str] = {str: "<name>", list: "<list>", dict: "<mapping>"}
    return tags.get(type(value), "<one>")


def tag_choice(value: Any) -> str:
    """Return the tag of a value that is a number, a list or the text `any`."""
    return "<any>" if isinstance(value, str) else tag(value)


Text = Annotated[str, StringConstraints(max_length=1000), AfterValidator(_check_printable)]
Name = Annotated[str, StringConstraints(max_length=100, pattern=_NAME)]
ServerName = Annotated[
    Name,
    known_name("server", catalog.servers),
    Field(json_schema_extra=lambda schema: schema.update(enum=list(catalog.servers()))),
]
SwitchName = Annotated[
    Name,
    known_name("switch", lambda: [*catalog.switches(), "any"]),
    Field(json_schema_extra=lambda schema: schema.update(examples=[*catalog.switches(), "any"])),
]
FamilyName = Annotated[Name, known_name("family")]
AxisName = Annotated[str, StringConstraints(max_length=60, pattern=_AXIS)]
AxisOrAll = Annotated[str, StringConstraints(max_length=60, pattern=_AXIS_OR_ALL)]
"""A tier, or `*` for all that are not named."""
NameOrAll = Annotated[str, StringConstraints(max_length=100, pattern=_NAME_OR_ALL)]
"""A model, or `*` for all that are not named."""
ResultKey = Annotated[str, StringConstraints(max_length=100, pattern=_KEY)]
RateKey = Annotated[str, StringConstraints(pattern=_RATE)]
PortName = Annotated[str, StringConstraints(pattern=_PORT)]
"""The name of a port, which tables, configurations and commands hold as it is."""
HallName = Annotated[str, StringConstraints(pattern=_HALL)]
ConstantName = Annotated[str, StringConstraints(max_length=100, pattern=_CONSTANT)]
"""The path to a constant in the table of the time model."""
Role = Annotated[AxisName, known_name("tier")]
"""A switch role of any family."""
UplinkRole = Annotated[AxisName, known_name("tier with uplinks")]
"""A role whose switches have links up."""
SurviveName = Annotated[AxisName, known_name("tier or plane")]
"""What may fail: a switch of a role, or a plane."""
BundleName = Annotated[str, StringConstraints(max_length=120, pattern=_BUNDLE), known_name("bundle")]
"""A bundle of any family, or the links of one kind of unlike servers."""
Any_ = Literal["any"]

Count = Annotated[int, Field(ge=1, le=1_000_000)]
Gpus = Annotated[int, Field(ge=1, le=MAX_GPUS)]
Gbps = Annotated[int, Field(ge=1, le=1_000_000)]
Currency = Annotated[str, StringConstraints(pattern=_CURRENCY)]
Quantity = Annotated[float, Field(ge=0, le=1e9)]
Stock = Annotated[int, Field(ge=0, le=MAX_GPUS)]
Price = Annotated[Quantity, AfterValidator(_check_cents)]
Total = Annotated[float, Field(ge=1, le=1e13)]
Spare = Annotated[int, Field(ge=0, le=100_000)]
Years = Annotated[float, Field(gt=0, le=100)]
Tariff = Annotated[float, Field(ge=0, le=100_000)]
Pue = Annotated[float, Field(ge=1, le=10)]
Planes = Annotated[int, Field(ge=1, le=64)]
Tiers = Annotated[int, Field(ge=1, le=4)]
Rails = Annotated[int, Field(ge=1, le=10_000)]
SpareByTier = Annotated[
    Annotated[Spare, Tag("<one>")] | Annotated[dict[Role, Spare], Tag("<mapping>"), Field(min_length=1)],
    Discriminator(tag),
]
Split = Annotated[Annotated[int, Field(ge=2, le=8), Tag("<one>")] | Annotated[Text, Tag("<name>")], Discriminator(tag)]
Share = Annotated[float, Field(ge=0, le=1)]
PartKind = Literal["switch", "link", "module", "fibre", "cable", "nic"]
"""A kind of part of a bill."""

PricedKind = Literal[PartKind, "server"]
"""A kind of part that has a price: those of a bill, and servers."""


class StrictModel(BaseModel):
    """A mapping with known keys only, in which text is not taken for a number, nor a boolean for one."""

    model_config = ConfigDict(
        strict=True, extra="forbid", frozen=True, allow_inf_nan=False, use_attribute_docstrings=True
    )
