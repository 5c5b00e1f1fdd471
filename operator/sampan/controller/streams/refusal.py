"""That a stream is not opened, and why. Never here: how that is told over HTTP."""


class StreamRefusedError(Exception):
    """No stream; `code` is what HTTP calls it, the text says why and what to do."""

    def __init__(self, code: int, message: str) -> None:
        """`message` is shown to whoever asks."""
        super().__init__(message)
        self.code = code
