"""What real machines say about their cabling, read from the files of many tools into one value."""

from fabric.discovery.discovery import KINDS, Discovery, Note
from fabric.discovery.read import read_discovery
from fabric.discovery.readers import READERS, Reader

__all__ = ["KINDS", "READERS", "Discovery", "Note", "Reader", "read_discovery"]
