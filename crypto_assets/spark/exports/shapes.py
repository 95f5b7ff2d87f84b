"""The shapes of file that are understood, one row each: docs/your-files.md has them as a table.

This is the one place to add a site: its row's `marks` are header words (in `lookup.plain` form)
that together name it. The words of languages are in words.py. No parsing happens here.
"""

import re
from dataclasses import dataclass

from .model import DecimalMark
from .words import HEADERS, TREND_TIMES

DAY = "YYYY-MM-DD"
_INVESTING_DAY = "[A-Z][a-z]{2} [0-9]{2}, [0-9]{4}|([0-9]{2}[/.-]){2}[0-9]{4}"
NO_HEADER = "(none) "  # before the names of the columns of a file that has none


@dataclass(frozen=True)
class Shape:
    """One understood shape: an example header, its dates, and a remark.

    `decimal` is the mark its site writes, where the numbers themselves leave it open; None if the
    site writes both. `marks` name it among headers; `whole`: only if the header has no other names.
    A shape without a header is known by the number of its columns and `first`, a pattern of the
    cell that begins its lines.
    """

    kind: str
    source: str
    header: str
    date: str
    decimal: DecimalMark | None = "dot"
    note: str = ""
    marks: frozenset[str] = frozenset()
    whole: bool = False
    first: str = ""

    @property
    def columns(self) -> list[str]:
        """The names of the columns of a shape without a header."""
        return self.header.removeprefix(NO_HEADER).split(",")


def _marks(names: str) -> frozenset[str]:
    return frozenset(names.split("|")) if names else frozenset()


def _history(source: str, header: str, date: str, note: str = "", marks: str = "") -> Shape:
    return Shape("history", source, header, date, note=note, marks=_marks(marks))


def _headerless(source: str, columns: str, date: str, first: str, note: str = "") -> Shape:
    return Shape("history", source, NO_HEADER + columns, date, note=note, first=first)


def _trend(source: str, header: str, note: str, marks: str = "") -> Shape:
    return Shape("trend", source, header, f"{DAY} or YYYY-MM", note=note, marks=_marks(marks))


