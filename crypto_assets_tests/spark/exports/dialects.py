"""Writes price histories and trends in the dialects people really have; no tests here.

A `Dialect` says how a file is written; `write_history` gives its bytes. What is written is known
exactly (`Day` rows), so a test can compare what is read back with it.
"""

# ruff: noqa: RUF001, E501 - foreign letters, made-up markets, and a table of formats

import random
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal

MONTHS = {
    "en": ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"],
    "it": ["Gen", "Feb", "Mar", "Apr", "Mag", "Giu", "Lug", "Ago", "Set", "Ott", "Nov", "Dic"],
    "de": ["Jan", "Feb", "Mär", "Apr", "Mai", "Jun", "Jul", "Aug", "Sep", "Okt", "Nov", "Dez"],
    "ru": ["янв", "фев", "мар", "апр", "май", "июн", "июл", "авг", "сен", "окт", "ноя", "дек"],
}
DATES = {
    "mdy/": lambda d: f"{d:%m/%d/%Y}",
    "dmy/": lambda d: f"{d:%d/%m/%Y}",
    "dmy-": lambda d: f"{d:%d-%m-%Y}",
    "dmy.": lambda d: f"{d:%d.%m.%Y}",
    "mdy short": lambda d: f"{d.month}/{d.day}/{d:%y}",
    "dmy short": lambda d: f"{d.day}.{d.month}.{d:%y}",
    "iso": lambda d: d.isoformat(),
    "iso time": lambda d: f"{d.isoformat()} 00:00:00",
    "iso utc": lambda d: f"{d.isoformat()} 00:00:00 UTC",
    "iso ms": lambda d: f"{d.isoformat()}T00:00:00.000Z",
    "ymd/": lambda d: f"{d:%Y/%m/%d}",
    "korean": lambda d: f"{d:%Y- %m- %d}",
    "compact": lambda d: f"{d:%Y%m%d}",
    "Mon d, y": lambda d: f"{MONTHS['en'][d.month - 1]} {d:%d, %Y}",
    "d-Mon-yy": lambda d: f"{d.day}-{MONTHS['en'][d.month - 1]}-{d:%y}",
    "it d mon y": lambda d: f"{d.day} {MONTHS['it'][d.month - 1].lower()} {d.year}",
    "de d. Mon y": lambda d: f"{d.day}. {MONTHS['de'][d.month - 1]} {d.year}",
    "ru d mon y": lambda d: f"{d.day} {MONTHS['ru'][d.month - 1]} {d.year}",
    "chinese": lambda d: f"{d.year}年{d.month}月{d.day}日",
    "excel": lambda d: str(d.toordinal() - date(1899, 12, 30).toordinal()),
    "unix s": lambda d: str((d.toordinal() - 719163) * 86400),
    "unix ms": lambda d: str((d.toordinal() - 719163) * 86_400_000),
    "unix us": lambda d: str((d.toordinal() - 719163) * 86_400_000_000),
}
HEADERS = {
    "en": "Date|Price|Open|High|Low|Vol.|Change %",
    "it": "Data|Ultimo|Apertura|Massimo|Minimo|Vol.|Var. %",
    "pt": "Data|Último|Abertura|Máxima|Mínima|Vol.|Var%",
    "es": "Fecha|Último|Apertura|Máximo|Mínimo|Vol.|% var.",
    "fr": "Date|Dernier|Ouv.| Plus Haut|Plus Bas|Vol.|Variation %",
    "de": "Datum|Zuletzt|Eröffn.|Hoch|Tief|Vol.|+/- %",
    "ru": "Дата|Цена|Откр.|Макс.|Мин.|Объём|Изм. %",
    "tr": "Tarih|Şimdi|Açılış|Yüksek|Düşük|Hac.|Fark %",
    "vi": "Ngày|Lần cuối|Mở|Cao|Thấp|KL|% Thay đổi",
    "zh": "日期|收盘|开盘|高|低|交易量|涨跌幅",
    "id": "Tanggal|Terakhir|Pembukaan|Tertinggi|Terendah|Vol.|Perubahan%",
    "ja": "日付|終値|始値|高値|安値|出来高|変化率 %",
    "ko": "날짜|종가|시가|고가|저가|거래량|변동 %",
    "pl": "Data|Ostatnio|Otwarcie|Max.|Min.|Wol.|Zmiana%",
    "nl": "Datum|Laatste|Open|Hoog|Laag|Vol.|Verschil %",
    "xx": "Aaa|Bbb|Ccc|Ddd|Eee|Fff|Ggg",
}
LAYOUTS = {  # what stands in each column; d date, c close, o open, h high, l low, v volume, x change
    "investing": "dcohlvx",
    "five": "dcohl",
    "bars": "dohlcv",
    "two": "dc",
}
WORDS = {"d": "Date", "c": "Close", "o": "Open", "h": "High", "l": "Low", "v": "Volume"}


