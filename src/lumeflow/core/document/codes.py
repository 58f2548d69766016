"""The codes of all findings. `docs/workflows.md` explains each; a test compares the two."""

from enum import StrEnum

from lumeflow.core.findings import Finding, Severity


class Code(StrEnum):
    """Stable names of what validation can find."""

    # Reading the text
    TOO_LARGE = "too-large"
    TOO_DEEP = "too-deep"
    INVALID_ENCODING = "invalid-encoding"
    INVALID_JSON = "invalid-json"
    DUPLICATE_KEY = "duplicate-key"

    # Shape of the document and of block configurations
    WRONG_TYPE = "wrong-type"
    MISSING_KEY = "missing-key"
    UNKNOWN_KEY = "unknown-key"
    UNKNOWN_VALUE = "unknown-value"
    INVALID_VALUE = "invalid-value"

    # Nodes and blocks
    DUPLICATE_ID = "duplicate-id"
    UNKNOWN_BLOCK = "unknown-block"
    BLOCK_FAILED = "block-failed"
    UNKNOWN_FALLBACK = "unknown-fallback"
    UNWISE_SETTING = "unwise-setting"

    # Edges and graph
    UNKNOWN_NODE = "unknown-node"
    UNKNOWN_PORT = "unknown-port"
    PORT_TAKEN = "port-taken"
    DUPLICATE_EDGE = "duplicate-edge"
    UNDECLARED_ROUTE = "undeclared-route"
    UNKNOWN_SOURCE = "unknown-source"
    INDIRECT_SOURCE = "indirect-source"
    CYCLE = "cycle"
    NO_INPUT = "no-input"
    NO_OUTPUT = "no-output"
    INPUT_WITH_EDGE = "input-with-incoming-edge"
    OUTPUT_WITH_EDGE = "output-with-outgoing-edge"
    UNREACHABLE = "unreachable"
    DEAD_END = "dead-end"
    FILE_TAKEN = "file-taken"

    # Schemas
    INVALID_SCHEMA = "invalid-schema"
    INVALID_SCHEMA_ID = "invalid-schema-id"
    SCHEMA_CONFLICT = "schema-conflict"
    UNRESOLVED_REF = "unresolved-ref"
    REF_LOOP = "ref-loop"
    UNKNOWN_KEYWORD = "unknown-keyword"
    UNKNOWN_FORMAT = "unknown-format"
    UNCHECKED_KEYWORD = "unchecked-keyword"
    AMBIGUOUS_COLLECTION = "ambiguous-collection"
    INVALID_COLLECTION = "invalid-collection"

    # Connections
    INCOMPATIBLE = "incompatible-connection"
    FORMAT_NOT_PROMISED = "format-not-promised"

    # Templates, conditions, paths
    INVALID_TEMPLATE = "invalid-template"
    INVALID_CONDITION = "invalid-condition"
    INVALID_PATH = "invalid-path"
    UNKNOWN_SECRET = "unknown-secret"
    NOT_UPSTREAM = "not-upstream"
    NOT_BEFORE_RUN = "not-known-before-run"
    IMPOSSIBLE_PATH = "impossible-path"
    POSSIBLE_TYPO = "possible-typo"

    @property
    def severity(self) -> Severity:
        """Whether it forbids a run."""
        return Severity.WARNING if self in WARNINGS else Severity.ERROR


WARNINGS = frozenset(
    {
        Code.DUPLICATE_EDGE,
        Code.INDIRECT_SOURCE,
        Code.NO_OUTPUT,
        Code.DEAD_END,
        Code.UNKNOWN_KEYWORD,
        Code.UNKNOWN_FORMAT,
        Code.UNCHECKED_KEYWORD,
        Code.FORMAT_NOT_PROMISED,
        Code.POSSIBLE_TYPO,
        Code.UNWISE_SETTING,
    }
)
"""What does not forbid a run: it may be meant, or does no harm."""


def make_finding(
    code: Code, message: str, at: str = "", *, node: str | None = None, edge: str | None = None
) -> Finding:
    """A finding of the severity that its code has; `at` is a JSON pointer into the document."""
    return Finding(code, message, at, code.severity, node, edge)