SHAPES = (
    Shape(
        "history",
        "investing.com",
        "Date,Price,Open,High,Low,Vol.,Change %",
        "MM/DD/YYYY, DD/MM/YYYY, DD-MM-YYYY, DD.MM.YYYY, Mon DD, YYYY, YYYY年M月D日",
        None,
        f"{len(HEADERS['close'])} languages; -1, 0, - and empty mean missing",
    ),
    _headerless(
        "investing.com",
        "Date,Price,Open,High,Low,Vol.",
        "Mon DD, YYYY, MM/DD/YYYY, DD.MM.YYYY",
        _INVESTING_DAY,
        "its header was deleted",
    ),
    _headerless(
        "investing.com",
        "Date,Price,Open,High,Low,Vol.,Change %",
        "Mon DD, YYYY, MM/DD/YYYY, DD.MM.YYYY",
        _INVESTING_DAY,
    ),
    _history(
        "yahoo",
        "Date,Open,High,Low,Close,Adj Close,Volume",
        DAY,
        "null means missing",
        "adj close",
    ),
    _history(
        "coingecko",
        "snapped_at,price,market_cap,total_volume",
        f"{DAY} hh:mm:ss UTC",
        "",
        "snapped at|price",
    ),
    _history(
        "coinmarketcap",
        "timeOpen;timeClose;timeHigh;timeLow;name;open;high;low;close;volume;marketCap;timestamp",
        f"{DAY}Thh:mm:ss.sssZ",
        "the day of timeOpen",
        "timeopen|close",
    ),
    _history(
        "cryptodatadownload",
        "unix,date,symbol,open,high,low,close,Volume BTC,Volume USD",
        f"{DAY} hh:mm:ss",
        "a first line with the site's address is skipped",
        "unix|date|symbol|close",
    ),
    _history(
        "coindesk",
        "Currency,Date,Closing Price (USD),24h Open (USD),24h High (USD),24h Low (USD)",
        DAY,
        "licence lines at the end are skipped",
        "currency|date|closing price|24h open",
    ),
    _history("coindesk", "Date,Close Price", f"{DAY} hh:mm:ss", "the older form", "close price"),
    _history("coindesk", "date,bpi", DAY, "the Bitcoin Price Index", "bpi"),
    _history(
        "etherscan",
        "Date(UTC),UnixTimeStamp,Value",
        "M/D/YYYY",
        "the ether price; its other charts have the same header",
        "date|unixtimestamp|value",
    ),
    _history(
        "blockchain.com",
        "Timestamp,market-price",
        f"{DAY} hh:mm:ss",
        "",
        "timestamp|market price",
    ),
    _headerless(
        "blockchain.com",
        "Timestamp,market-price",
        f"{DAY} hh:mm:ss",
        "[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}",
        "as blockchain.info wrote it",
    ),
    _history(
        "kaggle",
        "Date,btc_market_price,btc_total_bitcoins,btc_market_cap,…",
        f"{DAY} hh:mm:ss",
        "blockchain.info's series of one coin beside each other",
        "btc market price",
    ),
    _history(
        "stooq",
        "Data,Otwarcie,Najwyzszy,Najnizszy,Zamkniecie,Wolumen",
        DAY,
        "the last cell may be missing; in English it has no name of its own",
        "otwarcie|najwyzszy|najnizszy|zamkniecie",
    ),
    _history(
        "stooq",
        "<TICKER>,<PER>,<DATE>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>,<OPENINT>",
        "YYYYMMDD",
        "the bulk download",
        "ticker|per|openint",
    ),
    Shape(
        "history",
        "ethereumprice.org",
        "timestamp,open,high,low,close",
        "Unix seconds",
        note="undefined means missing",
        marks=_marks("timestamp|open|high|low|close"),
        whole=True,
    ),
    _history(
        "quandl",
        "Date,Open,High,Low,Close,Volume (BTC),Volume (Currency),Weighted Price",
        DAY,
        "BCHARTS; BCHAIN's Date,Value has no name of its own",
        "open|close|volume|weighted price",
    ),
    _history("quandl", "Date,High,Low,Mid,Last,Bid,Ask,Volume", DAY, "", "mid|last|bid|ask"),
    _history(
        "binance",
        "Open time,Open,High,Low,Close,Volume,Close time,…",
        "Unix milli- or microseconds",
        "daily klines",
        "open time|close time",
    ),
    _headerless(
        "binance",
        "Open time,Open,High,Low,Close,Volume,Close time,Quote volume,Trades,Buy volume,"
        "Buy quote volume,Ignore",
        "Unix milli- or microseconds",
        "[0-9]{13,16}",
    ),
    _headerless(
        "kraken", "time,open,high,low,close,volume,trades", "Unix seconds", "[0-9]{10}", "OHLCVT"
    ),
    Shape(
        "history",
        "unknown",
        "any with dates and one column named close or price, <coin>_close, BTC-USD",
        "any of the above, DD-Mon-YY, Mon-DD-YYYY, YYYYMMDD, Excel days, Unix time",
        None,
        "also saved again by Excel, pandas or R, with , ; TAB or |",
    ),
    Shape(
        "history",
        "unknown",
        "any with dates and one column of numbers",
        "as above",
        None,
        "unless its name or the file's says it is something else",
    ),
    _trend(
        "google-trends",
        "Week,bitcoin: (Worldwide)",
        f"multiTimeline in {len(TREND_TIMES)} languages, with or without its first lines; <1",
    ),
    _trend("google-trends", '"Time","bitcoin"', "the newer time_series_… export"),
    _trend(
        "glimpse",
        "Week,Absolute Google Search Volume",
        "values above 100",
        "absolute google search volume",
    ),
    _trend("pytrends", "date,bitcoin,isPartial", "isPartial is passed over", "ispartial"),
    _trend(
        "pytrends",
        "date,bitcoin_unscaled,bitcoin_monthly,scale,bitcoin",
        "dailydata: the last column",
        "scale",
    ),
    Shape("trend", "unknown", "date,interest", "any", None, "edited by hand; 0..100"),
)


def shape_of(kind: str, names: set[str]) -> Shape | None:
    """The shape whose marks are all among the header `names` (plain form); None if none is."""
    for shape in SHAPES:
        if shape.kind != kind or not shape.marks <= names or not shape.marks:
            continue
        if not shape.whole or shape.marks == names:
            return shape
    return None


def headerless_shape(width: int, first: str) -> Shape | None:
    """The shape of a file of `width` columns without a header whose lines begin like `first`."""
    for shape in SHAPES:
        fits = shape.first and len(shape.columns) == width
        if fits and re.fullmatch(shape.first, first):
            return shape
    return None


def understood_shapes() -> tuple[Shape, ...]:
    """The rows (kind, source, header, date, note) of the table in docs/your-files.md."""
    return SHAPES
