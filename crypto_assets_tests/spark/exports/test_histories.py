"""Every shape of price history that is understood: literal rows in, literal rows out."""

# ruff: noqa: RUF001, ISC004 - foreign letters; a file is written as several strings

import pytest

from .dialects import Dialect, market, write_history
from .helpers import pairs, problems, read, roles

US = '\ufeff"Date","Price","Open","High","Low","Vol.","Change %"\r\n'


def test_investing_english_with_quotes_bom_and_windows_line_ends() -> None:
    export = read(
        US + '"03/14/2024","71,388.9","73,066.7","73,740.9","68,717.2","109.43K","-2.30%"\r\n'
        '"03/13/2024","-1","71,461.9","73,623.5","71,338.4","71.76K","2.25%"\r\n'
        '"03/12/2024","","72,099.1","72,916.7","68,845.4","105.09K","-0.89%"\r\n'
        '"03/11/2024","-","68,964.8","72,771.5","67,194.9","110.57K","4.54%"\r\n'
    )
    assert pairs(export) == [
        ("2024-03-14", "71388.9"),
        ("2024-03-13", "-1"),
        ("2024-03-12", ""),
        ("2024-03-11", "-"),
    ]
    assert (export.kind, export.source, export.language) == ("history", "investing.com", "en")
    assert (export.date_format, export.decimal, export.delimiter) == ("MM/DD/YYYY", "dot", ",")
    assert (export.encoding, export.granularity, export.rows) == ("utf-8-sig", "day", 4)
    assert (str(export.first_date), str(export.last_date)) == ("2024-03-11", "2024-03-14")
    assert (export.columns.date_name, export.columns.value_name) == ("Date", "Price")


def test_the_older_investing_dates_have_month_words_and_commas() -> None:
    export = read(
        '"Date","Price","Open","High","Low","Vol.","Change %"\n'
        '"Mar 12, 2024","1,202.5","1,200.0","1,210.0","1,190.0","-","0.21%"\n'
        '"Mar 11, 2024","1,200.0","1,190.0","1,210.0","1,180.0","1.2M","0.84%"\n'
    )
    assert pairs(export) == [("2024-03-12", "1202.5"), ("2024-03-11", "1200.0")]
    assert export.date_format == "Mon DD, YYYY"


DAILY = {  # source, first lines of the file -> rows
    "yahoo": (
        "Date,Open,High,Low,Close,Adj Close,Volume\n"
        "2020-04-16,6640.45,7134.45,6555.50,7116.80,7116.81,46783242377\n"
        "2020-04-17,null,null,null,null,null,null\n"
        "2020-04-18,7092.29,7269.96,7089.25,7257.67,7257.66,32447188386\n",
        [("2020-04-16", "7116.80"), ("2020-04-17", "null"), ("2020-04-18", "7257.67")],
    ),
    "coingecko": (
        "snapped_at,price,market_cap,total_volume\n"
        "2024-01-01 00:00:00 UTC,42208.2,827596236151.2,14183728910.2\n"
        "2024-01-02 00:00:00 UTC,44168.7,864922.0,18503.5\n",
        [("2024-01-01", "42208.2"), ("2024-01-02", "44168.7")],
    ),
    "coinmarketcap": (
        "\ufefftimeOpen;timeClose;timeHigh;timeLow;name;open;high;low;close;volume;marketCap;"
        "timestamp\n"
        '"2025-05-02T00:00:00.000Z";"2025-05-02T23:59:59.999Z";"2025-05-02T11:00:00.000Z";'
        '"2025-05-02T01:00:00.000Z";"2781";96.1;97.9;95.8;96.9;1.5;9.9;"2025-05-02T23:59:59.999Z"\n'
        '"2025-05-01T00:00:00.000Z";"2025-05-01T23:59:59.999Z";"2025-05-01T11:00:00.000Z";'
        '"2025-05-01T01:00:00.000Z";"2781";94.2;97.4;94.1;96.5;2.5;9.8;"2025-05-01T23:59:59.999Z"\n',
        [("2025-05-02", "96.9"), ("2025-05-01", "96.5")],
    ),
    "cryptodatadownload": (
        "https://www.CryptoDataDownload.com\n"
        "unix,date,symbol,open,high,low,close,Volume USD,Volume BTC\n"
        "1634428800000,2021-10-17 00:00:00,BTC/USD,60867.0,61150.0,60651.0,61048.0,22.7,0.3\n"
        "1634342400,2021-10-16 00:00:00,BTC/USD,61686.0,62333.0,60171.0,60868.0,26.1,0.4\n",
        [("2021-10-17", "61048.0"), ("2021-10-16", "60868.0")],
    ),
    "coindesk": (
        'Date,"Close Price"\n"2017-01-01 00:00:00",997.69\n"2017-01-02 00:00:00",1018.05\n'
        '"This data was produced from a price page."\nhttp://price.example/\n',
        [("2017-01-01", "997.69"), ("2017-01-02", "1018.05")],
    ),
    "kraken": (
        "1483315200,19.13,19.49,15.5,16.79,3081.9,145\n1483401600,16.0,17.98,15.0,15.95,6799.8,368\n",
        [("2017-01-02", "16.79"), ("2017-01-03", "15.95")],
    ),
    "binance": (
        "1609459200000,28923.6,29600.0,28624.5,29331.6,54182.9,1609545599999,1.5,1314910,2.7,7.8,0\n"
        "1609545600000,29331.7,33300.0,28946.5,32178.3,129993.8,1609631999999,4.1,2245922,6.6,2.1,0\n",
        [("2021-01-01", "29331.6"), ("2021-01-02", "32178.3")],
    ),
}


