"""The tests; the folders mirror `crypto_assets/`."""
