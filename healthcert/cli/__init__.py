"""The operator's door: `healthcert <noun> <verb>`, one module a noun.

Exit codes: 0 done, 1 refused, 2 misuse.
"""

from __future__ import annotations

import click

from healthcert.cli.rules import rules
from healthcert.errors import BadInput, Refusal


class Door(click.Group):
    """A command group that turns a refusal into one sentence and exit code 1."""

    def invoke(self, ctx: click.Context) -> object:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except BadInput as refusal:
            raise click.UsageError(str(refusal)) from None
        except Refusal as refusal:
            raise click.ClickException(str(refusal) or refusal.code) from None


@click.group(cls=Door)
@click.version_option(package_name="healthcert")
def main() -> None:
    """Vaccination booking, dose records and EU-DCC health certificates."""


main.add_command(rules)