@pytest.mark.parametrize("source", DAILY)
def test_each_site_is_recognised_by_its_header(source: str) -> None:
    content, rows = DAILY[source]
    export = read(content)
    assert pairs(export) == rows
    assert export.source == source


def test_lines_around_the_data_keep_their_place_and_role() -> None:
    export = read(
        "https://site.example\nDate,Close\n2024-01-01,1.5\n\n2024-01-02,2.5\n,\nDate,Close\n"
        "2024-01-03,x\n2024-01-04,1.25,9\n2024-01-05,1.5\n\nAll rights reserved\n"
    )
    assert roles(export) == [
        *("preamble", "header", "data", "blank", "data", "blank", "header"),
        *("bad", "bad", "data", "blank", "footer"),
    ]
    assert problems(export) == {
        8: "not a price: 'x'",
        9: "3 cells where the other lines have 2",
    }
    assert export.lines["line"].to_pylist() == list(range(1, 13))
    assert export.lines["cells"].to_pylist()[8] == ["2024-01-04", "1.25", "9"]


ISO_DAYS = ["2024-02-28", "2024-02-29", "2024-03-01", "2024-03-02"]
SAME_DAYS = {
    "DD/MM/YYYY": ("28/02/2024", "29/02/2024", "01/03/2024", "02/03/2024"),
    "DD-MM-YYYY": ("28-02-2024", "29-02-2024", "01-03-2024", "02-03-2024"),
    "DD.MM.YYYY": ("28.02.2024", "29.02.2024", "01.03.2024", "02.03.2024"),
    "MM/DD/YY": ("2/28/24", "2/29/24", "3/1/24", "3/2/24"),
    "DD-Mon-YY": ("28-Feb-24", "29-Feb-24", "1-Mar-24", "2-Mar-24"),
    "YYYY-MM-DD": ("2024- 02- 28", "2024- 02- 29", "2024- 03- 01", "2024- 03- 02"),
    "YYYY年M月D日": ("2024年2月28日", "2024年2月29日", "2024年3月1日", "2024年3月2日"),
    "DD.Mon.YYYY": ("28. Feb 2024", "29. Februar 2024", "1. März 2024", "2. Mär. 2024"),
    "DD Mon YYYY": ("28 февраля 2024", "29 февр 2024", "1 марта 2024", "2 мар 2024"),
    "Mon DD, YYYY": ("Feb 28, 2024", "February 29, 2024", "Mar 01, 2024", "March 2, 2024"),
    "YYYYMMDD": ("20240228", "20240229", "20240301", "20240302"),
    "Excel day": ("45350", "45351", "45352", "45353"),
    "Unix time (s)": ("1709078400", "1709164800", "1709251200", "1709337600"),
    "Unix time (ms)": ("1709078400000", "1709164800000", "1709251200000", "1709337600000"),
}


@pytest.mark.parametrize("name", SAME_DAYS)
@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_the_same_four_days_in_every_notation(name: str, delimiter: str) -> None:
    lines = [f"{day}{delimiter}{50 + i},25" for i, day in enumerate(SAME_DAYS[name])]
    export = read("\n".join([f"Date{delimiter}Close", *lines]))
    assert pairs(export) == [(day, f"{50 + i}.25") for i, day in enumerate(ISO_DAYS)]
    assert (export.date_format, export.decimal) == (name, "comma")


NUMBERS = {
    "1,234.56": "1234.56",
    "1.234,56": "1234.56",
    "1 234,56": "1234.56",
    "1\u00a0234,56": "1234.56",
    "1'234.56": "1234.56",
    "$1,234.56": "1234.56",
    "12,34,567.8": "1234567.8",
    "1.5e-05": "0.000015",
    "1.2E+3": "1200",
    ".5": ".5",
    "1234567": "1234567",
}


@pytest.mark.parametrize("written", NUMBERS)
def test_numbers_are_brought_to_plain_decimals(written: str) -> None:
    export = read(f"Date\tClose\n2024-01-01\t{written}\n2024-01-02\t{written}\n")
    assert pairs(export) == [("2024-01-01", NUMBERS[written]), ("2024-01-02", NUMBERS[written])]


