"""`python -m numlint`."""

from numlint.cli import main

if __name__ == "__main__":
    main()
