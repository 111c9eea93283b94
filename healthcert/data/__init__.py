"""The knowledge: files a doctor or a lawyer can review; a new one needs no Python."""
