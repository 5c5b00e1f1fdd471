"""Expected trouble of the world → one line for people: what is wrong, what to do next. Never a traceback, never remote text uncleaned.

What must never live here: retries, and handling of errors that are our own bugs (those keep their traceback).
"""

from collections.abc import Sequence

import click

from sampan.client.errors import LINE_LIMIT, explain
from sampan.kube.text import clean_text


class CliError(click.ClickException):
    """What is wrong and what to do next, printed as one line `Error: what; next` on stderr; exit code 1 unless told otherwise.

    `log` are lines of a log that follow it, each cleaned and cut by itself.
    """

    def __init__(self, what: str, next_step: str, *, exit_code: int = 1, log: Sequence[str] = ()) -> None:
        first = clean_text(f"{what}; {next_step}" if next_step else what, LINE_LIMIT)
        super().__init__("\n".join([first, *(f"  {clean_text(line, 512)}" for line in log)]))
        self.exit_code = exit_code  # type: ignore[misc]  # click declares a class variable and reads the instance


def to_cli_error(error: Exception) -> CliError | None:
    """The `Trouble` for an error that the API server, the network, a kubeconfig or a file may cause; None for anything else."""
    import yaml

    from sampan.local.paths import LocalError

    if isinstance(error, LocalError):
        what, *log = str(error).splitlines()
        return CliError(what, "", log=log)
    if isinstance(error, ModuleNotFoundError) and not str(error.name).startswith("sampan"):
        return CliError(
            f"this verb needs the Python package {error.name}, which is not in this installation", "run it from the image or the wheel"
        )
    told = explain(error)
    if told is not None:
        return CliError(told.message, "", exit_code=told.exit_code)
    words = " ".join(str(error).split())
    if isinstance(error, yaml.YAMLError):
        return CliError(f"not valid YAML: {clean_text(words)}", "correct the file and try again")
    if isinstance(error, UnicodeDecodeError):
        return CliError("not a UTF-8 text file", "give a YAML or CSV file")
    if isinstance(error, OSError):
        return CliError(f"{error.filename or 'input/output'}: {error.strerror or clean_text(words)}", "check the path and its permissions")
    return None
