"""Customer accounts: two snapshots of a bank, customers and accounts, become one clean table.

Same engine, lake and audit as the market data; here is only what is done to the data. Which
snapshot is worked on, publishing and storing are the matter of `resources/`.
"""
