"""Send a datagram from each host's address to all others of its block, and print as JSON which pairs it arrived from.

Argument: a JSON file of hosts' names of namespaces, addresses and blocks. All sockets are of this process, each made in
the namespace of its host.
"""

from __future__ import annotations

import ctypes
import json
import select
import socket
import sys
import time
from itertools import permutations
from pathlib import Path

PORT, WAIT_S, AGAIN_S = 5000, 20.0, 0.5
CLONE_NEWNET = 0x40000000


def open_socket(device: str, address: str) -> socket.socket:
    """Return a socket on an address of a namespace, in which the process is afterwards."""
    with Path(f"/run/netns/{device}").open() as namespace:
        if ctypes.CDLL(None, use_errno=True).setns(namespace.fileno(), CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), device)
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.bind((address, PORT))
    return made


def main(file: str) -> None:
    """Send until all have arrived or the time is over."""
    hosts = json.loads(Path(file).read_text())
    sockets = {address: open_socket(device, address) for device, address, _ in hosts}
    missing = {(one[1], other[1]) for one, other in permutations(hosts, 2) if one[0] != other[0] and one[2] == other[2]}
    arrived, end = [], time.monotonic() + WAIT_S
    while missing and time.monotonic() < end:
        for one, other in missing:
            sockets[one].sendto(b"datagram", (other, PORT))
        again = time.monotonic() + AGAIN_S
        while missing and (left := again - time.monotonic()) > 0:
            for ready in select.select(list(sockets.values()), [], [], left)[0]:
                pair = ready.recvfrom(16)[1][0], ready.getsockname()[0]
                arrived += [pair] if pair in missing else []
                missing.discard(pair)
    sys.stdout.write(json.dumps(arrived))


if __name__ == "__main__":
    main(sys.argv[1])