@dataclass(frozen=True)
class Day:
    """One day of a made-up market, prices as exact decimals."""

    day: date
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: int
    change: Decimal


@dataclass(frozen=True)
class Dialect:
    """How a file is written."""

    dates: str = "mdy/"
    decimal: str = "dot"
    grouped: bool = True
    delimiter: str = ","
    quoting: str = "all"  # all, needed
    newest_first: bool = True
    encoding: str = "utf-8-sig"
    line_end: str = "\n"
    last_line_end: bool = False
    language: str = "en"
    layout: str = "investing"
    indexed: bool = False


def market(
    first: date = date(2021, 11, 20),
    days: int = 400,
    price: str = "43210.5",
    places: int = 1,
    seed: int = 1,
) -> list[Day]:
    """A random walk of `days` days, prices with `places` decimals, oldest first."""
    chance = random.Random(seed)
    unit = Decimal(1).scaleb(-places)
    close = Decimal(price).quantize(unit)
    made = []
    for offset in range(days):
        opening = close
        close = max(unit, (opening * Decimal(1 + chance.gauss(0, 0.03))).quantize(unit))
        top, bottom = max(opening, close), min(opening, close)
        high = (top * Decimal(1 + chance.random() / 50)).quantize(unit)
        low = max(unit, (bottom * Decimal(1 - chance.random() / 50)).quantize(unit))
        change = ((close / opening - 1) * 100).quantize(Decimal("0.01"))
        day = first + timedelta(days=offset)
        volume = chance.randrange(1_000, 9_000_000)
        made.append(Day(day, opening, max(high, top), min(low, bottom), close, volume, change))
    return made


def number(value: Decimal, dialect: Dialect) -> str:
    """`value` with the dialect's marks."""
    text = f"{value:,f}" if dialect.grouped else f"{value:f}"
    if dialect.decimal == "comma":
        text = text.translate(str.maketrans(",.", ".,"))
    return text


def _cells(day: Day, dialect: Dialect) -> list[str]:
    plain = replace(dialect, grouped=False)
    made = {
        "d": DATES[dialect.dates](day.day),
        "c": number(day.close, dialect),
        "o": number(day.open, dialect),
        "h": number(day.high, dialect),
        "l": number(day.low, dialect),
        "v": number(Decimal(day.volume) / 1000, replace(dialect, grouped=False)) + "K",
        "x": number(day.change, plain) + "%",
    }
    made["v"] = number((Decimal(day.volume) / 1000).quantize(Decimal("0.01")), plain) + "K"
    return [made[slot] for slot in LAYOUTS[dialect.layout]]


def header(dialect: Dialect) -> list[str]:
    """The header cells of a dialect."""
    if dialect.layout in ("investing", "five"):
        return HEADERS[dialect.language].split("|")[: len(LAYOUTS[dialect.layout])]
    return [WORDS[slot] for slot in LAYOUTS[dialect.layout]]


def encode(rows: list[list[str]], dialect: Dialect) -> bytes:
    """Rows of cells as the bytes of a file."""
    lines = []
    for cells in rows:
        quoted = [
            '"' + cell.replace('"', '""') + '"'
            if dialect.quoting == "all" or dialect.delimiter in cell or '"' in cell
            else cell
            for cell in cells
        ]
        lines.append(dialect.delimiter.join(quoted))
    text = dialect.line_end.join(lines) + (dialect.line_end if dialect.last_line_end else "")
    return text.encode(dialect.encoding)


def data_rows(days: list[Day], dialect: Dialect) -> list[list[str]]:
    """The cells of every data line, in file order."""
    ordered = list(reversed(days)) if dialect.newest_first else days
    rows = [_cells(day, dialect) for day in ordered]
    return [[str(i), *cells] for i, cells in enumerate(rows)] if dialect.indexed else rows


def write_history(days: list[Day], dialect: Dialect) -> bytes:
    """The file of a market in a dialect."""
    names = ["", *header(dialect)] if dialect.indexed else header(dialect)
    return encode([names, *data_rows(days, dialect)], dialect)
