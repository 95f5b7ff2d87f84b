"""Files of each kind of fault that once gave a wrong number or a refusal without a way out.

What is right is said with each; `test_right_or_refused` gives them to the product.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

FIRST = date(2022, 3, 1)
SUNDAY = date(2022, 3, 6)
DAYS = 120


def prices(level: float = 250.0, days: int = DAYS) -> list[float]:
    """A made-up walk of daily prices with two decimals."""
    chance, found = random.Random(days), [level]
    while len(found) < days:
        found.append(round(found[-1] * chance.uniform(0.97, 1.035), 2))
    return found


P = prices()
D = [FIRST + timedelta(days=n) for n in range(DAYS)]
WEEKS = [SUNDAY + timedelta(weeks=n) for n in range(60)]


def table(
    header: str, line: Callable[[int], str], rows: int = DAYS, *, end: str = "\n", last: str = ""
) -> str:
    """A header, if it is not empty, and a line for each row; `last` takes the last line's place."""
    lines = [*([header] if header else []), *(line(n) for n in range(rows))]
    return "\n".join([*lines[:-1], last] if last else lines) + end


def bars(n: int) -> str:
    return f"{P[n]},{P[n] + 1},{P[n] - 1},{P[n]}"


@dataclass(frozen=True)
class Case:
    """A file given to `add`, and what is right: its values by day, or words of the refusal.

    `left` are days that are left out, `notes` what is reported beside.
    """

    text: str
    ticker: str = "BTC"
    name: str = "data.csv"
    kind: str = "history"
    right: dict[date, float] | None = None
    refused: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    choices: dict[str, Any] = field(default_factory=dict)


def sound(**changed: Any) -> dict[str, Any]:
    return {"right": dict(zip(D, P, strict=True)), **changed}


def trend(header: str, line: Callable[[int], str], **changed: Any) -> str:
    return "Category: All categories\n\n" + table(header, line, len(WEEKS), **changed)


WIDE = table(
    "date,ETH_price,XMR_price,DASH_price", lambda n: f"{D[n]},{P[n] * 9:.2f},{P[n]},{P[n] / 7:.3f}"
)
TWO_UNITS = table("date,price_gbp,price_usd", lambda n: f"{D[n]},{P[n]},{P[n] * 1.25:.2f}")
LAGGED = table(
    "Date,open,close_1,high_1,low_1",
    lambda n: f"{D[n + 1]},{P[n + 1]},{P[n]},{P[n] + 1},{P[n] - 1}",
    DAYS - 1,
)
TODAY = datetime.now(UTC).date()
RECENT = [TODAY - timedelta(days=DAYS - 1 - n) for n in range(DAYS)]


def in_utc(place: str, form: Callable[[datetime], str]) -> str:
    """Midnight of a place on 330 days, written in UTC."""
    zone, values = ZoneInfo(place), prices(90.0, 330)

    def line(n: int) -> str:
        day = date(2022, 2, 1) + timedelta(days=n)
        moment = datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)
        return f"{form(moment)},{values[n]}"

    return table("Date,Close", line, 330)


def date_and_time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}+00:00"


def seconds(moment: datetime) -> str:
    return str(int(moment.timestamp()))


LOCAL_DAYS = {
    date(2022, 2, 1) + timedelta(days=n): price for n, price in enumerate(prices(90.0, 330))
}
JUMP = 2000.0


def stepped(n: int) -> float:
    return P[n] if n < DAYS // 2 else round(P[n] * JUMP, 2)


GOOGLE = {week: float(20 + n) for n, week in enumerate(WEEKS)}
BY_DAY = {day: 40.2 + n for n, day in enumerate(D)}
NARROW = "<\N{NARROW NO-BREAK SPACE}1"
INVESTING = '"Date","Price","Open","High","Low","Vol.","Change %"'


def investing(n: int, price: str | None = None) -> str:
    """A line of investing.com with three decimals, newest first."""
    now, before = 1.5 + (29 - n) % 7 / 100, 1.5 + (28 - n) % 7 / 100
    change = 100 * (now / before - 1)
    cells = (price or f"{now:.3f}", f"{before:.3f}", "1.621", "1.425", "1.17M", f"{change:.2f}%")
    return ",".join(f'"{cell}"' for cell in (f"{D[29 - n]:%b %d, %Y}", *cells))


