"""What the doctor says of one part. How the parts are tried is in `doctor` and `doctor_aws`."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One check: what was tried, whether it works, and what was found or should be done."""

    what: str
    ok: bool
    found: str
