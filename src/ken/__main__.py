"""`python -m ken` is the `ken` command."""

from ken.cli.main import main

main()