LANGUAGES = {
    "it": '"Data","Ultimo","Apertura","Massimo","Minimo","Vol.","Var. %"',
    "fr": '"Date","Dernier","Ouv."," Plus Haut","Plus Bas","Vol.","Variation %"',
    "de": '"Datum","Zuletzt","Eröffn.","Hoch","Tief","Vol.","+/- %"',
    "tr": '"Tarih","Şimdi","Açılış","Yüksek","Düşük","Hac.","Fark %"',
    "pt": '"Data","Último","Abertura","Máxima","Mínima","Vol.","Var%"',
    "es": '"Fecha","Último","Apertura","Máximo","Mínimo","Vol.","% var."',
    "ru": '"Дата","Цена","Откр.","Макс.","Мин.","Объём","Изм. %"',
    "vi": '"Ngày","Lần cuối","Mở","Cao","Thấp","KL","% Thay đổi"',
    "zh": '"日期","收盘","开盘","高","低","交易量","涨跌幅"',
    "ja": '"日付け","終値","始値","高値","安値","出来高","変化率 %"',
    "ko": '"날짜","종가","시가","고가","저가","거래량","변동 %"',
    "id": '"Tanggal","Terakhir","Pembukaan","Tertinggi","Terendah","Vol.","Perubahan%"',
}
ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be")
OLD = {"it": "cp1252", "fr": "cp1252", "ru": "cp1251", "tr": "cp1254", "zh": "gb18030"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_price_is_the_second_column_in_every_language(language: str) -> None:
    content = (
        LANGUAGES[language] + '\n"18.05.2021","44.089,0","43.544,0","45.474,0","43.544,0","27,4K",'
        '"1,25%"\n"17.05.2021","43.544,0","46.569,0","46.569,0","42.304,0","37,72K","-6,52%"\n'
    )
    for encoding in (*ENCODINGS, OLD.get(language, "utf-8")):
        export = read(content.encode(encoding))
        assert pairs(export) == [("2021-05-18", "44089.0"), ("2021-05-17", "43544.0")]
        assert (export.source, export.language) == ("investing.com", language)


def test_close_is_taken_where_there_is_an_adjusted_close_too() -> None:
    export = read("Date,Adj Close,Close\n2024-01-01,1.5,1.25\n2024-01-02,1.75,1.5\n")
    assert pairs(export) == [("2024-01-01", "1.25"), ("2024-01-02", "1.5")]


def test_a_pandas_index_column_is_passed_over() -> None:
    export = read(",Date,Close\n0,2024-01-01,1.5\n1,2024-01-02,2.5\n")
    assert pairs(export) == [("2024-01-01", "1.5"), ("2024-01-02", "2.5")]


def test_lines_quoted_as_a_whole_by_a_spreadsheet_are_unwrapped() -> None:
    export = read(
        '"Date,""Price"",Open"\n"03/13/2024,""65,619.5"",1"\n"03/12/2024,""65,600.5"",1"\n'
    )
    assert pairs(export) == [("2024-03-13", "65619.5"), ("2024-03-12", "65600.5")]


def test_the_symbol_in_a_file_is_its_term() -> None:
    assert read("Date,Symbol,Close\n2024-01-01,BTC,1.5\n2024-01-02,BTC,2.5\n").term == "BTC"


def test_the_three_header_lines_of_yfinance() -> None:
    export = read(
        "Price,Close,High,Low,Open,Volume\nTicker,BTC-USD,BTC-USD,BTC-USD,BTC-USD,BTC-USD\n"
        "Date,,,,,\n2014-09-17,457.3,468.1,452.4,465.8,21056800\n"
        "2014-09-18,424.4,456.8,413.1,456.8,34483200\n"
    )
    assert pairs(export) == [("2014-09-17", "457.3"), ("2014-09-18", "424.4")]
    assert (export.source, export.term) == ("yahoo", "BTC-USD")
    assert roles(export)[:3] == ["header", "preamble", "preamble"]


@pytest.mark.parametrize("name", ["CBBTCUSD", "BTC-USD", "ETH_EUR"])
def test_a_single_column_named_after_a_pair_is_the_price(name: str) -> None:
    export = read(f"observation_date,{name}\n2024-01-01,43210.5\n2024-01-02,.\n2024-01-03,44000\n")
    assert pairs(export)[1:] == [("2024-01-02", "."), ("2024-01-03", "44000")]


def test_the_names_of_columns_missing_that_of_the_row_numbers() -> None:
    export = read('"Date","Close"\n"1","2024-01-01","1.5"\n"2","2024-01-02","2.5"\n')
    assert pairs(export) == [("2024-01-01", "1.5"), ("2024-01-02", "2.5")]


def test_the_close_is_found_by_its_behaviour_where_words_are_unknown() -> None:
    days = market(days=60)
    for layout in ("investing", "five"):
        export = read(write_history(days, Dialect(language="xx", layout=layout)))
        assert pairs(export)[0] == ("2022-01-18", str(days[-1].close))
        assert any("behave" in note for note in export.notes)
