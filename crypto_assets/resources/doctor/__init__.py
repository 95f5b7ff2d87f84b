"""Tries each part of the product and says what to fix."""
