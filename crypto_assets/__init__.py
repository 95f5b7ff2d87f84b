"""crypto_assets: two CSV files per crypto-currency in, tables that SQL and BI can trust out."""

__version__ = "0.1.0"
