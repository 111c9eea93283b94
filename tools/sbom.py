"""Write what the service is made of: build/sbom.cdx.json, a CycloneDX 1.6 bill of materials.

    python tools/sbom.py

Reads the lock files and nothing else: the packages it runs on with the hashes they are pinned
by, and the packages that styles and scripts are built from.
"""

from __future__ import annotations

import json
import re
import sys
from base64 import b64decode
from pathlib import Path
from typing import Any
from urllib.parse import quote

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "build" / "sbom.cdx.json"

_PINNED = re.compile(r"^([a-zA-Z0-9._-]+)(?:\[[^]]*\])?==([^ ;\\]+)", re.MULTILINE)
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


def pinned(lock: str) -> list[dict[str, Any]]:
    """Return the components that a file of pinned requirements names, each with its hashes."""
    starts = list(_PINNED.finditer(lock))
    ends = [*(start.start() for start in starts[1:]), len(lock)]
    return [
        _component("pypi", start[1].lower(), start[2], "required")
        | {
            "externalReferences": [
                {
                    "type": "distribution",
                    "url": f"https://pypi.org/project/{start[1].lower()}/{start[2]}/",
                    "hashes": [
                        {"alg": "SHA-256", "content": found}
                        for found in _HASH.findall(lock[start.end() : end])
                    ],
                }
            ]
        }
        for start, end in zip(starts, ends, strict=True)
    ]


def locked(lock: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the components that an npm lock file names; they build, and do not run."""
    return [
        _component("npm", path.rpartition("node_modules/")[2], package["version"], "excluded")
        | {"hashes": [{"alg": "SHA-512", "content": _hex(package["integrity"])}]}
        for path, package in lock["packages"].items()
        if path and "integrity" in package
    ]


def bill() -> dict[str, Any]:
    """Return the whole bill, the same for the same lock files."""
    requirements = (ROOT / "requirements" / "run.txt").read_text(encoding="utf-8")
    front = json.loads((ROOT / "package-lock.json").read_text(encoding="utf-8"))
    parts = {part["bom-ref"]: part for part in pinned(requirements) + locked(front)}
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": {"type": "application", "name": "healthcert"}},
        "components": [parts[name] for name in sorted(parts)],
    }


def _component(kind: str, name: str, version: str, scope: str) -> dict[str, Any]:
    purl = f"pkg:{kind}/{quote(name, safe='/')}@{quote(version)}"
    return {
        "type": "library",
        "bom-ref": purl,
        "name": name,
        "version": version,
        "scope": scope,
        "purl": purl,
    }


def _hex(integrity: str) -> str:
    return b64decode(integrity.removeprefix("sha512-")).hex()


def main() -> None:
    """Write the file and say where it is."""
    TARGET.parent.mkdir(exist_ok=True)
    TARGET.write_text(json.dumps(bill(), indent=1) + "\n", encoding="utf-8")
    sys.stdout.write(f"{TARGET.relative_to(ROOT)}\n")


if __name__ == "__main__":
    main()
