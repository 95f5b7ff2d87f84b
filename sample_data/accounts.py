"""Writes synthetic snapshots of a bank's customers and accounts, and knows what is true of them.

Here are a bank with every oddity that real drops have, what happens to it between three snapshots,
and the clean table and the changes that ought to come of each. Knowledge about reading drops does
not belong here: the truth is told from what was written, never by reading it again.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

HERE = Path(__file__).parent
UNKNOWN = "unknown"
FIRST_NAMES = ("Anna", "Ben", "Chloé", "David", "Elif", "Femi", "Grace", "Hiroshi", "Inés", "Jack")
LAST_NAMES = ("Smith", "O'Neil", "García", "Miller", "Nguyen", "Brown", "Müller", "Jones", "Lee")
GENDERS = ("female", "male", "female", "male", "female", "male", "non-binary", "")
# As written -> what it means.
STATES = (
    ("New Jersey", "New Jersey"),
    ("NJ", "New Jersey"),
    ("California", "California"),
    ("california", "California"),
    ("TX", "Texas"),
    ("Texas", "Texas"),
    ("New York", "New York"),
    ("ny", "New York"),
    ("Washington", "Washington"),
    ("Florida", "Florida"),
    ("North  Carolina", "North Carolina"),
    ("DC", "Washington, D.C."),
)
TYPES = ("checking", "saving", "trading", "forex", "retirement", "Checking")
# first name, last name, gender, state as written, state that is meant
ODD_CUSTOMERS = (
    ("José", "O'Brien", "male", "WA", "Washington"),
    ("Maria", "Núñez", "female", "wa", "Washington"),
    ("Sam", "Hill, Jr.", "male", "Washington, D.C.", "Washington, D.C."),
    ("Lou\nAnn", "Baker", "female", "washington dc", "Washington, D.C."),
    ('William "Bill"', "Ford", "male", "New Jerse", UNKNOWN),
    ("", "Nameless", "male", "District of Columbia", "Washington, D.C."),
    ("Cher", "", "female", "Californa", UNKNOWN),
    ("Alex", "Kim", "", "ID", "Idaho"),
    ("Robin", "Park", "non-binary", "", UNKNOWN),
    ("", "", "", "", UNKNOWN),
    ("  Padma ", " Rao", "female ", " new   york ", "New York"),
    ("Kim", "Null-Island", "female", "Texs", UNKNOWN),
)
MISSING = 9_000_001  # and above: ids of customers that are in no file


@dataclass(slots=True)
class Account:
    """One account as it is meant; `written` is its line, `created` an ISO time or empty."""

    customer: int | None
    kind: str
    created: str
    written: str


@dataclass(frozen=True)
class Snapshot:
    """One pair of files, and what is true of it if that was asked for.

    `rows` are the clean table by account number; `changes` lead there from the snapshot before,
    each an item as it is then stored, with its `operation`, `previous_year` and `deleted_at`;
    `counts` says how many rows of which sort were written. Times are aware datetimes of UTC.
    """

    name: str
    arrived_at: str
    customers: Path
    accounts: Path
    rows: dict[str, dict[str, Any]] = field(default_factory=dict)
    changes: list[dict[str, Any]] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)


def write_snapshots(
    folder: Path, customers: int, accounts: int, seed: int, *, truth: bool = True
) -> list[Snapshot]:
    """Writes three snapshots in a row below `folder`; about 30 odd rows come to those asked for.

    At least 20 customers and 40 accounts, so that something of every kind happens to them.
    """
    bank = Bank(customers, accounts, seed)
    stored: dict[str, dict[str, Any]] = {}
    snapshots = []
    for number, happens in enumerate((lambda: None, bank.second, bank.third), 1):
        happens()
        arrived_at = f"2024-0{number}-01T06:00:00+00:00"
        name = f"20240{number}01T060000Z-{number:08x}"
        files = bank.write(folder / name)
        known = {}
        if truth:
            rows = bank.rows()
            changes = _changes(stored, rows, datetime.fromisoformat(arrived_at))
            stored |= {change["account_number"]: change for change in changes}
            known = {"rows": rows, "changes": changes, "counts": bank.counts(rows)}
        snapshots.append(Snapshot(name, arrived_at, *files, **known))
    return snapshots


class Bank:
    """The customers (cells as written, state that is meant) and accounts as they are today."""

    def __init__(self, customers: int, accounts: int, seed: int) -> None:
        self._random = Random(seed)
        self._people = customers
        self.customers = dict(enumerate(ODD_CUSTOMERS, 1))
        for number in range(len(ODD_CUSTOMERS) + 1, customers + 1):
            self.customers[number] = self._customer()
        self.accounts = {}
        self._insert(accounts)
        self._ordinary = list(self.accounts)
        self._add_odd_accounts()
        self._share = max(1, accounts // 100)
        self._gone: dict[str, Account] = {}

    def second(self) -> None:
        """What happens between the first snapshot and the second."""
        n, ordinary = self._share, self._ordinary
        for number in ordinary[:n]:
            self._rewrite(number, kind="forex", written="FOREX")
        for number in ordinary[n : 2 * n]:
            self._rewrite(number, created="1999-12-31T23:59:59.999Z")
        for number in ordinary[2 * n : 5 * n]:
            self._gone[number] = self.accounts.pop(number)
        for number in range(13, min(13 + n, self._people + 1)):
            self.customers[number] = (*self.customers[number][:3], "Ohio", "Ohio")
        self._insert(2 * n)
        self._leaving = self.customers.pop(1)
        self._add("3saving-1430802305005", 3, "", "saving", "2015-05-05T05:05:05.005Z")

    def third(self) -> None:
        """What happens between the second snapshot and the third."""
        n, ordinary = self._share, self._ordinary
        for number in ordinary[2 * n : 4 * n]:
            self.accounts[number] = self._gone.pop(number)
        for number in ordinary[3 * n : 4 * n]:
            self._rewrite(number, created="2001-01-01T00:00:00.000Z")
        for number in ordinary[n : 2 * n]:
            self._rewrite(number, created="")
        for number in ordinary[5 * n : 6 * n]:
            del self.accounts[number]
        self._insert(n)
        self.customers[1] = self._leaving
        self.customers[self._people + 1] = ("Zoë", "Ångström", "female", "ak", "Alaska")
        self._add(f"{self._people + 1}legacy", self._people + 1, "", "legacy", "")

    def write(self, folder: Path) -> tuple[Path, Path]:
        """Writes both files, some of their rows twice, and rows that are blank or worth nothing."""
        folder.mkdir(parents=True, exist_ok=True)
        people = [_line(number, *cells[:4]) for number, cells in self.customers.items()]
        people[5:5] = [",,,,\n", people[2], ",No,Number,female,Utah\n", "\n", " , ,, ,\n"]
        money = [account.written for account in self.accounts.values()]
        money[8:8] = [money[3], ",,,\n", ",,checking,2020-01-01T00:00:00.000Z\n", "\n", money[3]]
        files = folder / "customers.csv", folder / "accounts.csv"
        headers = (
            "customer_id,first_name,last_name,gender,state\n",
            "customer_id,account_number,type_of_account,created_at\n",
        )
        for file, header, lines in zip(files, headers, (people, money), strict=True):
            file.write_bytes("".join([header, *lines]).encode())
        return files

    def rows(self) -> dict[str, dict[str, Any]]:
        """The clean table by account number."""
        return {number: self._row(number, account) for number, account in self.accounts.items()}

    def counts(self, rows: dict[str, dict[str, Any]]) -> dict[str, int]:
        """How many rows of which sort `write` writes; `*_rows` leaves out the blank ones."""
        owners = [row["customer_id"] for row in rows.values()]
        return {
            "customers_rows": len(self.customers) + 2,
            "customers_blank": 3,
            "customers_duplicates": 1,
            "customers_without_id": 1,
            "customers_without_account": len(self.customers.keys() - set(owners)),
            "accounts_rows": len(self.accounts) + 3,
            "accounts_blank": 2,
            "accounts_duplicates": 2,
            "accounts_without_any_id": 1,
            "accounts_without_customer_id": owners.count(None),
            "accounts_without_customer": sum(owner not in self.customers for owner in owners),
        }

    def _customer(self) -> tuple[str, str, str, str, str]:
        drawn = self._random.random
        written, meant = STATES[int(drawn() * len(STATES))]
        return (
            FIRST_NAMES[int(drawn() * len(FIRST_NAMES))],
            LAST_NAMES[int(drawn() * len(LAST_NAMES))],
            GENDERS[int(drawn() * len(GENDERS))],
            written,
            meant,
        )

    def _insert(self, count: int) -> None:
        """New accounts with number; the last tenth of the customers has none of them."""
        drawn, bits = self._random.random, self._random.getrandbits
        owners = self._people * 0.9
        for _ in range(count):
            digits = f"{bits(128):032x}"
            number = f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
            kind = TYPES[int(drawn() * len(TYPES))]
            when = bits(40)
            created = (
                f"{2005 + when % 20}-{1 + (when >> 5) % 12:02}-{1 + (when >> 9) % 28:02}T"
                f"{(when >> 14) % 24:02}:{(when >> 19) % 60:02}:{(when >> 25) % 60:02}."
                f"{(when >> 30) % 1000:03}Z"
            )
            owner = 1 + int(drawn() * owners)
            line = f"{owner},{number},{kind},{created}\n"
            self.accounts[number] = Account(owner, kind.lower(), created, line)

    def _add_odd_accounts(self) -> None:
        numbers = [f"abcdef00-0000-4000-8000-{number:012}" for number in range(8)]
        # Of two accounts of one type the first by creation, not by line, has the plain number.
        self._add("1legacy-1046660583003", 1, "", "legacy", "2003-03-03T03:03:03.003Z")
        self._add("1legacy", 1, "", "legacy", "2001-01-01T01:01:01.001Z")
        self._add("2unknown", 2, "", "", "")
        self._add("2legacy", 2, "", "Legacy", "1998-02-03T04:05:06.007Z")
        self._add("2trading", 2, "", "trading", "1998-02-03T04:05:06.008Z")
        self._add("3saving", 3, "null", "saving", "2010-10-10T10:10:10.010Z")
        self._add(f"{MISSING}legacy", MISSING, "", "legacy", "2012-12-12T12:12:12.012Z")
        self._add(numbers[0], MISSING + 1, numbers[0], "forex", "2020-02-29T12:00:00.000Z")
        self._add(numbers[1], None, numbers[1], "trading", "2019-12-31T23:59:59.999Z")
        self._add(numbers[2], 4, numbers[2].upper(), "SAVING", "2020-01-01T00:00:00.000Z")
        self._add(numbers[3], 4, f" {numbers[3]} ", " checking", "")
        self._add(numbers[4], 5, numbers[4], "", "2021-06-15T08:30:00.120Z")
        self._add(numbers[5], 6, numbers[5], "legacy", "2022-07-16T09:31:01.345Z")
        self._add(numbers[6], None, numbers[6], "", "")
        self._add(numbers[7], 7, numbers[7], "retirement", "1969-07-20T20:17:40.000Z")

    def _add(self, number: str, owner: int | None, written: str, kind: str, created: str) -> None:
        """An account with its number and type as written."""
        cells = ("" if owner is None else owner, written, kind, created)
        meant = {"": UNKNOWN, "legacy": "checking"}.get(kind.strip().lower(), kind.strip().lower())
        self.accounts[number] = Account(owner, meant, created, _line(*cells))

    def _rewrite(self, number: str, written: str = "", **changed: str) -> None:
        """The account again, with another type or time; `written` is how its type is spelt."""
        old = self.accounts[number]
        kind, created = changed.get("kind", old.kind), changed.get("created", old.created)
        line = _line(old.customer, number, written or kind, created)
        self.accounts[number] = Account(old.customer, kind, created, line)

    def _row(self, number: str, account: Account) -> dict[str, Any]:
        nobody = ("", "", "", "", UNKNOWN)
        first, last, gender, _, state = self.customers.get(account.customer, nobody)
        created = datetime.fromisoformat(account.created) if account.created else None
        return {
            "customer_id": account.customer,
            "name": f"{first.strip() or UNKNOWN} {last.strip() or UNKNOWN}",
            "gender": gender.strip() or UNKNOWN,
            "state": state,
            "account_number": number,
            "type_of_account": account.kind,
            "created_at": created and created.astimezone(UTC),
            "created_at_year": created and created.year,
        }


def _line(*cells: object) -> str:
    """The cells as a row of CSV, in quotes where they must be."""
    return ",".join(_cell(str(cell)) for cell in cells) + "\n"


def _cell(text: str) -> str:
    if not any(mark in text for mark in ',"\n'):
        return text
    return '"' + text.replace('"', '""') + '"'


def _changes(
    stored: dict[str, dict[str, Any]], rows: dict[str, dict[str, Any]], now: datetime
) -> list[dict[str, Any]]:
    """What turns the items `stored`, deleted ones among them, into these rows."""
    changes = []
    for number, row in rows.items():
        item = {**row, "created_at_year": row["created_at_year"] or 0, "deleted_at": None}
        before = stored.get(number)
        if before is None:
            changes.append({**item, "operation": "insert", "previous_year": None})
        elif before["deleted_at"] or any(before[name] != value for name, value in item.items()):
            year = before["created_at_year"]
            changes.append(
                {
                    **item,
                    "operation": "restore" if before["deleted_at"] else "change",
                    "previous_year": year if year != item["created_at_year"] else None,
                }
            )
    lost = (item for number, item in stored.items() if number not in rows)
    for item in lost:
        if not item["deleted_at"]:
            gone = {"operation": "delete", "previous_year": None, "deleted_at": now}
            changes.append({**item, **gone})
    return changes


if __name__ == "__main__":
    Bank(customers=24, accounts=40, seed=6).write(HERE / "accounts")
