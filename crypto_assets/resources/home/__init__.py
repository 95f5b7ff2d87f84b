"""Dagster's home: what commands look up in it without Dagster, and the instance itself."""
