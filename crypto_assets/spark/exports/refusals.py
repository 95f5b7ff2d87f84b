"""Every reason for which a file, or one line of it, is not read: what it says and what to do.

A reason is a template; `refused` and `text` fill it in. `REASONS` names them all, so a text belongs
here and nowhere else. An option is always written `--name VALUE`.
"""

from dataclasses import dataclass

from crypto_assets.spark.printable import printable
from crypto_assets.spark.problems import ReadError

LINE_SHOWN = 80  # characters of a line
CELL_SHOWN = 40


@dataclass(frozen=True)
class Line:
    """A line to show: its number in the file, from 1, and its text as it stands."""

    number: int
    text: str


@dataclass(frozen=True)
class Reason:
    """What is wrong (`says`) and what would help (`cure`); facts stand in them in braces."""

    says: str
    cure: str

    def text(self, **facts: object) -> str:
        """The reason in one line, with what the file holds made printable."""
        template = f"{self.says}; {self.cure}" if self.cure else self.says
        return template.format(**{name: _fact(value) for name, value in facts.items()})

    def refused(self, at: Line | None = None, **facts: object) -> ReadError:
        """The exception to raise; `at` is the line that shows it."""
        where = f" (line {at.number:,}: {shown(at.text)})" if at else ""
        return ReadError(self.text(**facts) + where)


def shown(text: str, limit: int = LINE_SHOWN) -> str:
    """A text of the file for a message: cut at `limit` characters, control characters escaped."""
    return printable(text if len(text) <= limit else text[: limit - 1] + "…")


def quoted(cell: str) -> str:
    """A cell or a header for a message."""
    return f"'{shown(cell, CELL_SHOWN)}'"


def listed(names: list[str], limit: int = 8) -> str:
    """Cells or headers for a message, the first `limit` of them."""
    more = f", and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(map(quoted, names[:limit])) + more


