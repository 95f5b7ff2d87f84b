"""Damaged windows of real shapes: no accepted file is wrong by a factor, a day or a decimal mark.

The slow test prints how many files were accepted, and how many rows of these differ by less than
`FACTOR`: nobody can see a price times 1.5.
"""

from random import Random

import pytest

from .mutations import FACTOR, damaged, read, wrong_rows
from .real_shapes import SHAPES, Window, window

SEED = 20_000_000
FEW, MANY = 2_000, 200_000


def check(count: int) -> str:
    """Damages `count` windows; the figures of those that were accepted."""
    accepted, small, wrong = 0, 0, []
    for number in range(count):
        chance = Random(SEED + number)
        made = window(chance)
        content, done = damaged(made, chance)
        export = read(content)
        if export is None:
            continue
        accepted += 1
        for row in wrong_rows(export, made.truth):
            if row.factor and row.factor < FACTOR:
                small += 1
            else:
                wrong.append((number, made.shape.name, done, row, export.notes))
    assert wrong == []
    return f"{count:,} damaged files, {accepted:,} accepted, {small:,} rows differ by less than 10"


def test_undamaged_windows_are_read_as_they_are() -> None:
    for number in range(300):
        made = window(Random(number))
        export = read(made.content())
        if export is None:
            assert asked(made)
        else:
            assert list(wrong_rows(export, made.truth)) == []
            assert export.rows == len(made.truth)


def asked(made: Window) -> bool:
    """Whether a window is one of few that leave a choice: no change of clocks, or few dates."""
    return made.shape.name in ("Berlin in UTC", "two, comma")


def test_every_shape_has_windows() -> None:
    assert {window(Random(number)).shape.name for number in range(600)} == {
        shape.name for shape in SHAPES
    }


def test_a_few_damaged_files_are_read_right_or_not_at_all() -> None:
    check(FEW)


@pytest.mark.slow
def test_many_damaged_files_are_read_right_or_not_at_all(
    capsys: pytest.CaptureFixture[str],
) -> None:
    figures = check(MANY)
    with capsys.disabled():
        print(f"\n{figures}")  # noqa: T201 - the slow suite shows its figures
