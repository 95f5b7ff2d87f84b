"""Tests of `crypto_assets.spark.accounts`."""
