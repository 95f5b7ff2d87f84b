"""What has to be in the database before anything is loaded, and who may do what with it.

Schemas, tables and procedures belong to the database user who made them; all others who load need
grants of that owner. Here is what looks at these and makes them; what is loaded is in `redshift`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from crypto_assets.resources.errors import RefusedError, StatementError
from crypto_assets.resources.warehouse.currencies import CREATE_VIEW
from crypto_assets.resources.warehouse.daily import CREATE_DAILY, DAILY
from crypto_assets.resources.warehouse.data_api import DataApi
from crypto_assets.spark.accounts.tables import WAREHOUSE_ACCOUNTS
from crypto_assets.spark.market_data.tables import CURRENCIES, GOLD, LAST_VERDICTS, PRICES

AGAIN = "run again; if it stays, look at the workgroup in the AWS console"
_NO_USER = re.compile(r"user \"[^\"]*\" does not exist")
NO_DATABASE = re.compile(r"database \"[^\"]*\" does not exist")
_STATEMENTS = 40  # that one transaction of the Data API may have
_VIEW_COLUMNS = ", ".join(column.name for column in GOLD.file_columns)
# The ticker that lacks most rows is named: where another has too many, they are in its file.
# Redshift joins no catalog with a table of rows, so the views are looked for one by one.
_FINISH = """
DECLARE
    wrong VARCHAR(20);
    wanted BIGINT;
    loaded BIGINT;
    known INTEGER;
    entry RECORD;
    symbol VARCHAR(20);
BEGIN
    SELECT b.ticker, b.row_count, COALESCE(p.row_count, 0) INTO wrong, wanted, loaded
    FROM batch b LEFT JOIN (
        SELECT ticker, COUNT(*) AS row_count FROM market_data.prices
        WHERE ticker IN (SELECT ticker FROM batch) GROUP BY ticker
    ) p ON p.ticker = b.ticker
    WHERE COALESCE(p.row_count, 0) <> b.row_count
    ORDER BY COALESCE(p.row_count, 0) - b.row_count LIMIT 1;
    IF wrong IS NOT NULL THEN
        RAISE EXCEPTION 'ticker=%/: % rows loaded of a file of %', wrong, loaded, wanted;
    END IF;
    FOR entry IN SELECT ticker FROM batch ORDER BY ticker LOOP
        SELECT COUNT(*) INTO known FROM pg_views
        WHERE schemaname = 'market_data' AND viewname = LOWER(entry.ticker);
        IF known = 0 THEN
            symbol := entry.ticker;
            CALL market_data.sp_add_view(symbol);
        END IF;
    END LOOP;
END;
"""
# Views are made and dropped with the rights of the procedures' owner, so that all have one owner.
_CHECKED = """
BEGIN
    IF LENGTH(symbol) > 20 OR symbol !~ '^[A-Z0-9]+$' THEN
        RAISE EXCEPTION '% is no ticker', symbol;
    END IF;
    {act}
