"""The notifier: who is told what a run did. One interface; a log file, or a topic of SNS."""

import logging
from abc import ABC, abstractmethod
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
from pydantic import Field

from crypto_assets.resources.aws import Aws, faults_told
from crypto_assets.resources.storage.files import printable

LOGGER = logging.getLogger("crypto_assets.notices")
SUBJECT_CHARACTERS = 100
MESSAGE_BYTES = 256 * 1024


class Notifier(dg.ConfigurableResource, ABC):
    """Tells people what happened."""

    @abstractmethod
    def tell(self, subject: str, text: str, *, level: int = logging.ERROR) -> None:
        """Sends one notice; `subject` is one line, `text` is plain and may have many.

        It is logged at `level`, which is lower for what is no failure.
        """


class LogNotifier(Notifier):
    """Appends notices to a file and logs them, so that none is lost with a terminal."""

    path: str = Field(description="The file notices are appended to.")

    def tell(self, subject: str, text: str, *, level: int = logging.ERROR) -> None:
        LOGGER.log(level, "%s", printable(f"{subject}\n{text}"))
        entry = f"{datetime.now(UTC).isoformat(timespec='seconds')} {subject}\n{text}\n\n"
        Path(self.path).parent.mkdir(parents=True, exist_ok=True)
        with Path(self.path).open("a", encoding="utf-8") as stream:
            stream.write(printable(entry))


class SnsNotifier(Notifier):
    """Publishes notices to a topic of SNS, and logs them, so that none is lost with SNS."""

    aws: dg.ResourceDependency[Aws]
    topic_arn: str = Field(description="ARN of the topic.")

    def tell(self, subject: str, text: str, *, level: int = logging.ERROR) -> None:
        """Sends one notice, in the lengths and characters that SNS takes.

        Raises `ServiceFault` if SNS does not take it.
        """
        LOGGER.log(level, "%s", printable(f"{subject}\n{text}"))
        short = short_subject(subject)
        message = text if short == subject and text else f"{subject}\n\n{text}"
        with faults_told(permission=f"allow sns:Publish on {self.topic_arn}"):
            client = self.aws.client("sns")
            client.publish(TopicArn=self.topic_arn, Subject=short, Message=cut(printable(message)))


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
