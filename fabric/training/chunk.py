"""A part of a model that a rank has: what it computes, and what it sends."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from fabric.training.compute import LayerTimes
from fabric.training.message import Message
from fabric.training.messages import Call
from fabric.training.stages import Stage

__all__ = ["Chunk", "MessageTimes"]


class MessageTimes(Protocol):
    """The times of messages."""

    def seconds(self, message: Message, /) -> float:
        """Return the seconds of one call of a message."""
        ...

    def beside(self, message: Message, other: Message, /) -> float:
        """Return how many times as long a message takes while another one is sent all the while."""
        ...


@dataclass(frozen=True)
class Chunk:
    """A part of a model that a rank has: one of its virtual stages."""

    stage: Stage
    """What it has of the model."""
    compute: LayerTimes
    """The seconds of its computation for a micro-batch."""
    calls: tuple[Call, ...]
    """What ranks send for it."""

    @property
    def buckets(self) -> int:
        """The buckets in which its data-parallel messages of a step are sent, of several kinds the fewest."""
        joined = (int(call.forward + call.backward) for call in self.calls if call.part == "chunk")
        return min(joined, default=max(1, self.stage.layers))

    def of(self, cause: str, each: str = "micro-batch") -> Iterator[tuple[int, Call]]:
        """Yield its calls of a cause, each with the number of its parts that send it."""
        for call in self.calls:
            if call.message.cause == cause and call.each == each and (count := self.stage.count(call.part)):
                yield count, call

    def messages(
        self, cause: str, times: MessageTimes, each: str = "micro-batch", *, backward: bool
    ) -> dict[Message, float]:
        """Return the seconds of each message of a cause in a pass, without those of gradients of weights."""
        found: dict[Message, float] = {}
        for count, call in self.of(cause, each):
            often = 0.0 if call.beside else count * (call.backward if backward else call.forward)
            found[call.message] = found.get(call.message, 0.0) + (often and often * times.seconds(call.message))
        return found

    def messages_between(self) -> set[Message]:
        """Return what it sends to the next part."""
        return {call.message for call in self.calls if call.message.cause == "PP"}

    def sent_s(self, cause: str, times: MessageTimes, *, backward: bool) -> float:
        """Return the seconds of the messages of a cause in a pass of a micro-batch, one after another."""
        return sum(self.messages(cause, times, backward=backward).values())
