"""`python -m sampan` is the `sampan` command. Nothing else lives here."""

from sampan.cli.main import run

if __name__ == "__main__":
    run()
