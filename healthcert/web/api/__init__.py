"""The interface for programs: one deed, one entry; its document is written from the same types."""
