"""The operator's door: `healthcert <noun> <verb>`, one module a noun.

Exit codes: 0 done, 1 refused, 2 misuse.
"""

import click

from healthcert.cli.audit import audit
from healthcert.cli.bundle import bundle
from healthcert.cli.certificates import certificates
from healthcert.cli.conformance import conformance
from healthcert.cli.db import db
from healthcert.cli.demo import demo
from healthcert.cli.draw import draw
from healthcert.cli.hcert import hcert
from healthcert.cli.keys import keys
from healthcert.cli.knowledge import country, vaccines, valuesets
from healthcert.cli.lots import lots
from healthcert.cli.rules import rules
from healthcert.cli.serve import run_demo, serve, worker
from healthcert.cli.staff import staff
from healthcert.cli.stress import stress
from healthcert.cli.tables import export, import_
from healthcert.cli.verify import verify
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


demo.add_command(run_demo)
_NOUNS = (
    audit, bundle, certificates, conformance, country, db, demo, draw, export, hcert, import_, keys,
    lots, rules, serve, staff, stress, vaccines, valuesets, verify, worker,
)  # fmt: skip
for command in _NOUNS:
    main.add_command(command)