def counted(number: int, thing: str) -> str:
    """A number with its noun: 1 line, 2 lines."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def _fact(value: object) -> object:
    return printable(value) if isinstance(value, str) else value


# What the file is (text.py).
EMPTY = Reason("the file is empty", "download it again")
NOT_CSV = Reason("this is {what}, not a CSV file", "download the CSV export, or save it as CSV")
DAMAGED = Reason("{what}: the file is binary or damaged", "download it again")
BROKEN_CHARACTER = Reason("{what}", "save the file again as UTF-8")
LONG_LINE = Reason(
    "a line is longer than {limit:,} bytes: no price history or trend is so wide",
    "download the CSV export again",
)
TOO_LARGE = Reason(
    "{why}, as no daily file has; its beginning: {reason}", "download the daily file"
)

# Whether it is a table (table.py, layout.py).
NO_TABLE = Reason(
    "not a table: no line has two cells separated by a comma, semicolon, tab or |",
    "download the CSV export again",
)
TOO_WIDE = Reason(
    "a line has {count:,} columns: no price history or trend is that wide",
    "keep the dates and the values",
)
OPEN_QUOTES = Reason(
    "the quotes do not match there nor in many more lines", "save the file again as CSV"
)
HEADER_LENGTH = Reason(
    "the header has {names} names where the data have {cells} cells: which is which is not certain",
    "write one name per column",
)
LACKING_CELLS = Reason(
    "{count:,} lines have fewer cells than the header has names ({names}): which they lack is not "
    "certain",
    "write the missing delimiters",
)
MANY_LINES_AROUND = Reason(
    "{count:,} lines {where} the data hold no readable date", "keep the table and delete the rest"
)

# Which column (reading.py, choosing.py, trend.py).
NO_DATES = Reason("no column of dates was found{detail}", "write the dates as YYYY-MM-DD")
NO_PRICE_COLUMN = Reason(
    "it is not certain which column is the price ({columns}){detail}",
    "say which it is with --price COLUMN, its name or its number",
)
SEVERAL_PRICES = Reason(
    "several columns may be the price ({columns})",
    "say which it is with --price COLUMN, its name or its number",
)
NO_SUCH_COLUMN = Reason(
    "there is no column {wanted} ({columns})",
    "name one of them with --{option} COLUMN, or give its number",
)
SAME_NAMES = Reason(
    "several columns are named {wanted} ({columns})", "say which it is with --{option} NUMBER"
)
UNUSABLE_COLUMN = Reason(
    "the column {wanted} holds {what}",
    "name another one with --{option} COLUMN ({columns})",
)
NO_TREND_COLUMN = Reason(
    "it is not certain which column is the trend ({columns}){detail}",
    "say which it is with --term COLUMN, its name or its number",
)
SEVERAL_TERMS = Reason(
    "{count} terms in one file ({columns}){detail}",
    "download the one alone, or say which it is with --term COLUMN",
)
NO_VALUES = Reason(
    "no row has a {what}", "download it again, or say which column it is with --{option} COLUMN"
)
STACKED = Reason(
    "{count} currencies are stacked in one file ({names})", "keep the rows of one of them"
)
TREND_NOT_HISTORY = Reason(
    "this is search interest, not a price history{detail}",
    "add it with --trend FILE, or say --price COLUMN if these are prices",
)
HISTORY_NOT_TREND = Reason(
    "this is a price history, not search interest ({columns})",
    "add it with --history FILE, or say --term COLUMN if this is a trend",
)

# Which lines (layout.py, ragged.py, assembly.py). A bad line is shown by whoever shows its number.
CELLS = Reason("{count} where the other lines have {width}", "")
UNREADABLE_DATE = Reason("no readable date", "")
NO_DATE = Reason("no date", "")
NO_SUCH_DATE = Reason("no such date: {cell}", "")
FUTURE = Reason("the date {day} is in the future", "")
BAD_LINES = Reason(
    "{count:,} of {lines:,} lines cannot be read, the first because of: {problem}",
    "correct them, or download again",
)
NO_LINE = Reason("no line can be read: {reason}", "download again")

# How the days step (series.py, history.py, trend.py).
ALL_FUTURE = Reason(
    "no date is a day that has been: are they all in the future?", "correct the dates"
)
DATE_ORDER = Reason("the order of day and month is not certain", "say which it is: {readings}")
DAILY_DATES = Reason("the dates are daily", "keep those of one currency")
SEVERAL_A_DAY = Reason("several rows per day, so not daily", "download the daily history")
NOT_DAILY = Reason("the history is {pace}, not daily ({span})", "download the daily one")
HOURLY_TREND = Reason(
    "several rows per day: the trend is by hour or minute",
    "download a range of more than a week, so that it is by day, week or month",
)
TREND_PACE = Reason(
    "the trend is neither daily, weekly nor monthly: {pace}", "download one that is"
)

# Which day (days.py, cut.py). Those of a line that is left out need no cure.
TIME_OF_DAY = Reason(
    "the rows are of {time}, which may be midnight further east",
    "say --day stated if the first is of {stated}, --day next if it is of {next}",
)
TIMES_OF_DAY = Reason(
    "the rows are of different times of day ({times}), so that their days are not certain",
    "download daily data, or say --day stated if their days are the ones written, --day next if "
    "those from noon on are of the next day",
)
SEVERAL_VALUES = Reason(
    "{day} has different {what}s on lines {lines}{more}",
    "say which line holds with --duplicates first|last",
)
MANY_TWICE = Reason(
    "{count} dates occur more than once, {day} for one: are several series in one file",
    "keep one of them",
)
ONLY_CUT = Reason(
    "the only line with a date may be cut: the file has no line end", "download again"
)
CUT = Reason("the file ends here without a line end, and its last cell may be cut: left out", "")
NO_SECOND_VALUE = Reason("no {what}, and line {line} has one for {day}: left out", "")
NOT_OVER = Reason("{day} was not over, and line {line} has its {what} of midnight: left out", "")
NOT_CHOSEN = Reason("line {line} has the {what} that is kept for {day}: left out", "")

# Which decimal mark (history.py, trend.py).
PRICE_MARK = Reason("the decimal mark is not certain: {cell}", "{readings}")
BOTH_MARKS = Reason(
    "both decimal marks are used: {dot} and {comma}", "write all prices with one of them"
)
MARK_DENIED = Reason(
    "the decimal mark is not certain: {cell} has a decimal {mark}, but the other prices only make "
    "sense with a decimal {other}",
    "correct that cell, or download again",
)
LOST_DECIMALS = Reason(
    "the prices have neither decimals nor thousands separators ({cell}): a spreadsheet probably "
    "dropped the decimal mark",
    "download again, or say --decimal dot if they are whole numbers",
)

# Which number (sanity.py, order.py, steps.py, history.py, trend.py).
NOT_A_PRICE = Reason("not a price: {cell}", "")
NEGATIVE_PRICE = Reason("a negative price: {cell}", "")
NOT_A_TREND = Reason("not a trend value: {cell}", "")
NEGATIVE_TREND = Reason("a negative trend value: {cell}", "")
ABOVE_SCALE = Reason("above 100 on Google's scale of 0 to 100: {cell}", "")
NOT_WHOLE = Reason("no whole number, as Google writes them: {cell}", "")
TREND_MARK = Reason(
    "the mark in {cell} may be one of decimals or of thousands", "say --decimal dot|comma"
)
OUTLIER = Reason(
    "the price {cell} is more than {times} times off {neighbours}",
    "correct it, or accept it with --accept-outliers",
)
JUMPS = Reason(
    "the price jumps {times}-fold or more {up} times up and {down} times down, first on {day}: "
    "decimal marks lost in a spreadsheet?",
    "download again, or say --accept-outliers if this is real",
)
STRAY_DATE = Reason("the date {day} is out of order beside {around}", "")
NO_ORDER = Reason(
    "the dates neither ascend nor descend: {count} rows go the other way",
    "sort them by date, or download again",
)
SWAPPED_DATES = Reason(
    "day and month are swapped in the dates with a day up to 12 (a spreadsheet or script took them "
    "in the other order): prices run smoothly only if they are swapped back",
    "download again",
)
OUTSIDE = Reason(
    "the price lies outside low..high on {count} lines: decimal marks lost in a spreadsheet, or "
    "columns mixed up",
    "download again",
)
CROSSED = Reason("the low is above the high on {count} lines: columns mixed up", "download again")
FAR_OUTSIDE = Reason(
    "the price is far outside low..high: {cell}", "correct it, or accept it with --accept-outliers"
)
CONTRADICTED = Reason(
    "the stated change contradicts the prices on {count} of {known} lines: dates or prices were "
    "altered",
    "download again",
)

REASONS = {name: value for name, value in list(globals().items()) if isinstance(value, Reason)}
