"""The certificate codec: a signed health certificate to text, and back.

    payload -> CBOR (CWT claims) -> COSE_Sign1 -> zlib -> base45 -> "HC1:..."

Pure functions over bytes: no clock, no network, no database, no files.
"""

from healthcert.hcert.cose import ES256, PS256, PublicKey, Sign1, parse, sign1, verify1
from healthcert.hcert.cwt import Claims, read_claims, write_claims
from healthcert.hcert.inspection import Inspection, inspect
from healthcert.hcert.payload import (
    Kind,
    dcc_of,
    entries_of,
    kind_of,
    schema_faults,
    value_set_faults,
)
from healthcert.hcert.selftest import self_test
from healthcert.hcert.text import b45decode, b45encode, decode, encode, inflate, strip_prefix
from healthcert.hcert.trust import TrustedKey, TrustList, from_certificate, key_identifier

__all__ = [
    "ES256",
    "PS256",
    "Claims",
    "Inspection",
    "Kind",
    "PublicKey",
    "Sign1",
    "TrustList",
    "TrustedKey",
    "b45decode",
    "b45encode",
    "dcc_of",
    "decode",
    "encode",
    "entries_of",
    "from_certificate",
    "inflate",
    "inspect",
    "key_identifier",
    "kind_of",
    "parse",
    "read_claims",
    "schema_faults",
    "self_test",
    "sign1",
    "strip_prefix",
    "value_set_faults",
    "verify1",
    "write_claims",
]
