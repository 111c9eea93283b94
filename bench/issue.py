"""What it takes to issue a certificate, beside one ECDSA P-256 signature: `python -m bench.issue`.

The check of one's own signature is counted apart: once left out, once beside both operations.
"""

from __future__ import annotations

import sys

from bench._certificate import DCC, ECDSA, KEY, KID, Unchecked, issue, signer
from bench._turns import compared, turns
from healthcert.hcert import dcc_of, decode, read_claims, verify1

_MESSAGE = bytes(400)


def main() -> int:
    """Return 1 if what was issued does not read back, or takes too long."""
    public = KEY.public_key()
    signature = KEY.sign(_MESSAGE, ECDSA)

    def both() -> None:
        KEY.sign(_MESSAGE, ECDSA)
        public.verify(signature, _MESSAGE, ECDSA)

    plain, checked = signer(Unchecked), signer()
    keys = {KID: [public]}
    for by in (plain, checked):
        if dcc_of(read_claims(verify1(decode(issue(by)), keys=keys))) != DCC:
            print("issue: what was issued does not read back")
            return 1
    times = turns(
        {
            "issue": lambda: issue(plain),
            "one P-256 signature": lambda: KEY.sign(_MESSAGE, ECDSA),
            "issue, checked": lambda: issue(checked),
            "signature and verification": both,
        }
    )
    held = compared("issue", times, ("issue", "one P-256 signature"), 3.0)
    both_names = ("issue, checked", "signature and verification")
    return int(not (compared("issue, checking itself", times, both_names, 2.0) and held))


if __name__ == "__main__":
    sys.exit(main())
