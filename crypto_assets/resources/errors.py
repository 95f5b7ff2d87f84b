"""What a service that the product stands on can do to us, whichever service it is.

No client library is needed to name these. Which answer of a service is which of them is told where
its clients are made (`aws`).
"""


class ServiceFault(Exception):  # noqa: N818 - it reads as a sentence to a person
    """A service did not do what it was asked; the message is one line and names the cure."""


class ServiceBusy(ServiceFault):
    """It cannot be reached, breaks, or has too much to do: another attempt later may work."""


class ServiceRefused(ServiceFault):
    """It refuses until somebody changes credentials, permissions or settings."""
