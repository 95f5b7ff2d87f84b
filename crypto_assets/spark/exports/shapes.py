"""The shapes of file that are understood, one row each: the README's table is made from them.

This is the one place to add a site: its row's `marks` are header words (in `lookup.plain` form)
that together name it. The words of languages are in words.py. No parsing happens here.
"""

from dataclasses import dataclass

from .words import HEADERS, TREND_TIMES

DAY = "YYYY-MM-DD"


@dataclass(frozen=True)
class Shape:
    """One understood shape: an example header, its dates and decimal marks, and a remark."""

    kind: str
    source: str
    header: str
    date: str
    decimal: str
    note: str
    marks: frozenset[str] = frozenset()


def _history(source: str, header: str, date: str, note: str = "", marks: str = "") -> Shape:
    names = frozenset(marks.split("|")) if marks else frozenset()
    return Shape("history", source, header, date, "dot", note, names)


def _trend(source: str, header: str, note: str, marks: str = "") -> Shape:
    names = frozenset(marks.split("|")) if marks else frozenset()
    return Shape("trend", source, header, f"{DAY} or YYYY-MM", "dot", note, names)


SHAPES = (
    Shape(
        "history",
        "investing.com",
        "Date,Price,Open,High,Low,Vol.,Change %",
        "MM/DD/YYYY, DD/MM/YYYY, DD-MM-YYYY, DD.MM.YYYY, Mon DD, YYYY, YYYY年M月D日",
        "dot or comma",
        f"{len(HEADERS['close'])} languages; -1, 0, - and empty mean missing",
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
    _history(
        "binance",
        "Open time,Open,High,Low,Close,Volume,Close time,…",
        "Unix milli- or microseconds",
        "daily klines, with or without a header",
        "open time|close time",
    ),
    _history(
        "kraken", "(none) time,open,high,low,close,volume,trades", "Unix seconds", "OHLCVT, daily"
    ),
    Shape(
        "history",
        "unknown",
        "any with dates and one column named close or price",
        "any of the above, DD-Mon-YY, YYYYMMDD, Excel days, Unix time",
        "dot or comma",
        "also saved again by Excel, pandas or R, with , ; TAB or |",
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
    Shape("trend", "unknown", "date,interest", "any", "dot or comma", "edited by hand; 0..100"),
)


def source_of(kind: str, names: set[str]) -> str | None:
    """The site whose marks are all among the header `names` (plain form); None if none is."""
    for shape in SHAPES:
        if shape.kind == kind and shape.marks and shape.marks <= names:
            return shape.source
    return None


def understood_shapes() -> tuple[Shape, ...]:
    """The rows (kind, source, header, date, decimal, note) of the README's table."""
    return SHAPES
