"""The columns of a table: their names, lists of them for messages, the one that an option names.

Belongs here: what histories and trends share. Does not: which column is taken without an option.
"""

import pyarrow as pa

from . import numbers, refusals
from .arrays import index, spread
from .dates import notation_of, read_column
from .layout import Layout
from .lookup import plain
from .refusals import Line, quoted
from .series import Series
from .table import Table

LISTED = 12
NUMBER_SHARE = 0.5  # of the cells in a column that an option names
SAMPLE, FIRST = 50, 3
SAME_DAYS = 0.9


class Beside:
    """The columns beside the dates, each with one cell per dated row."""

    def __init__(self, table: Table, layout: Layout, series: Series, date_column: int) -> None:
        self.table, self.layout, self.series = table, layout, series
        self.date_column = date_column
        self.indices = [i for i in range(table.width) if i != date_column]
        self.roles = layout.roles()[: table.width]
        self._cells: dict[int, pa.Array] = {}

    def following(self, series: Series) -> "Beside":
        """The same columns over the rows of another series."""
        if series is self.series:
            return self
        return Beside(self.table, self.layout, series, self.date_column)

    def cells(self, column: int) -> pa.Array:
        """The column's cells, one per dated row."""
        if column not in self._cells:
            self._cells[column] = self.table.at(column, self.series.rows)
        return self._cells[column]

    def role(self, column: int) -> str | None:
        """What the column's header stands for (a key of `words.HEADERS`), or None."""
        return self.roles[column] if column < len(self.roles) else None

    def name(self, column: int) -> str:
        """The column's header, with the ticker that a second header line gives it."""
        name = self.layout.name(column) or ""
        tickers = self.layout.tickers
        return f"{name} {tickers[column]}".strip() if column < len(tickers) else name

    def is_empty(self, column: int) -> bool:
        """Whether no cell holds a number."""
        cells = self.cells(column)
        if any(cell[:1].isdigit() for cell in cells[:FIRST].to_pylist()):
            return False
        return numbers.look(cells).number_share() == 0

    def is_dates(self, column: int) -> bool:
        """Whether the column holds the dates once more, as Unix time for one."""
        cells = self.cells(column)
        notation = notation_of(spread(cells, SAMPLE))
        if not notation:
            return False
        return any(
            pa.compute.equal(reading.days, self.series.days).true_count >= SAME_DAYS * len(cells)
            for reading in read_column(cells, notation)
        )

    def counts_rows(self, column: int) -> bool:
        """Whether it is an index: 0, 1, 2, … as pandas writes it."""
        cells = self.cells(column)
        first = cells[0].as_py() if len(cells) else ""
        if first not in ("0", "1") or cells[-1].as_py() != str(len(cells) - 1 + int(first)):
            return False
        return bool(cells.equals(index(len(cells), int(first)).cast(pa.string())))

    def line(self, row: int) -> Line:
        """The line of a dated row, for a message."""
        return self.table.line(self.table.body[self.series.rows[row].as_py()].as_py())

    @property
    def listed(self) -> str:
        """All columns with their numbers, for a message."""
        if not self.layout.header:
            return f"1 to {self.table.width}, without names"
        names = [f"{i + 1} {quoted(self.name(i))}" for i in range(self.table.width)]
        more = f", and {len(names) - LISTED} more" if len(names) > LISTED else ""
        return ", ".join(names[:LISTED]) + more

    @property
    def example(self) -> Line:
        """The header, or the first line of the data where there is none."""
        line = self.layout.header_line
        return self.table.line(self.layout.first if line is None else line)

    def wanted(self, wanted: str, option: str) -> int:
        """The column that `--option wanted` names by its header or its 1-based number.

        Raises `ReadError` if there is none, or if it holds no numbers.
        """
        names = [self.name(i) for i in range(self.table.width)]
        found = [i for i, name in enumerate(names) if name == wanted]
        found = found or [i for i, name in enumerate(names) if plain(name) == plain(wanted)]
        if not found and wanted.isdigit() and 1 <= int(wanted) <= len(names):
            found = [int(wanted) - 1]
        facts = {"wanted": quoted(wanted), "option": option, "columns": self.listed}
        if not found:
            raise refusals.NO_SUCH_COLUMN.refused(self.example, **facts)
        if len(found) > 1:
            raise refusals.SAME_NAMES.refused(self.example, **facts)
        if found[0] == self.date_column:
            raise refusals.UNUSABLE_COLUMN.refused(self.example, **facts, what="the dates")
        if numbers.look(self.cells(found[0])).number_share() < NUMBER_SHARE:
            raise refusals.UNUSABLE_COLUMN.refused(self.example, **facts, what="no numbers")
        return found[0]
