"""The outside: keys on disk, files, messages; each gateway has an offline twin or is one."""
