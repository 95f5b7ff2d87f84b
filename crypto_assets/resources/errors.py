"""Every exception of the product outside `spark/`; each message is one line and names the cure.

    CryptoAssetsError
    ├── UsageError           what was asked for cannot be done; exit code 2, all others are 1
    ├── RefusedError         a service or an engine refuses until somebody changes something
    ├── Refused              a file that `crypto_assets.read` cannot read with certainty
    ├── UnclearError         it is not certain what an upload is or whose: it goes to quarantine
    ├── DataError            a file or a table is not as it should be: a verdict on its partition
    │   └── StatementError   the warehouse ran statements and one of them failed
    └── BusyError            another attempt may work: a run makes two more
        └── ConflictError    another process or transaction was in the way

No client library is needed to name these; `aws` makes them of what AWS answers.
"""


class CryptoAssetsError(Exception):
    """The base of all."""


class UsageError(CryptoAssetsError):
    """The user asked for something that cannot be."""


class RefusedError(CryptoAssetsError):
    """Credentials, permissions, settings or a missing program are in the way, until changed."""


class Refused(CryptoAssetsError):  # noqa: N818 - it is raised to people who read a file
    """A file cannot be read, or not with certainty; says what would help, in Python's words."""


class UnclearError(CryptoAssetsError):
    """An upload cannot be assigned to a currency or a snapshot."""


class DataError(CryptoAssetsError):
    """What a job wrote, or a warehouse loaded, is not what was to be there."""


class StatementError(DataError):
    """One of the statements of a transaction failed; `number` is which, None if none began."""

    def __init__(self, reason: str, number: int | None) -> None:
        super().__init__(reason)
        self.reason, self.number = reason, number


class BusyError(CryptoAssetsError):
    """Something is held by others, overloaded, or cannot be reached for the moment."""


class ConflictError(BusyError):
    """Others replaced it meanwhile, changed the same rows, or left no room for ours."""
