"""Makers of certificates: each names only what matters to the test that asks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from healthcert.gateways.signer import Signer, issue_text
from healthcert.hcert import uvci

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
UVCI = uvci.new("XX", "HC", b"0123456789")

_ENTRIES: dict[str, dict[str, Any]] = {
    "v": {
        "tg": "840539006", "vp": "1119349007", "mp": "EU/1/20/1528", "ma": "ORG-100030215", "dn": 2,
        "sd": 2, "dt": "2026-02-01", "co": "XX", "is": "Ministry of Health", "ci": UVCI,
    },
    "t": {
        "tg": "840539006", "tt": "LP6464-4", "nm": "A laboratory test",
        "sc": "2026-03-01T10:00:00Z", "tr": "260415000", "tc": "A test centre", "co": "XX",
        "is": "Ministry of Health", "ci": UVCI,
    },
    "r": {
        "tg": "840539006", "fr": "2026-01-01", "co": "XX", "is": "Ministry of Health",
        "df": "2026-01-12", "du": "2026-06-30", "ci": UVCI,
    },
}  # fmt: skip


def make_dcc(kind: str = "v", **changes: Any) -> dict[str, Any]:
    """Return a certificate of one kind; `changes` go into its entry."""
    return {
        "ver": "1.3.3", "nam": {"fn": "Müller", "fnt": "MUELLER", "gn": "Zoë", "gnt": "ZOE"},
        "dob": "1990-05-17", kind: [_ENTRIES[kind] | changes],
    }  # fmt: skip


def make_text(
    signer: Signer, dcc: dict[str, Any] | None = None, *,
    issued: datetime = NOW - timedelta(hours=1), expires: datetime = NOW + timedelta(days=180),
) -> str:  # fmt: skip
    """Return the text of a certificate, of the signer's kind unless another is given."""
    return issue_text(
        dcc=make_dcc(signer.purpose) if dcc is None else dcc, issuer="XX",
        issued_at=int(issued.timestamp()), expires_at=int(expires.timestamp()), signer=signer,
    )  # fmt: skip
