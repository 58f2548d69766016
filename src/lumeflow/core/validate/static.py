"""Static templates: expressions in settings that hold plain values (a model's name, a limit, a table).

They are resolved once, before the run, from what is known then; the result is checked by the block's own model.
"""

from collections.abc import Mapping
from typing import Any

from lumeflow.core.config import BlockConfig
from lumeflow.core.expressions import compile_template
from lumeflow.core.pointer import Parts
from lumeflow.core.validate.sites import Kind, sites

STATIC_ROOTS = ("variables", "env", "execution", "trigger")
"""What static templates may read."""


def resolve_static(
    model: type[BlockConfig], config: Mapping[str, Any], scope: Mapping[str, Any], *, allow_env: bool = False
) -> dict[str, Any]:
    """The configuration with its static templates rendered; everything else, run-time templates too, stays as it is.

    Args:
        model: The block's configuration model.
        config: The raw configuration.
        scope: Values by root, see `STATIC_ROOTS`.
        allow_env: True if policy allows `{{env.NAME}}`.

    Raises:
        ExpressionError: A template cannot be computed.
    """
    resolved: Any = dict(config)
    for site in list(sites(model, config)):
        if site.kind is Kind.STATIC:
            value = compile_template(site.value, allow_env=allow_env, roots=STATIC_ROOTS).render(scope)
            resolved = _with(resolved, site.at, value)
    return dict(resolved)


def _with(holder: Any, at: Parts, new: Any) -> Any:
    """A copy of `holder` with `new` at a place that exists."""
    if not at:
        return new
    key, below = at[0], at[1:]
    if isinstance(holder, Mapping):
        return {**holder, key: _with(holder[key], below, new)}
    return [_with(item, below, new) if index == key else item for index, item in enumerate(holder)]
