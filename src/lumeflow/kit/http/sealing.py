"""Secrets in requests: what is written down names them, and only the request that is sent holds them.

A text with a secret in it is kept as it stands in the workflow, `Bearer {{secrets.crmToken}}`, and rendered when the
request is built. So it can hold nothing but secrets and constants; what comes from a record stands in texts of its own.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from lumeflow.plugin import Secret, Template, compile_template

FindSecret = Callable[[str], Secret]
_MIXED = (
    "a text with a secret in it can hold only secrets besides, nothing of the record or the workflow: "
    "put the two into different fields"
)


def only_secrets(template: Template) -> bool:
    """True if all that a template reads is secrets."""
    return all(reference.root == "secrets" for reference in template.references)


class Opened(NamedTuple):
    """A template in two parts.

    Attributes:
        template: What can be rendered for a record; null where a secret belongs.
        sealed: The texts with secrets, each with its place in the value.
    """

    template: Template
    sealed: tuple[tuple[tuple[str | int, ...], str], ...]


def opened(template: Template) -> Opened:
    """Part a template from its texts that hold secrets.

    Raises:
        ValueError: A text holds a secret and something else.
    """
    if not template.secrets:
        return Opened(template, ())
    sealed: list[tuple[tuple[str | int, ...], str]] = []
    rest = _without_secrets(template.source, (), sealed)
    return Opened(compile_template(rest), tuple(sealed))


def _without_secrets(value: Any, at: tuple[str | int, ...], sealed: list[tuple[tuple[str | int, ...], str]]) -> Any:
    if isinstance(value, str):
        template = compile_template(value)
        if not template.secrets:
            return value
        if not only_secrets(template):
            raise ValueError(_MIXED)
        sealed.append((at, value))
        return None
    if isinstance(value, dict):
        return {key: _without_secrets(part, (*at, key), sealed) for key, part in value.items()}
    if isinstance(value, list):
        return [_without_secrets(part, (*at, index), sealed) for index, part in enumerate(value)]
    return value


class Unsealing:
    """Renders sealed texts for one request.

    Args:
        find: Looks a secret up; raises if it is not configured.

    Attributes:
        used: What was rendered, to be kept out of the answer.
    """

    def __init__(self, find: FindSecret) -> None:
        self._find = find
        self.used: list[Secret] = []

    def text(self, source: str) -> str:
        """The text with its secrets in it."""
        template = _compiled(source)
        secrets = {name: self._find(name) for name in template.secrets}
        self.used.extend(secrets.values())
        value = template.render({"secrets": secrets})
        if isinstance(value, Secret):
            text = value.reveal()
            if all(text != known.reveal() for known in self.used):
                self.used.append(value)  # computed with secrets: a vendor may repeat it as well
            return text
        return value if isinstance(value, str) else ""

    def into(self, value: Any, sealed: list[Any]) -> Any:
        """A copy of `value` with sealed texts at their places."""
        for at, source in sealed:
            value = _with(value, tuple(at), self.text(source))
        return value


_compiled = lru_cache(maxsize=1024)(compile_template)


def _with(holder: Any, at: tuple[str | int, ...], new: str) -> Any:
    if not at:
        return new
    key, below = at[0], at[1:]
    if isinstance(holder, Mapping):
        return {**holder, key: _with(holder[key], below, new)}
    return [_with(part, below, new) if index == key else part for index, part in enumerate(holder)]
