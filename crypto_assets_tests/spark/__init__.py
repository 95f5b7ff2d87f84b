"""Tests of `crypto_assets.spark`."""