END;
"""
_ADD = f"""EXECUTE 'CREATE VIEW market_data."' || LOWER(symbol) || '" AS '
        || 'SELECT {_VIEW_COLUMNS} FROM market_data.prices '
        || 'WHERE ticker = ' || quote_literal(symbol);"""  # noqa: S608 - checked before
_DROP = """EXECUTE 'DROP VIEW IF EXISTS market_data."' || LOWER(symbol) || '"';"""


@dataclass(frozen=True)
class Procedure:
    """A procedure and its source, which says its own version: so a change of it is known."""

    name: str
    arguments: str
    body: str
    security: str = "INVOKER"

    @property
    def version(self) -> str:
        digest = hashlib.sha256(f"{self.security} {self.body}".encode()).hexdigest()
        return f"-- version {digest[:16]}"

    @property
    def sql(self) -> str:
        return (
            f"CREATE OR REPLACE PROCEDURE {self.name}({self.arguments}) AS $$\n{self.version}"
            f"{self.body}$$ LANGUAGE plpgsql SECURITY {self.security}"
        )


@dataclass(frozen=True)
class Part:
    """What one data set has in the database: what makes each table and view, by its name."""

    schema: str
    tables: tuple[tuple[str, str], ...]
    views: tuple[tuple[str, str], ...] = ()
    procedures: tuple[Procedure, ...] = ()

    @property
    def table_names(self) -> list[str]:
        return [name for name, _ in self.tables]


_ACCOUNT_KEYS = "DISTKEY (account_number) SORTKEY (created_at_year, account_number)"
MARKET_DATA = Part(
    "market_data",
    (
        (
            PRICES.path,
            f"{PRICES.create_sql('redshift')} DISTKEY (ticker) SORTKEY (ticker, date)",
        ),
        (LAST_VERDICTS.path, LAST_VERDICTS.create_sql("redshift")),
    ),
    ((CURRENCIES.path, CREATE_VIEW), (DAILY.path, CREATE_DAILY)),
    (
        Procedure("market_data.sp_finish_batch", "", _FINISH),
        *(
            Procedure(
                f"market_data.{name}",
                "symbol VARCHAR",
                _CHECKED.format(act=act),
                "DEFINER",
            )
            for name, act in (("sp_add_view", _ADD), ("sp_drop_view", _DROP))
        ),
    ),
)
ACCOUNTS = Part(
    "accounts",
    (
        (
            WAREHOUSE_ACCOUNTS.path,
            f"{WAREHOUSE_ACCOUNTS.create_sql('redshift')} {_ACCOUNT_KEYS}",
        ),
    ),
)
PARTS = (MARKET_DATA, ACCOUNTS)
_COMMENTS = {
    **{view.path: view.comments_sql("VIEW") for view in (CURRENCIES, DAILY)},
    **{table.path: table.comments_sql() for table in (PRICES, LAST_VERDICTS, WAREHOUSE_ACCOUNTS)},
}
_VIEWS = ", ".join(f"'{name}'" for part in PARTS for name, _ in part.views)
_SCHEMAS = ", ".join(f"'{part.schema}'" for part in PARTS)
# One row for the user who asks, then one for each thing that is there. All of it is of catalogs,
# which Redshift's leader node keeps. It has no function for the right to call a procedure.
_ROW = "SELECT '{}', CAST({} AS VARCHAR(300)), CAST(usename AS VARCHAR(300)), CAST({} AS {})"
_TEXT = "VARCHAR(8000)"
_GRANTED = "granted"
_MAY = f"CASE WHEN {{}} THEN '{_GRANTED}' ELSE '' END"
_MAY_USE = _MAY.format("HAS_SCHEMA_PRIVILEGE(CURRENT_USER, nspname, 'USAGE')")
_MAY_LOAD = _MAY.format(
    " AND ".join(
        f"HAS_TABLE_PRIVILEGE(CURRENT_USER, pg_class.oid, '{privilege}')"
        for privilege in ("SELECT", "INSERT", "DELETE")
    )
)
LOOK = " UNION ALL ".join(
    (
        _ROW.format(
            *("user", "usename"),
            "CASE WHEN usesuper THEN 'superuser' "
            "WHEN HAS_DATABASE_PRIVILEGE(usename, CURRENT_DATABASE(), 'CREATE') THEN 'creator' "
            "ELSE '' END",
            _TEXT,
        )
        + " FROM pg_user WHERE usename = CURRENT_USER",
        _ROW.format("schema", "nspname", _MAY_USE, _TEXT)
        + f" FROM pg_namespace JOIN pg_user ON usesysid = nspowner WHERE nspname IN ({_SCHEMAS})",
        _ROW.format("table", "nspname || '.' || relname", _MAY_LOAD, _TEXT)
        + " FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace"
        + f" JOIN pg_user ON usesysid = relowner WHERE relkind = 'r' AND nspname IN ({_SCHEMAS})",
        # Not the view of each ticker: there are as many as tickers.
        _ROW.format("view", "nspname || '.' || relname", "''", _TEXT)
        + " FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace"
        + " JOIN pg_user ON usesysid = relowner"
        + f" WHERE relkind = 'v' AND nspname || '.' || relname IN ({_VIEWS})",
        _ROW.format("procedure", "nspname || '.' || proname", "prosrc", _TEXT)
        + " FROM pg_proc JOIN pg_namespace ON pg_namespace.oid = pronamespace"
        + f" JOIN pg_user ON usesysid = proowner WHERE nspname IN ({_SCHEMAS})",
    )
)


@dataclass(frozen=True)
class Present:
    """What is in the database: the owner of each thing by its name, each procedure's source.

    `granted` are the schemas and tables on which this user has every right that a load needs.
    """

    user: str
    may: str
    owners: dict[str, str]
    sources: dict[str, str]
    granted: frozenset[str]

    @classmethod
    def of(cls, rows: Sequence[tuple]) -> Present:
        """From the rows of `LOOK`."""
        ((user, may),) = [(name, detail) for kind, name, _, detail in rows if kind == "user"]
        owners = {name: owner for kind, name, owner, _ in rows if kind != "user"}
        sources = {name: source for kind, name, _, source in rows if kind == "procedure"}
        granted = frozenset(name for _, name, _, detail in rows if detail == _GRANTED)
        return cls(user, may, owners, sources, granted)

    def missing(self, part: Part) -> Iterator[tuple[str, str]]:
        """What the part lacks: the name of each thing and the SQL that makes it."""
        if part.schema not in self.owners:
            yield part.schema, f"CREATE SCHEMA IF NOT EXISTS {part.schema}"
        for name, sql in (*part.tables, *part.views):
            if name not in self.owners:
                yield name, sql
                yield from ((name, comment) for comment in _COMMENTS[name])
        for procedure in part.procedures:
            if procedure.version not in self.sources.get(procedure.name, ""):
                yield procedure.name, procedure.sql

    def maker(self, part: Part) -> str:
        """Who owns what loads need of the part, or will once this user has made it."""
        last = part.procedures[-1].name if part.procedures else part.table_names[-1]
        return self.owners.get(last) or self.owners.get(part.schema) or self.user

    def makes(self, part: Part) -> bool:
        """Whether this user makes what the part lacks with its next load."""
        if part.schema in self.owners:
            return self.may == "superuser" or self.maker(part) == self.user
        return bool(self.may)

    def grants(self, part: Part, user: str) -> Iterator[str]:
        """The SQL by which the part's owner lets another database user load it and query it."""
        name = _quoted(user)
        yield f"GRANT USAGE ON SCHEMA {part.schema} TO {name}"
        yield f"GRANT SELECT ON ALL TABLES IN SCHEMA {part.schema} TO {name}"
        yield f"GRANT INSERT, DELETE ON {', '.join(part.table_names)} TO {name}"
        for procedure in part.procedures:
            types = procedure.arguments.partition(" ")[2]
            yield f"GRANT EXECUTE ON PROCEDURE {procedure.name}({types}) TO {name}"
        maker = self.maker(part)
        of = "" if maker == self.user else f"FOR USER {_quoted(maker)} "
        yield (
            f"ALTER DEFAULT PRIVILEGES {of}IN SCHEMA {part.schema} GRANT SELECT ON TABLES TO {name}"
        )


