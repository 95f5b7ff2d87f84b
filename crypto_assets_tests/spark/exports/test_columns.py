"""Which column is the price or the trend: by its name, by an option, by being the only one."""

# ruff: noqa: RUF001 - letters of other languages

import pytest

from .helpers import pairs, read, refusal

DECRED = {
    "kind": "history",
    "terms": ("dcr", "decred"),
    "others": frozenset({"btc", "doge", "eth"}),
}
THREE = ("2024-01-01", "2024-01-02", "2024-01-03")


def file(header: str, *columns: str) -> str:
    """Three days with the values of each column, given as `1.5 1.25 1.5`."""
    rows = zip(THREE, *(column.split() for column in columns), strict=True)
    return "\n".join([header, *(",".join(row) for row in rows)]) + "\n"


def chosen(content: str, **options: object) -> str:
    """The first value that is read."""
    return pairs(read(content, **options))[0][1]


PRICE, OTHER, BTC = "1.5 1.25 1.75", "80.5 81.5 79.5", "9000.5 9100.5 9200.5"
VOLUME = "5000.5 7000.5 6000.5"
ALONE = [
    *("Date,Value", "ds,y", "date,valor", "Datum,Wert", "date,DCR", "Day,Decred (DCR)"),
    *("time,DCR-USD", "DATE,DCRUSDT", "date,CBDCRUSD", "timestamp,my price", "date,current_price"),
    *("date,last_price", "Date,Close*", "date,decred price usd", "date,DCR Price Index"),
    *("Date,Kurs", "Datum,Schlusskurs in EUR", "Fecha,Precio de cierre (USD)", "日期,价格"),
    *("Дата,Курс", "Date,Cours de clôture", "date,dcr_market_price", "Date,decredPrice"),
    *("Date,Prices", "date,foo", ",0", "Unnamed: 0,value", "date,price_dcr", "date,usd"),
]


@pytest.mark.parametrize("header", ALONE)
def test_one_column_of_dates_and_one_of_numbers_is_enough(header: str) -> None:
    assert chosen(file(header, PRICE), **DECRED) == "1.5"


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_two_columns_need_no_header(delimiter: str) -> None:
    content = file("", PRICE).lstrip().replace(",", delimiter)
    assert chosen(content, **DECRED) == "1.5"


SOMETHING_ELSE = [
    *("volume", "market cap", "transactions", "n-transactions", "hash_rate", "supply", "Ratio"),
    *("change %", "price_change", "tweet count", "active addresses", "sentiment", "gold", "index"),
    *("open", "high", "average price", "predicted_price", "yhat", "price_ma7", "log_price"),
    *("close_1", "Close (t-1)", "prev_close", "close_lag1", "next_close", "yesterday"),
    *("btc_price", "bitcoin price", "eth", "ETH-USD", "HBAR_price", "hbarusdt", "price_btc"),
    *("decred cash price", "wrapped decred", "google trends", "interest"),
]


@pytest.mark.parametrize("name", SOMETHING_ELSE)
def test_a_column_whose_name_says_something_else_is_no_price(name: str) -> None:
    options = DECRED | {"others": frozenset({"btc", "bitcoin", "eth"})}
    reason = refusal(file(f"Date,{name}", PRICE), **options)
    assert f"(1 'Date', 2 '{name}')" in reason
    assert "--price COLUMN" in reason


@pytest.mark.parametrize("name", ["hash-rate.csv", "DCR volume (1).csv", "bitcoin 2024.csv"])
def test_the_name_of_a_file_may_say_that_its_only_column_is_something_else(name: str) -> None:
    options = DECRED | {"others": frozenset({"bitcoin"})}
    assert "the file's name" in refusal(file("date,value", PRICE), file=name, **options)
    assert chosen(file("date,value", PRICE), file="dcr market-price.csv", **options) == "1.5"
    assert chosen(file("date,close", PRICE), file=name, **options) == "1.5"


def test_numbers_that_count_something_are_no_prices() -> None:
    days = [f"2024-01-{day:02}" for day in range(1, 29)]
    growing = "\n".join(f"{day},{i // 3},{i // 4 + 1}" for i, day in enumerate(days))
    assert "look counted" in refusal(f"Date,Activity,Prices\n{growing}\n")
    leaping = "\n".join(f"{day},{(i * 7) % 9 + 1}" for i, day in enumerate(days))
    assert "look counted" in refusal(f"Date,Value\n{leaping}\n")
    mixed = "\n".join(f"{day},{i // 3},{i // 4 + 1}" for i, day in enumerate(days))
    assert "look counted" in refusal(f"Date,Monetary,Price\n{mixed}\n")
    priced = "\n".join(f"{day},{i // 4 + 1}" for i, day in enumerate(days))
    assert read(f"Date,Price\n{priced}\n").rows == 28


