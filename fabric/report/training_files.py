"""The files of a training step: the document, the timeline as a picture, and as a trace."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fabric.atomic_write import write_atomically
from fabric.draw import save
from fabric.export.chrome_trace import chrome_trace
from fabric.report.files import json_text
from fabric.report.pictures import training_picture
from fabric.training.step import TrainingStep

__all__ = ["write_training"]


def write_training(result: dict[str, Any], steps: Sequence[TrainingStep], folder: str | os.PathLike[str]) -> list[Path]:
    """Write training.json, and of each step timeline.svg, timeline.png and trace.json, to `folder`, as `write` does.

    Of several steps the names of these files begin with the number and the name of the step's fabric: `1-a-trace.json`.
    """

    def make(temporary: Path) -> list[str]:
        names = ["training.json"]
        (temporary / names[0]).write_text(json_text(result), encoding="utf-8")
        for number, step in enumerate(steps, 1):
            prefix = f"{number}-{step.name}-" if len(steps) > 1 else ""
            figure = training_picture(step)
            for suffix in ("svg", "png"):
                names.append(f"{prefix}timeline.{suffix}")
                save(figure, temporary / names[-1])
            names.append(f"{prefix}trace.json")
            (temporary / names[-1]).write_text(chrome_trace(step), encoding="utf-8")
        return names

    return write_atomically(folder, make)
