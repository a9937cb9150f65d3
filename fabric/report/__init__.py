"""What a design run leaves behind: design object, report, bill and pictures, written whole or not at all."""

from fabric.report.document import SCHEMA, document
from fabric.report.files import write
from fabric.report.terminal import summary

__all__ = ["SCHEMA", "document", "summary", "write"]