@dataclass(frozen=True)
class Setup:
    """Looks at the database as the user whom the Data API makes of who asks, and makes it ready."""

    data: DataApi
    database: str

    def look(self) -> Present:
        try:
            _, rows = self.data.rows(self.data.execute(LOOK))
        except StatementError as error:
            raise refusal(error, AGAIN) from error
        return Present.of(rows)

    def prepare(self, part: Part) -> None:
        """Makes what the part lacks. Raises `RefusedError` saying who may, if this user may not."""
        present = self.look()
        self._run([sql for _, sql in present.missing(part)], present, part)

    def fix(self, publishers: Sequence[str], show: Callable[[str], None]) -> None:
        """As `Warehouse.fix`."""
        present = self.look()
        for part in PARTS:
            sqls = [sql for _, sql in present.missing(part)]
            sqls += [sql for user in publishers for sql in present.grants(part, user)]
            for sql in sqls:
                show(sql)
            self._run(sqls, present, part)

    def check(self, rehearsals: Mapping[Part, Sequence[str]], *, quick: bool = False) -> bool:
        """Whether anything is there yet. Raises `RefusedError` if a load would be refused.

        The rehearsal of a part needs every right that a load of it needs, and changes nothing. A
        `quick` check leaves it out where the catalog shows the grants, and is one statement then.
        """
        present = self.look()
        for part, rehearsal in rehearsals.items():
            lacks = list(dict.fromkeys(name for name, _ in present.missing(part)))
            if lacks and not present.makes(part):
                raise RefusedError(f"{', '.join(lacks)} is missing: {self._cure(present, part)}")
            shown = {part.schema, *part.table_names} <= present.granted
            if not lacks and not (quick and shown):
                self._run(rehearsal, present, part)
        return MARKET_DATA.schema in present.owners

    def _run(self, sqls: Sequence[str], present: Present, part: Part) -> None:
        try:
            for first in range(0, len(sqls), _STATEMENTS):
                self.data.transact(sqls[first : first + _STATEMENTS])
        except StatementError as error:
            cure = self._cure(present, part) if is_denied(error) else AGAIN
            if _NO_USER.search(error.reason):
                cure = "it is there once that identity has run `crypto-assets doctor`"
            raise refusal(error, cure) from error

    def _cure(self, present: Present, part: Part) -> str:
        """Who lets this database user load, and how."""
        user, fix = present.user, "`crypto-assets doctor --fix --publisher"
        if part.schema in present.owners:
            return f"database user {present.maker(part)} or a superuser runs {fix} {user}`"
        create = f"GRANT CREATE ON DATABASE {self.database} TO {_quoted(user)}"
        return f"a superuser runs {create}, or {fix} {user}`"


def is_denied(error: StatementError) -> bool:
    """Whether a statement failed because the database user lacks a right."""
    return bool(re.search(r"permission denied for|must be owner of", error.reason, re.IGNORECASE))


def refusal(error: StatementError, cure: str) -> RefusedError:
    """What no file is to blame for, with the cure."""
    if NO_DATABASE.search(error.reason):
        cure = "set CRYPTO_ASSETS_AWS_REDSHIFT_DATABASE to one that does"
    return RefusedError(f"Redshift: {error.reason}: {cure}")


def _quoted(name: str) -> str:
    """The name as an identifier of SQL, whatever characters it has, such as `IAM:ann`."""
    return '"' + name.replace('"', '""') + '"'
