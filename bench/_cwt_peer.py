"""The peer of bench/verify.py, run by a Python that has python-cwt: reads certificates as it says.

First a line of JSON: the code's text, the key (PEM) and its identifier (hex). Then a number of
calls a line; each answers with microseconds of processor time a call, and what was read.
"""

import json
import sys
import zlib
from time import thread_time_ns

import cwt
from base45 import b45decode

asked = json.loads(sys.stdin.readline())
key = cwt.COSEKey.from_pem(asked["key"], kid=bytes.fromhex(asked["kid"]))
text = asked["text"]
read = {}
for calls in map(int, sys.stdin):
    begin = thread_time_ns()
    for _ in range(calls):
        read = cwt.decode(zlib.decompress(b45decode(text[4:])), keys=[key])
    took = (thread_time_ns() - begin) / 1000 / calls
    print(json.dumps({"microseconds": took, "dcc": read[-260][1]}), flush=True)
