"""Tests of what the profile `aws` adds, on loopback services."""
