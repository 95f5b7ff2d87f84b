"""The customer accounts: snapshots, their tables, the store, erasing a customer."""
