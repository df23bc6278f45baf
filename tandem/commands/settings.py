"""Reads the environment's settings for a command, or ends it with every mistake."""

import os
import sys
from typing import TYPE_CHECKING

import click

from tandem.commands.options import INPUT_IS_WRONG

if TYPE_CHECKING:
    from shared.ops.settings import Settings


def settings_or_exit() -> "Settings":
    """The ``TANDEM_...`` settings; exits 2 after telling every wrong one."""
    from shared.ops.settings import SettingsErrors, read_settings

    try:
        return read_settings(os.environ)
    except SettingsErrors as error:
        for problem in error.problems:
            print(problem, file=sys.stderr)
        raise click.exceptions.Exit(INPUT_IS_WRONG) from None
