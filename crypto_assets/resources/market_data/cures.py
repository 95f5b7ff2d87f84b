"""Cures in other words: an option of the command as a line of `currencies.toml`, or in Python."""

from __future__ import annotations

import json
import re
from dataclasses import fields

from crypto_assets.spark.market_data.currency import Choices
from crypto_assets.spark.market_data.data_set import MARKET_DATA
from crypto_assets.spark.printable import printable

_FLAGS = {each.name for each in fields(Choices) if each.default is False}
_NUMBERS = {each.name for each in fields(Choices) if isinstance(each.default, float)}
_NAMES = {each.name for each in fields(Choices)} | MARKET_DATA.files.keys()
_OPTION = re.compile(
    "--(?P<flag>{flags})|--(?P<name>{names}) (?P<value>[A-Za-z]+(?:\\|[a-z]+)*)".format(
        flags="|".join(sorted(name.replace("_", "-") for name in _FLAGS)),
        names="|".join(sorted(name.replace("_", "-") for name in _NAMES - _FLAGS)),
    )
)
_ADDED = re.compile(r"add it with --(history|trend) FILE")


def section(ticker: str, kind: str, key: str) -> str:
    """The line that gives this file to a currency."""
    return f"[{ticker}] {kind} = {_text(key)}"


def as_settings(reason: str, place: str, ticker: str | None, key: str) -> str:
    """A reader's reason whose options are lines for the file at `place`, with their section.

    Without a `ticker` the section has to say as well whose the file at `key` is.
    """
    said, count = _OPTION.subn(_line, reason)
    if not count:
        return reason
    said = said.replace('"FILE"', _text(key))
    beside = "" if ticker else f", beside history = {_text(key)} or trend = {_text(key)}"
    return f"{said} (in {place}, below [{ticker or 'TICKER'}]{beside})"


def with_places(problem: str, place: str, ticker: str) -> str:
    """A run's problem, with where the options that it names can be given."""
    if not _OPTION.search(problem):
        return problem
    lines = " and ".join(dict.fromkeys(_line(found) for found in _OPTION.finditer(problem)))
    return f"{problem} (with `crypto-assets add`, or {lines} below [{ticker}] in {place})"


def as_arguments(reason: str) -> str:
    """A reader's reason whose options are arguments of `crypto_assets.read`."""
    said = _ADDED.sub(r'say kind="\1"', reason)
    return _OPTION.sub(_argument, said)


def _argument(option: re.Match[str]) -> str:
    if option["flag"]:
        return f"{_name(option['flag'])}=True"
    values = ("NUMBER" if v == "NUMBER" else f'"{v}"' for v in option["value"].split("|"))
    return " or ".join(f"{_name(option['name'])}={value}" for value in values)


def _line(option: re.Match[str]) -> str:
    if option["flag"]:
        return f"{_name(option['flag'])} = true"
    name = _name(option["name"])
    mark = "" if name in _NUMBERS else '"'
    return f"{name} = {' or '.join(f'{mark}{v}{mark}' for v in option['value'].split('|'))}"


def _name(option: str) -> str:
    return option.replace("-", "_")


def _text(key: str) -> str:
    return json.dumps(printable(key), ensure_ascii=False)
