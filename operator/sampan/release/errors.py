"""What goes wrong while a release is built."""


class ReleaseError(Exception):
    """Something whoever builds can mend: the message names what is wrong and what to do next."""