def test_in_a_table_of_many_coins_the_column_that_names_the_ticker_is_taken() -> None:
    for header in ("date,BTC_price,DCR_price,DOGE_price", "date,BTC,DCR,DOGE", "d,btc,decred,doge"):
        content = file(header, BTC, PRICE, OTHER)
        assert chosen(content, **DECRED) == "1.5"
    unknown = file("date,aaa_price,dcr_price", BTC, PRICE)
    assert chosen(unknown, kind="history", terms=("dcr",)) == "1.5"


def test_a_ticker_without_a_column_of_its_own_is_refused_with_all_columns() -> None:
    content = file("date,BTC_price,DCR_price,DOGE_price", BTC, PRICE, OTHER)
    reason = refusal(content, kind="history", terms=("xmr", "monero"))
    assert "(1 'date', 2 'BTC_price', 3 'DCR_price', 4 'DOGE_price')" in reason
    assert reason.endswith("(line 1: date,BTC_price,DCR_price,DOGE_price)")
    assert "several columns may be the price" in refusal(content, kind="history")
    one = file("date,btc_price,bbb_price", BTC, PRICE)
    assert "may be of another coin" in refusal(one, **DECRED)


BARS = "2024-01-0{0},{1}.0,{1}.9,0.9,{1}.5,9.0,9.9,8.0,9.5\n"


def test_the_bars_of_a_coin_are_named_after_it() -> None:
    names = [
        f"{coin}_{part}" for coin in ("dcr", "btc") for part in ("open", "high", "low", "close")
    ]
    content = ",".join(["date", *names]) + "\n" + "".join(BARS.format(d, d) for d in range(1, 5))
    assert pairs(read(content, **DECRED))[0] == ("2024-01-01", "1.5")
    bitcoin = {"kind": "history", "terms": ("btc",), "others": frozenset({"dcr"})}
    assert pairs(read(content, **bitcoin))[0] == ("2024-01-01", "9.5")
    wrong = content.replace("1.9,0.9", "1.2,0.9").replace("2.9,0.9", "2.2,0.9")
    wrong = wrong.replace("3.9,0.9", "3.2,0.9")
    assert "outside low..high on 3 lines" in refusal(wrong, **DECRED)


TWO_CURRENCIES = [
    *("date,price_eur,price_usd", "date,Price (EUR),Price (USD)", "date,close,close_eur"),
    *(
        "date,DCR-EUR,DCR-USD",
        "date,EUR,USD",
        "date,price_usd,price_btc",
        "date,priceUsd,priceUsdt",
    ),
]


@pytest.mark.parametrize("header", TWO_CURRENCIES)
def test_of_prices_in_two_currencies_a_choice_is_wanted(header: str) -> None:
    content = file(header, OTHER, PRICE)
    assert "--price COLUMN" in refusal(content, **DECRED)
    assert chosen(content, price=header.split(",")[2], **DECRED) == "1.5"
    assert chosen(content, price="2", **DECRED) == "80.5"


def test_an_empty_column_is_no_candidate() -> None:
    content = "date;price_eur;price_usd\n2024-01-01;100,5;\n2024-01-02;97,8;\n"
    assert pairs(read(content))[0] == ("2024-01-01", "100.5")
    zeros = "date,price_usd,price_eur\n2024-01-01,0.0,1.5\n2024-01-02,0.0,1.25\n"
    assert pairs(read(zeros))[0] == ("2024-01-01", "1.5")
    adjusted = "Date,Close,Adj Close\n2024-01-01,,1.5\n2024-01-02,,1.25\n"
    assert pairs(read(adjusted))[0] == ("2024-01-01", "1.5")


BESIDE = {
    "Date,close,close_1,close_2": 0,
    "Date,predicted_close,close": 1,
    "Date,Volume,Price,Supply": 1,
    "id,last_updated,current_price": None,
    "Date,Value,Volume": 0,
    "Date,Market Cap,decred,Volume": 1,
}


@pytest.mark.parametrize(
    "header", [header for header, place in BESIDE.items() if place is not None]
)
def test_columns_that_say_what_they_are_do_not_compete(header: str) -> None:
    columns = [VOLUME] * (header.count(",") - 1)
    columns.insert(BESIDE[header] or 0, PRICE)
    assert chosen(file(header, *columns), **DECRED) == "1.5"


def test_a_date_of_the_last_update_is_no_price() -> None:
    content = "id,symbol,current_price,last_updated\n" + "".join(
        f"decred,dcr,{price},{day}\n" for day, price in zip(THREE, PRICE.split(), strict=True)
    )
    assert pairs(read(content, **DECRED))[0] == ("2024-01-01", "1.5")


def test_yesterdays_close_is_not_taken_for_todays() -> None:
    content = file("Date,open,close_1,high_1,low_1", PRICE, PRICE, OTHER, PRICE)
    assert "5 'low_1')" in refusal(content, **DECRED)
    assert chosen(content, price="close_1", **DECRED) == "1.5"


