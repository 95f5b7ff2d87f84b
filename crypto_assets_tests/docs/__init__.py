"""The documentation is true: its tables come from the code, and its commands run."""
