"""The certificate codec: a signed health certificate to text, and back.

    payload -> CBOR (CWT claims) -> COSE_Sign1 -> zlib -> base45 -> "HC1:..."

Pure functions over bytes: no clock, no network, no database, no files.
"""
