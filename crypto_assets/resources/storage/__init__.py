"""Files and objects by key: the one way to folders, buckets and DuckDB files."""
