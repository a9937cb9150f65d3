"""The network: every device and link of a fabric as numpy columns."""

from fabric.network.network import Devices, Network

__all__ = ["Devices", "Network"]
