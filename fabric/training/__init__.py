"""What a fabric costs a training run: how a model is divided over GPUs, what they send, and the time of a step."""

from fabric.training.message import Message

__all__ = ["Message"]
