"""Why a kubeconfig is refused.

Lives here: the closed list of codes, and the error that carries one.
Must never live here: a value of the document.
"""

from collections.abc import Mapping
from enum import StrEnum

from sampan.kube.credentials.bounded_yaml import MAX_BYTES, YamlFault


class Code(StrEnum):
    """Why a kubeconfig is refused. Closed: a status says ``InvalidKubeconfig/<code>``."""

    TOO_LARGE = "TooLarge"
    NOT_UTF8 = "NotUTF8"
    NOT_YAML = "NotYAML"
    ANCHORS = "AnchorsNotAllowed"
    TAGS = "TagsNotAllowed"
    TOO_DEEP = "TooDeep"
    DUPLICATE_KEY = "DuplicateKey"
    SEVERAL_DOCUMENTS = "SeveralDocuments"
    NOT_A_MAPPING = "NotAMapping"
    WRONG_TYPE = "WrongType"
    DUPLICATE_NAME = "DuplicateName"
    EXEC = "ExecNotAllowed"
    AUTH_PROVIDER = "AuthProviderNotAllowed"
    TOKEN_FILE = "TokenFileNotAllowed"  # noqa: S105  (a code, not a secret)
    FILE_PATH = "FilePathNotAllowed"
    INSECURE = "InsecureSkipTLSVerify"
    NO_CA = "NoCAData"
    NOT_HTTPS = "NotHTTPS"
    SERVER_URL = "ServerURLNotAllowed"
    ADDRESS = "AddressNotAllowed"
    PROXY = "ProxyNotAllowed"
    SERVER_NAME = "TLSServerNameNotAllowed"
    BASIC_AUTH = "BasicAuthNotAllowed"
    IMPERSONATION = "ImpersonationNotAllowed"
    NO_CONTEXT = "NoCurrentContext"
    CONTEXT_NOT_FOUND = "ContextNotFound"
    CLUSTER_NOT_FOUND = "ClusterNotFound"
    USER_NOT_FOUND = "UserNotFound"
    NO_CREDENTIALS = "NoCredentials"
    REDACTED = "Redacted"
    INVALID_BASE64 = "InvalidBase64"
    INVALID_TOKEN = "InvalidToken"  # noqa: S105
    INVALID_CERTIFICATE = "InvalidCertificate"
    INVALID_KEY = "InvalidClientKey"
    EXPIRED = "CertificateExpired"
    NOT_YET_VALID = "CertificateNotYetValid"
    KEY_MISMATCH = "CertificateKeyMismatch"
    WEAK_KEY = "WeakKey"


class InvalidKubeconfig(Exception):  # noqa: N818
    """Refused: ``code`` for machines, ``message`` names the field and what would be right, never a value."""

    def __init__(self, code: Code, message: str) -> None:
        """Keep both."""
        self.code = code
        self.message = message
        super().__init__(f"{code.value}: {message}")


FLATTEN = "kubectl config view --minify --flatten --raw"
"""What writes the current context alone, with the contents of files, and no key that only tools read."""

YAML_ADVICE: Mapping[YamlFault, str] = {
    YamlFault.TOO_LARGE: f"the document is larger than {MAX_BYTES // 1024} KiB: keep one context ({FLATTEN})",
    YamlFault.NOT_UTF8: "the document is not UTF-8 text: save it as UTF-8",
    YamlFault.NOT_YAML: "the document is neither YAML nor JSON",
    YamlFault.ANCHORS: "the document has YAML anchors or aliases: write each value out",
    YamlFault.TAGS: "the document has YAML tags: remove them",
    YamlFault.TOO_DEEP: f"the document is nested too deep or has too many values: keep one context ({FLATTEN})",
    YamlFault.DUPLICATE_KEY: "a key is given twice: keep one",
    YamlFault.SEVERAL_DOCUMENTS: "there are several YAML documents: keep one",
}
