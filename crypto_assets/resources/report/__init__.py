"""The report: one HTML page of all currencies that opens without a network. See `report`."""
