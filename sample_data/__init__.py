"""Inputs in the shapes people really have, and the script that writes them."""
