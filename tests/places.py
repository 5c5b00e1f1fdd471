"""Where the project's own files are, for tests that read them: independent of the folder that a test stands in."""

from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
"""The checkout: where README.md and pyproject.toml are."""
