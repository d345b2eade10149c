"""``python -m onset`` is the command ``onset``."""

from onset.stopping import stoppable


def main() -> None:
    """The command. A signal is answered from here on, also while the rest is imported."""

    def work() -> None:
        from onset.cli import main as command

        command()

    stoppable(work, last=True)


if __name__ == "__main__":
    main()
