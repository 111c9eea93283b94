"""The codec: certificates as bytes, and what their parts say. Pure: no clock, no network."""
