"""The command `connect`: the UI of a stack's instance, on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from crypto_assets.cli.command import command, say
from crypto_assets.cli.deploy import ENV

if TYPE_CHECKING:
    from crypto_assets.resources.settings import Settings

_LOOK_S = 0.5


@command
@ENV
@click.option(
    "--port",
    type=click.IntRange(1, 65535),
    default=3000,
    show_default=True,
    help="Port on this machine.",
)
def connect(settings: Settings, name: str | None, port: int) -> None:
    """Bring the UI of the stack's instance to this machine; end with Ctrl-C.

    Through a session of AWS Systems Manager, which AWS CLI with its Session Manager plugin keeps.
    """
    from crypto_assets.resources.aws import Aws
    from crypto_assets.resources.deploy.session import forwarded, instance_of
    from crypto_assets.resources.deploy.stack import stack_name
    from crypto_assets.resources.settings import Settings
    from crypto_assets.ui.address import Address
    from crypto_assets.ui.processes import Signals

    chosen = settings if name is None else Settings(env=name)
    address, aws = Address("127.0.0.1", port), Aws.of(chosen)
    address.check_free()
    instance, signals = instance_of(aws, stack_name(chosen.env)), Signals()
    with forwarded(aws, instance, port) as session:
        say(f"connecting to {instance}")
        answers = False
        while not signals.asked.wait(_LOOK_S):
            session.check()
            if not answers and (answers := address.answers()):
                say(f"ready: {address.url}")
    say("ended")
