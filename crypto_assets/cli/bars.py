"""Progress as bars on a terminal. Apart from `console`, as only this needs Rich's consoles."""

from __future__ import annotations

import logging

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)

from crypto_assets.resources.progress import Step


class Bars(logging.Handler):
    """One bar for each step."""

    def __init__(self) -> None:
        super().__init__()
        console = Console(stderr=True, highlight=False, markup=False, emoji=False, soft_wrap=True)
        self._progress = Progress(
            TextColumn("{task.description:<10}"),
            BarColumn(),
            TextColumn("{task.fields[shown]}"),
            TimeElapsedColumn(),
            console=console,
        )
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> None:
        self._progress.start()

    def __exit__(self, *error: object) -> None:
        self._progress.stop()

    def emit(self, record: logging.LogRecord) -> None:
        step: Step | None = record.step  # type: ignore[attr-defined]
        if step is None:
            self._progress.print(record.getMessage())
            return
        if step.name not in self._tasks:
            self._tasks[step.name] = self._progress.add_task(
                step.name, total=step.total, shown=step.shown(0)
            )
        task = self._tasks[step.name]
        before = self._progress.tasks[self._progress.task_ids.index(task)].completed
        done = step.reached(int(before))
        self._progress.update(task, completed=done, shown=step.shown(done))