def closing(price: float) -> Iterator[str]:
    """Price, open, high and low as investing.com orders them."""
    yield from (f"{price + more:.2f}" for more in (0, 0.5, 1, -1))


CASES: dict[str, Case] = {
    "one table of many coins": Case(WIDE, "XMR", **sound()),
    "one table of many coins, none of them": Case(
        WIDE, "LTC", refused=("ETH_price", "XMR_price", "DASH_price", "--price COLUMN")
    ),
    "cut in the last price": Case(
        table("timestamp,price", lambda n: f"{D[n]},{P[n]}", end="", last=f"{D[-1]},2"),
        **sound(right=dict(zip(D[:-1], P, strict=False)), notes=("may be cut",)),
    ),
    "cut in the last week": Case(
        trend(
            "Week,bitcoin: (Worldwide)",
            lambda n: f"{WEEKS[n]},{20 + n}",
            end="",
            last="2023-04-23,7",
        ),
        kind="trend",
        right=dict(list(GOOGLE.items())[:-1]),
        notes=("may be cut",),
    ),
    "the first price 1,000 times too small": Case(
        table("timestamp,price", lambda n: f"{D[n]},{P[n] if n else P[n] / 1000:.5f}"),
        refused=("line 2", "--accept-outliers"),
    ),
    "the last price 1,000 times too small": Case(
        table("timestamp,price", lambda n: f"{D[n]},{P[n] if n < DAYS - 1 else P[n] / 1000:.5f}"),
        refused=(f"line {DAYS + 1}", "--accept-outliers"),
    ),
    "one price with a decimal comma": Case(
        table(INVESTING, lambda n: investing(n, "1,505" if n == 12 else None), 30),
        refused=("1,505",),
    ),
    "a currency sign inside a number": Case(
        table("timestamp,price", lambda n: f"{D[n]},{'2$60.10' if n == 50 else P[n]}"),
        refused=("line 52", "2$60.10"),
    ),
    "above 100 on Google's scale": Case(
        trend("Week,bitcoin: (Worldwide)", lambda n: f"{WEEKS[n]},{1334 if n == 9 else 20 + n}"),
        kind="trend",
        refused=("line 13", "1334"),
    ),
    "midnight in Berlin": Case(
        in_utc("Europe/Berlin", date_and_time), right=LOCAL_DAYS, notes=("+01:00", "+02:00")
    ),
    "midnight in Berlin as Unix seconds": Case(
        in_utc("Europe/Berlin", seconds), right=LOCAL_DAYS, notes=("+01:00", "+02:00")
    ),
    "midnight in London": Case(
        in_utc("Europe/London", date_and_time), right=LOCAL_DAYS, notes=("+01:00",)
    ),
    "a step that stays": Case(
        table("date,close", lambda n: f"{D[n]},{stepped(n)}"),
        right={day: stepped(n) for n, day in enumerate(D)},
        notes=(str(D[DAYS // 2]), "redenomination, or another coin"),
    ),
    "dates and values": Case(table("Date,Value", lambda n: f"{D[n]},{P[n]}"), **sound()),
    "as Prophet wants it": Case(table("ds,y", lambda n: f"{D[n]},{P[n]}"), **sound()),
    "Etherscan": Case(
        table(
            '"Date(UTC)","UnixTimeStamp","Value"',
            lambda n: (
                f'"{D[n].month}/{D[n].day}/{D[n].year}",'
                f'"{seconds(datetime(D[n].year, D[n].month, D[n].day, tzinfo=UTC))}","{P[n]}"'
            ),
        ),
        "ETH",
        name="export-EtherPrice.csv",
        **sound(),
    ),
    "blockchain.info": Case(
        table("", lambda n: f"{D[n]} 00:00:00,{P[n]}"), name="market-price.csv", **sound()
    ),
    "investing.com without its header": Case(
        table(
            "",
            lambda n: ",".join(
                f'"{cell}"' for cell in (f"{D[-1 - n]:%b %d, %Y}", *closing(P[-1 - n]), "1.5")
            ),
        ),
        **sound(),
    ),
    "the current price": Case(
        table("id,symbol,current_price,last_updated", lambda n: f"bitcoin,btc,{P[n]},{D[n]}"),
        **sound(),
    ),
    "a date of the last update": Case(
        table("last_updated,my price", lambda n: f"{D[n]},{P[n]}"), **sound()
    ),
    "a table of research given as a history": Case(
        table(
            "Date,btc_market_price,btc_total_bitcoins,btc_trade_volume",
            lambda n: f"{D[n]} 00:00:00,{P[n]},{19_000_000 + n},{7 * n + 1}",
        ),
        **sound(),
    ),
    "a trend without a header": Case(
        table("", lambda n: f"{WEEKS[n]},{20 + n}", 60), kind="trend", right=GOOGLE
    ),
    "an index by day": Case(
        table("Date,Index", lambda n: f"{D[n]},{40.2 + n:.1f}", 60),
        kind="trend",
        right=dict(list(BY_DAY.items())[:60]),
    ),
    "less than one with a narrow blank": Case(
        "Catégorie\N{NO-BREAK SPACE}: Toutes catégories\n\n"
        + table(
            "Semaine,bitcoin: (France)",
            lambda n: f"{WEEKS[n]},{NARROW if n == 3 else 20 + n}",
            60,
        ),
        kind="trend",
        right=GOOGLE | {WEEKS[3]: 0.5},
    ),
    "no volume in its first days": Case(
        table(
            "Date,Open,High,Low,Close,Volume",
            lambda n: f"{D[n]},{bars(n)}" + (f",{70 + n}" if n >= 40 else ""),
        ),
        **sound(),
    ),
    "today at midnight and now": Case(
        table(
            "snapped_at,price,market_cap,total_volume",
            lambda n: f"{RECENT[n]} 00:00:00 UTC,{P[n]},1,1",
            end=f"\n{TODAY} 00:15:07 UTC,{P[-1] + 3},1,1\n",
        ),
        right=dict(zip(RECENT, P, strict=True)),
        notes=("was not over",),
    ),
    "today twice without a time": Case(
        table("date,price", lambda n: f"{D[n]},{P[n]}", end=f"\n{D[-1]},{P[-1] + 1}\n"),
        refused=(str(D[-1]), "--duplicates first|last"),
    ),
    "today twice, the last one": Case(
        table("date,price", lambda n: f"{D[n]},{P[n]}", end=f"\n{D[-1]},{P[-1] + 1}\n"),
        choices={"duplicates": "last"},
        **sound(right=dict(zip(D, [*P[:-1], P[-1] + 1], strict=True))),
    ),
    "a second row without a price": Case(
        table(
            "timestamp,open,high,low,close",
            lambda n: (
                f"{D[n]} 00:00:00,{bars(n)}\n{D[n]} 00:02:20,{P[n]},undefined,undefined,undefined"
            ),
        ),
        **sound(),
    ),
    "a month's name first": Case(
        table("Date,Open,High,Low,Close", lambda n: f"{D[n]:%b-%d-%Y},{bars(n)}"), **sound()
    ),
    "years of two and of four digits": Case(
        table(
            "Date,Price",
            lambda n: f"{D[n].month}/{D[n].day}/{f'{D[n]:%y}' if n % 5 else D[n].year},{P[n]}",
        ),
        **sound(),
    ),
    "semicolons of a spreadsheet": Case(
        table("Date,Open,High,Low,Close,Volume;;;;", lambda n: f"{D[n]},{bars(n)},5;;;;"), **sound()
    ),
    "two prices, one of them empty": Case(
        table("date;price_gbp;price_usd", lambda n: f"{D[n]};{P[n]};".replace(".", ",")), **sound()
    ),
    "prices in two currencies": Case(
        TWO_UNITS, refused=("price_gbp", "price_usd", "--price COLUMN")
    ),
    "prices in two currencies, one chosen": Case(
        TWO_UNITS, choices={"price": "price_gbp"}, **sound()
    ),
    "yesterday's close": Case(LAGGED, refused=("close_1", "--price COLUMN")),
    "counts": Case(
        table(
            "Date,Activity,Monetary,Prices,Public Opinion",
            lambda n: f"{D[n]},{n // 2},{n // 3},{n // 4},{n // 9}",
        ),
        refused=("Prices", "Monetary", "--price COLUMN"),
    ),
}

PARTNERS = {
    "history": table("Date,Close", lambda n: f"{D[n]},{P[n]}"),
    "trend": trend("Week,bitcoin: (Worldwide)", lambda n: f"{WEEKS[n]},{20 + n}"),
}
