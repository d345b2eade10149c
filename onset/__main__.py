"""``python -m onset``: the command ``onset`` where the installed script is not on the path."""

from onset.cli import main

if __name__ == "__main__":
    main()
