"""What SQL asks: DuckDB or Redshift."""
