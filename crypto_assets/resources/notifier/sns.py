"""The notifier on AWS: a topic of SNS, in the lengths and characters that SNS takes."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Self

from crypto_assets.resources.aws import Aws, aws_errors
from crypto_assets.resources.notifier.notifier import LOGGER, Notifier
from crypto_assets.resources.settings import Settings
from crypto_assets.spark.printable import printable_lines

SUBJECT_CHARACTERS = 100
MESSAGE_BYTES = 256 * 1024


@dataclass(frozen=True, kw_only=True)
class SnsNotifier(Notifier):
    """Publishes notices to a topic of SNS, and logs them, so that none is lost with SNS."""

    aws: Aws
    topic_arn: str

    @classmethod
    def of(cls, settings: Settings) -> Self:
        return cls(aws=Aws.of(settings), topic_arn=settings.aws.wanted("topic_arn"))

    def notify(self, subject: str, text: str, *, level: int = logging.ERROR) -> None:
        """Sends one notice, in the lengths and characters that SNS takes.

        Raises `BusyError` and `RefusedError` if SNS does not take it.
        """
        LOGGER.log(level, "%s", printable_lines(f"{subject}\n{text}"))
        short = short_subject(subject)
        message = text if short == subject and text else f"{subject}\n\n{text}"
        with aws_errors(permission=f"allow sns:Publish on {self.topic_arn}"):
            client = self.aws.client("sns")
            client.publish(
                TopicArn=self.topic_arn, Subject=short, Message=cut(printable_lines(message))
            )


def short_subject(subject: str) -> str:
    """The subject as SNS takes it: up to 100 printable ASCII characters on one line."""
    line = " ".join(subject.split()).encode("ascii", "replace").decode()
    line = "".join(letter if letter.isprintable() else "?" for letter in line)
    if len(line) > SUBJECT_CHARACTERS:
        line = f"{line[: SUBJECT_CHARACTERS - 3]}..."
    return line or "notice"


def cut(text: str) -> str:
    """The text in at most 256 KB of UTF-8; its last line says so if it had more."""
    content = text.encode()
    if len(content) <= MESSAGE_BYTES:
        return text
    last = f"\n[cut here: the notice has {len(content):,} bytes, SNS takes {MESSAGE_BYTES:,}]"
    return content[: MESSAGE_BYTES - len(last)].decode(errors="ignore") + last
