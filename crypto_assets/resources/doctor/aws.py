"""The doctor's round of the AWS account: looks at each piece, says what is missing and the cure.

It changes nothing but probes, which it deletes. The pieces are in `buckets`, `events`, `emr`,
`redshift` and `roles`; whether this machine itself is fit is `doctor`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor

from crypto_assets.resources.aws import MAY_NOT, Aws, error_code, one_line
from crypto_assets.resources.doctor.buckets import INBOX, LAKE, LOGS
from crypto_assets.resources.doctor.emr import APPLICATION
from crypto_assets.resources.doctor.events import QUEUE, TOPIC
from crypto_assets.resources.doctor.finding import Finding
from crypto_assets.resources.doctor.piece import Account, Piece
from crypto_assets.resources.doctor.redshift import WORKGROUP
from crypto_assets.resources.doctor.roles import COPY_ROLE, JOB_ROLE
from crypto_assets.resources.errors import UsageError
from crypto_assets.resources.settings import Settings, variable

_MISSING = re.compile(r"NoSuch|NotFound|NonExist|DoesNotExist|^404$")
_CREDENTIALS = "renew them, or name others by AWS_PROFILE or CRYPTO_ASSETS_AWS_KEY_FILE"
# By the resource and the word it is set to; the store looks at its table itself. Where the first
# piece of a group is not fit, the others are not looked at.
_GROUPS: Mapping[tuple[str, str], tuple[tuple[Piece, ...], ...]] = {
    ("inbox", "s3"): (INBOX, QUEUE),
    ("lake", "s3"): (LAKE,),
    ("engine", "emr-serverless"): (APPLICATION, JOB_ROLE, LOGS),
    ("warehouse", "redshift"): (WORKGROUP, COPY_ROLE),
    ("store", "dynamodb"): (),
    ("notifier", "sns"): (TOPIC,),
}


def uses_aws(settings: Settings) -> bool:
    """Whether any resource is on AWS."""
    return any(getattr(settings, name) == word for name, word in _GROUPS)


def examine_aws(aws: Aws, settings: Settings) -> Iterator[Finding]:
    """The credentials, then a finding for each piece; those of the network come within seconds.

    Nothing if no resource is on AWS.
    """
    if not uses_aws(settings):
        return
    account = Account(aws, settings)
    used = (groups for (name, word), groups in _GROUPS.items() if getattr(settings, name) == word)
    asked = [g for groups in used for g in groups if _value(account, g[0]) or not g[0].optional]
    try:
        yield _credentials(account)
        _ = account.region
    except UsageError as error:
        yield Finding("credentials", False, str(error))
        return
    with ThreadPoolExecutor(len(asked) or 1) as pool:
        for findings in pool.map(lambda group: _look_at(account, group), asked):
            yield from findings


def _credentials(account: Account) -> Finding:
    """Whose credentials they are. Raises `UsageError` if AWS does not take them."""
    from botocore import exceptions

    try:
        who = account.client("sts").get_caller_identity()
    except (exceptions.ConnectionError, exceptions.HTTPClientError) as error:
        return Finding("credentials", False, one_line(error))
    except exceptions.ClientError as error:
        if not error_code(error) and account.aws.endpoint_url:  # no answer of STS
            found = f"not checked: there is no STS at {account.aws.endpoint_url}"
            return Finding("credentials", True, found)
        raise UsageError(f"AWS does not take them: {error_code(error)}: {_CREDENTIALS}") from error
    except exceptions.BotoCoreError as error:
        raise UsageError(f"{one_line(error)}: {_CREDENTIALS}") from error
    return Finding("credentials", True, f"account {who['Account']}, {who['Arn']}")


def _look_at(account: Account, group: tuple[Piece, ...]) -> list[Finding]:
    first, *others = group
    found = _look(account, first)
    return [found, *(_look(account, piece) for piece in others if found.ok)]


def _look(account: Account, piece: Piece) -> Finding:
    from botocore.exceptions import ClientError

    name, value = variable("aws", piece.setting), _value(account, piece)
    if not value:
        return Finding(piece.what, False, f"not set: set {name}")
    try:
        return Finding(piece.what, True, piece.look(account, value))
    except ClientError as error:
        code = error_code(error) or "an error without a code"
        if MAY_NOT.search(code):
            cure = f"not checked, {piece.action} is not permitted: allow it"
            return Finding(piece.what, not piece.needed, f"{value}: {cure}")
        there = "it is not there" if _MISSING.search(code) else f"{piece.action} says {code}"
        return Finding(piece.what, False, f"{value}: {there}: create it or correct {name}")
    except Exception as error:  # noqa: BLE001 - whatever is wrong is what the doctor is asked for
        return Finding(piece.what, False, f"{value}: {one_line(error)} ({name})")


def _value(account: Account, piece: Piece) -> str:
    return str(getattr(account.settings.aws, piece.setting))
