"""A token of SoftHSM in a folder of its own, for tests; without one they fail where CI=true."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from healthcert.gateways.pkcs11_signer import Token

MODULE = "/usr/lib/softhsm/libsofthsm2.so"
PIN, LABEL = "5678", "dsc"


@dataclass
class Hsm:
    """A folder with one token, its PIN in a file, and the objects of the token."""

    folder: Path

    @property
    def objects(self) -> Path:
        return self.folder / "tokens"

    def named(self, key: str) -> dict[str, str]:
        """Return how a key of the token is named in a file."""
        pin_file = str(self.folder / "pin")
        return {"module": MODULE, "token": LABEL, "key": key, "pin_file": pin_file}


def make_token(folder: Path) -> Hsm:
    """Return a new token; the environment of this process names it from now on."""
    tool = shutil.which("softhsm2-util")
    if tool is None or not Path(MODULE).exists():
        told = "keys in a token are not tested: there is no SoftHSM"
        if os.environ.get("CI") == "true":
            pytest.fail(told)
        pytest.skip(told)
    hsm = Hsm(folder)
    hsm.objects.mkdir(parents=True)
    conf = folder / "softhsm2.conf"
    conf.write_text(f"directories.tokendir = {hsm.objects}\nobjectstore.backend = file\n")
    os.environ["SOFTHSM2_CONF"] = str(conf)
    Token.begin_anew()  # the module may have read another
    words = ["--init-token", "--free", "--label", LABEL, "--so-pin", "1234", "--pin", PIN]
    subprocess.run([tool, *words], check=True, capture_output=True)
    (folder / "pin").write_text(PIN)
    (folder / "pin").chmod(0o600)
    return hsm
