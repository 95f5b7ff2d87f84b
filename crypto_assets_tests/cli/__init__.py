"""Tests of `crypto_assets.cli`."""
