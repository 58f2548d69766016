"""Branch: one condition, two ways."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

from pydantic import Field

from lumeflow.kit.branching import Branch, BranchConfig
from lumeflow.kit.conditions import meets, shortfall
from lumeflow.plugin import BlockContext, BlockType, ConditionField, JsonObject, Skip

Way = Literal["true", "false"]


class ConditionBranchConfig(BranchConfig):
    """Configuration of `branch/condition`."""

    condition: ConditionField = Field(description="Decides the way; of a list of conditions, all must hold.")
    branches: dict[Way, str] = Field(
        default_factory=dict,
        description="Node id for `true` and for `false`. With only one given, records that would go the other way are "
        "left out. If absent, edges drawn from the ports `true` and `false` say where to.",
    )


class ConditionBranch(Branch[ConditionBranchConfig]):
    """Send records, or the whole payload, one way or the other.

    Input: any record. With `scope` `payload` the condition is asked once, of the payload's fields that are known when
        its first record arrives (not of the collection). A payload without a collection is its own one record.
    Output: the record, unchanged, on port `true` or `false`; each is bound to the node that `branches` names.
    Errors: none; a record whose way leads nowhere is left out with the reason.
    Cost: none.
    """

    type = BlockType.BRANCH
    name = "condition"
    when: ClassVar[Sequence[Mapping[str, str]]] = ({},)
    Config = ConditionBranchConfig
    example: ClassVar[Mapping[str, Any]] = {
        "condition": {"field": "email", "operator": "exists"},
        "branches": {"true": "verify-email", "false": "find-email"},
    }
    example_input: ClassVar[Mapping[str, Any]] = {
        "contacts": [{"firstName": "Mira", "email": "mira.holt@example.com"}, {"firstName": "Tomás"}]
    }

    def out_ports(self) -> Sequence[str]:
        """The ways that `branches` knows; both if it is absent."""
        return tuple(self.config.branches) or ("true", "false")

    def routes(self) -> Mapping[str, str]:
        """`branches` as it is."""
        return dict(self.config.branches.items())

    def way(self, subject: JsonObject, ctx: BlockContext) -> str | Skip:
        """`true` or `false`, if there is such a branch."""
        holds = meets(self.config.condition, subject, ctx)
        port: Way = "true" if holds else "false"
        if not self.config.branches or port in self.config.branches:
            return port
        reason = "the condition is met" if holds else shortfall(self.config.condition, subject, ctx)
        return Skip(f"no branch for '{port}': {reason}")
