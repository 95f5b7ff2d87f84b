"""Silver and gold once more, as DataFrame code: what the product's arrays are held against.

The rules are written here a second time, over windows and joins, for any number of tickers in one
plan. `compare` runs both on the same lines.
"""
