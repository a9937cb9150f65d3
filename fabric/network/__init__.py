"""The network: every device and link of a fabric as numpy columns."""

from fabric.network.network import Devices, Network, axis_label

__all__ = ["Devices", "Network", "axis_label"]
