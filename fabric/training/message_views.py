"""The times of messages as they are, and as they would be without some of them or without what slows them down."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from fabric.training.message import Message
from fabric.training.message_time import MessageTime
from fabric.training.network_time import NetworkTime

__all__ = ["MessageView"]


@dataclass(frozen=True, eq=False)
class MessageView:
    """The times of the messages of a run on a fabric, of which some are left out."""

    network: NetworkTime
    """The fabric."""
    causes: frozenset[str] = frozenset()
    """The causes whose messages take no time."""
    parts: frozenset[str] = frozenset()
    """The parts of a message's time that are left out, such as `collisions`."""
    ideal: bool = False
    """Whether the network is ideal."""
    found: dict[tuple[Message, ...], MessageTime] = field(default_factory=dict, repr=False)
    """The times so far, of a message, and of one beside another."""

    def without_causes(self, causes: Iterable[str]) -> MessageView:
        """Return the view without the messages of these causes."""
        return replace(self, causes=frozenset(causes))

    def without_parts(self, parts: Iterable[str]) -> MessageView:
        """Return the view without these parts of the times."""
        return replace(self, parts=frozenset(parts))

    def on_ideal_network(self) -> MessageView:
        """Return the view of an ideal network."""
        return replace(self, ideal=True, found={})

    def seconds(self, message: Message) -> float:
        """Return the seconds of one call of a message."""
        if message.cause in self.causes:
            return 0.0
        time = self.time(message)
        left_out = math.fsum(getattr(time, f"{part}_s") for part in self.parts)
        return max(0.0, time.total_s - left_out)

    def key(self, messages: Iterable[Message]) -> tuple[object, ...]:
        """Return what is equal of views in which these messages take as long, alone and beside others."""
        alone = tuple(map(self.seconds, messages))
        shared = any(alone) and ("contention" not in self.parts, self.ideal)
        return (*alone, shared)

    def beside(self, message: Message, other: Message) -> float:
        """Return how many times as long a message takes while another one is sent all the while."""
        alone = self.time(message).total_s
        if "contention" in self.parts or not alone:
            return 1.0
        return max(1.0, self.time(message, other).total_s / alone)

    def time(self, *messages: Message) -> MessageTime:
        """Return the time of one call of a message, while the others are sent all the while."""
        if messages not in self.found:
            first, *others = messages
            self.found[messages] = (self.network.ideal if self.ideal else self.network.time)(first, others)
        return self.found[messages]
