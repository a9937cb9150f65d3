"""The price of a GPU for an hour: as it was given, or from what servers and fabric cost to buy."""

from __future__ import annotations

from dataclasses import dataclass

from fabric.request.spec import HOURS

__all__ = ["GpuHour"]


@dataclass(frozen=True)
class GpuHour:
    """The price of one GPU for an hour, in `currency`, and what it is made of.

    A price that was given stands for everything. Otherwise what is bought is written off evenly over its years, in
    which every GPU of the fabric is in use all the time. Neither electricity nor buildings nor people are in it.
    """

    given_usd: float | None = None
    """The price as it was given; None where nobody has."""
    servers_usd: float | None = None
    """What all servers cost to buy; None where a price was given, or one of theirs is not known."""
    fabric_usd: float | None = None
    """What the fabric costs to buy, with spare parts; None where a price was given, or a part is not known."""
    gpus: int = 0
    """The GPUs of the fabric, whether the run uses them or not."""
    years: float | None = None
    """The years over which they are written off; None where nobody says."""
    missing: tuple[str, ...] = ()
    """What would have to be known; none where the price is."""
    currency: str = "USD"
    """The currency of all amounts."""

    @property
    def usd(self) -> float | None:
        """The price of a GPU for an hour; None where it is not known."""
        if self.given_usd is not None:
            return self.given_usd
        parts = self.servers_hour_usd, self.fabric_hour_usd
        return None if parts[0] is None or parts[1] is None else parts[0] + parts[1]

    @property
    def servers_hour_usd(self) -> float | None:
        """The part of the servers in the price; None where it is not known."""
        return self._per_hour(self.servers_usd)

    @property
    def fabric_hour_usd(self) -> float | None:
        """The part of the fabric in the price; None where it is not known."""
        return self._per_hour(self.fabric_usd)

    def _per_hour(self, bought_usd: float | None) -> float | None:
        if bought_usd is None or self.years is None:
            return None
        return bought_usd / (self.gpus * self.years * HOURS)
