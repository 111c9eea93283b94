"""Read certificates with python-cwt: JSON lines {"text", "pem", "kid"} in, the DCC or why not out.

Run by the Python of `.venv/peers`, never by ours.
"""

import json
import sys
import zlib
from base64 import b64decode

import cwt
from base45 import b45decode

CENTURY = 10**9  # seconds of leeway: whether a test's certificate has expired is not asked
READER = cwt.CWT.new(leeway=CENTURY)

for line in sys.stdin:
    asked = json.loads(line)
    try:
        key = cwt.COSEKey.from_pem(asked["pem"], kid=b64decode(asked["kid"]))
        message = zlib.decompress(b45decode(asked["text"].removeprefix("HC1:")))
        claims = READER.decode(message, keys=[key])
        answer = {"dcc": claims[-260][1], "claims": [claims[name] for name in (1, 4, 6)]}
    except Exception as error:  # noqa: BLE001 - whatever it is, it is the answer
        answer = {"error": repr(error)}
    print(json.dumps(answer), flush=True)  # noqa: T201 - this is the pipe
