"""Tests of `crypto_assets.resources.deploy` that need no service."""
