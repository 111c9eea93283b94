"""`python -m healthcert` is the command `healthcert`."""

from healthcert.cli import main

main()
