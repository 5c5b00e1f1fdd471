"""Why a kubeconfig is refused.

Lives here: the error that carries a code, and the advice on documents that cannot be read.
Must never live here: a value of the document.
"""

from collections.abc import Mapping

from sampan.kube.credentials.bounded_yaml import MAX_BYTES
from sampan.kube.credentials.codes import Code


class InvalidKubeconfig(Exception):  # noqa: N818
    """Refused: ``code`` for machines, ``message`` names the field, what would be right and the line, never a value."""

    def __init__(self, code: Code, message: str, *, line: int = 0) -> None:
        """Keep them; ``line`` counts from 1, 0 where none can be named."""
        self.code = code
        self.message = f"{message} (line {line})" if line else message
        super().__init__(f"{code.value}: {self.message}")


FLATTEN = "kubectl config view --minify --flatten --raw"
"""What writes the current context alone, with the contents of files, and no key that only tools read."""

YAML_ADVICE: Mapping[Code, str] = {
    Code.TOO_LARGE: f"the document is larger than {MAX_BYTES // 1024} KiB: keep one context ({FLATTEN})",
    Code.NOT_UTF8: "the document is not UTF-8 text: save it as UTF-8",
    Code.NOT_YAML: "the document is neither YAML nor JSON",
    Code.ANCHORS: "the document has YAML anchors or aliases: write each value out",
    Code.TAGS: "the document has YAML tags: remove them",
    Code.TOO_DEEP: f"the document is nested too deep or has too many values: keep one context ({FLATTEN})",
    Code.DUPLICATE_KEY: "a key is given twice: keep one",
    Code.SEVERAL_DOCUMENTS: "there are several YAML documents: keep one",
}
