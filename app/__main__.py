"""The `evidence` command, begun lightly: a process that works beside it imports this file too, and none of the rest."""


def main() -> None:
    """Run the command."""
    from app.cli import main as run

    run()


if __name__ == "__main__":
    main()
