"""`python -m craik` is the `craik` command."""

from craik.cli.main import main

if __name__ == "__main__":
    main()
