"""Runs the command as `python -m crypto_assets.cli`."""

from crypto_assets.cli import main

main()