def test_the_price_option_takes_a_name_in_any_case_or_a_number() -> None:
    content = file("Date,Foo,Bar", OTHER, PRICE)
    for wanted in ("Bar", "bar", "3"):
        assert chosen(content, price=wanted) == "1.5"
    assert "there is no column 'Baz' (1 'Date', 2 'Foo', 3 'Bar')" in refusal(content, price="Baz")
    assert "there is no column '4'" in refusal(content, price="4")
    assert "the column 'Date' holds the dates" in refusal(content, price="Date")
    words = file("Date,Foo,Bar", "a b c", PRICE)
    assert "the column 'Foo' holds no numbers" in refusal(words, price="Foo")
    twice = file("Date,Foo,Foo", OTHER, PRICE)
    assert "several columns are named 'Foo'" in refusal(twice, price="Foo")
    assert chosen(twice, price="3") == "1.5"


def test_without_a_header_the_price_option_takes_a_number() -> None:
    content = file("", PRICE, VOLUME).lstrip()
    assert "1 to 3, without names" in refusal(content)
    assert chosen(content, price="2") == "1.5"


def test_yfinance_names_the_coins_of_its_columns_in_a_second_line() -> None:
    content = (
        "Price,Close,Close,High,High,Low,Low\n"
        "Ticker,BTC-USD,DCR-USD,BTC-USD,DCR-USD,BTC-USD,DCR-USD\nDate,,,,,,\n"
        "2024-01-01,9000.5,1.5,9100.0,1.75,8900.0,1.25\n"
        "2024-01-02,9100.5,1.25,9200.0,1.5,9000.0,1.0\n"
    )
    assert pairs(read(content, **DECRED)) == [("2024-01-01", "1.5"), ("2024-01-02", "1.25")]
    other = "Price,Close\nTicker,BTC-USD\nDate,\n2024-01-01,9000.5\n2024-01-02,9100.5\n"
    assert "2 'Close BTC-USD'" in refusal(other, **DECRED)


WEEKS = "2024-01-07,5\n2024-01-14,99\n2024-01-21,7\n"


@pytest.mark.parametrize("head", ["", "Date,Index\n", "date,value\n", "Week,bitcoin\n"])
def test_what_is_said_to_be_a_trend_is_read_as_one(head: str) -> None:
    export = read(head + WEEKS, kind="trend")
    assert (export.kind, pairs(export)[0]) == ("trend", ("2024-01-07", "5"))


def test_what_is_said_to_be_a_history_is_read_as_one() -> None:
    content = file("Date,btc_market_price,btc_total_bitcoins", PRICE, VOLUME)
    assert read(content, kind="history", terms=("btc", "bitcoin")).kind == "history"
    assert "2 'btc_market_price'" in refusal(content, kind="history", terms=("xmr",))
    assert read(content).kind == "history"


def test_the_content_may_deny_the_kind_but_never_changes_it() -> None:
    google = "Day,bitcoin: (Worldwide)\n" + file("", "5 99 7").lstrip()
    assert "add it with --trend FILE" in refusal(google, kind="history")
    assert chosen(google, kind="history", price="2") == "5"
    prices = file("Date,Close", PRICE)
    assert "add it with --history FILE" in refusal(prices, kind="trend")
    assert read(prices, kind="trend", term="Close").kind == "trend"
    whole = "\n".join(
        f"2024-01-{day:02},{100 if day == 9 else 90 - 3 * day}" for day in range(1, 29)
    )
    assert "ends at 100" in refusal(f"Time,bitcoin\n{whole}\n", kind="history")


def test_the_term_option_takes_a_header_a_term_or_a_number() -> None:
    content = "Week,foo: (Worldwide),bar: (Worldwide)\n2024-01-07,5,1\n2024-01-14,9,100\n"
    assert "2 terms in one file ('foo', 'bar')" in refusal(content)
    assert "--term COLUMN" in refusal(content)
    for wanted in ("bar: (Worldwide)", "bar", "3"):
        export = read(content, term=wanted)
        assert (pairs(export)[0], export.term) == (("2024-01-07", "1"), "bar")


def test_the_term_of_another_coin_is_not_taken() -> None:
    content = "Week,bitcoin: (Worldwide)\n2024-01-07,5\n2024-01-14,100\n"
    options = {"kind": "trend", "terms": ("dcr", "decred"), "others": frozenset({"bitcoin"})}
    assert "it is the term of another coin" in refusal(content, **options)
    assert pairs(read(content, term="bitcoin", **options))[0] == ("2024-01-07", "5")


@pytest.mark.parametrize("name", ["transactions", "hash rate", "market cap", "Close", "Price"])
def test_a_lone_column_that_says_something_else_is_no_trend(name: str) -> None:
    assert "--term COLUMN" in refusal(f"date,{name}\n" + WEEKS, kind="trend")
