"""What it takes to verify a certificate, beside one P-256 verification: `python -m bench.verify`.

From the text of a code to its claims, every guard included. The peer is python-cwt, which does
the same without guards, in an environment of its own.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from bench._certificate import DCC, ECDSA, KEY, KID, issue, signer
from bench._turns import compared, microseconds, ratio, row, turns
from healthcert.errors import BadSignature
from healthcert.hcert import dcc_of, decode, encode, read_claims, verify1
from tools import peers

_MESSAGE = bytes(400)
_KEYS = {KID: [KEY.public_key()]}
_ROUNDS, _CALLS, _PEER_MOST = 80, 20, 0.6


def main() -> int:
    """Return 1 if an answer is wrong, or takes too long."""
    text = issue(signer())
    if dcc_of(_verify(text)) != DCC or not _refuses_another(text):
        print("verify: a wrong answer")
        return 1
    signature, public = KEY.sign(_MESSAGE, ECDSA), KEY.public_key()
    times = turns(
        {
            "verify": lambda: _verify(text),
            "one P-256 verification": lambda: public.verify(signature, _MESSAGE, ECDSA),
        },
        rounds=_ROUNDS,
    )
    held = compared("verify", times, ("verify", "one P-256 verification"), 1.6)
    try:
        peers.make()
    except peers.NoPeerError as error:
        print(f"verify beside python-cwt: SKIPPED, {error}")
        return int(not held)
    return int(not (_beside_the_peer(text, peers.PYTHON) and held))


def _verify(text: str):  # noqa: ANN202 - claims
    return read_claims(verify1(decode(text), keys=_KEYS))


def _refuses_another(text: str) -> bool:
    message = bytearray(decode(text))
    message[-1] ^= 1
    try:
        _verify(encode(bytes(message)))
    except BadSignature:
        return True
    return False


def _beside_the_peer(text: str, interpreter: Path) -> bool:
    pem = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    command = [str(interpreter), "-I", str(Path(__file__).with_name("_cwt_peer.py"))]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as peer:
        asked = {"text": text, "key": pem.decode(), "kid": KID.hex()}
        print(json.dumps(asked), file=peer.stdin, flush=True)
        ours, theirs = [], []
        for _ in range(_ROUNDS):
            ours += turns({"": lambda: _verify(text)}, rounds=1, calls=_CALLS)[""]
            print(_CALLS, file=peer.stdin, flush=True)
            answer = json.loads(peer.stdout.readline())
            theirs.append(answer["microseconds"])
        peer.stdin.close()
    if answer["dcc"] != DCC:
        print("verify: python-cwt reads something else")
        return False
    found = ratio(ours[5:], theirs[5:])
    figures = (microseconds(ours), "python-cwt", microseconds(theirs))
    row("verify, beside a peer", *figures, found, f"at most {_PEER_MOST:.2f}")
    return found <= _PEER_MOST


if __name__ == "__main__":
    sys.exit(main())
