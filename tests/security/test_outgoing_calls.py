"""What the service calls: addresses of its settings, with their certificates checked."""

from __future__ import annotations

import ast
from pathlib import Path

import healthcert

PACKAGE = Path(healthcert.__file__).parent
# Where a connection to somewhere else may begin, and to which address of the settings.
CALLERS = {
    "cli/serve.py": "HEALTHCERT_HOST and _PORT, to see whether they are free",
    "cli/stress.py": "HEALTHCERT_DATABASE_URL, for a database of its own on that server",
    "db.py": "HEALTHCERT_DATABASE_URL",
    "gateways/mail.py": "HEALTHCERT_MAIL_URL",
    "gateways/oidc.py": "the issuers of the settings",
    "jobs/room.py": "HEALTHCERT_HOST and _PORT: how long the service itself takes",
}
CALLING = {"socket", "smtplib", "urllib.request", "http.client", "requests", "authlib", "httpx",
           "ftplib", "asyncio", "aiohttp", "xmlrpc", "sqlalchemy.create_engine"}  # fmt: skip


def modules():
    for path in sorted(PACKAGE.rglob("*.py")):
        yield path.relative_to(PACKAGE).as_posix(), ast.parse(path.read_bytes())


def imported(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def calls_out(tree):
    return any(
        name == calling or name.startswith(f"{calling}.")
        for name in imported(tree)
        for calling in CALLING
    )


def test_nothing_a_visitor_types_is_ever_called():
    callers = {name for name, tree in modules() if calls_out(tree)}
    assert callers <= set(CALLERS)
    assert {"db.py", "gateways/mail.py"} <= callers


def test_nothing_turns_off_the_check_of_certificates():
    named = {
        (name, node.arg if isinstance(node, ast.keyword) else getattr(node, "attr", ""))
        for name, tree in modules()
        for node in ast.walk(tree)
        if (isinstance(node, ast.keyword) and node.arg in {"verify", "check_hostname"}
            and isinstance(node.value, ast.Constant) and node.value.value is False)
        or (isinstance(node, ast.Attribute) and node.attr in {
            "CERT_NONE", "_create_unverified_context"})
    }  # fmt: skip
    assert named == set()
