"""Branch: many cases, the first that holds wins."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from lumeflow.kit.branching import Branch, BranchConfig
from lumeflow.kit.conditions import meets
from lumeflow.plugin import BlockContext, BlockType, ConditionField, JsonObject, Skip

DEFAULT_PORT = "default"
RESERVED_PORTS = frozenset({"error", DEFAULT_PORT})


class Case(BaseModel):
    """One way and when it is taken."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)

    when: ConditionField = Field(description="When this way is taken; of a list of conditions, all must hold.")
    to: str | None = Field(default=None, min_length=1, description="Id of the node it leads to.")
    name: str | None = Field(default=None, min_length=1, description="Name of its port; the node id if absent.")

    @property
    def port(self) -> str:
        """Name of the port."""
        return self.name or self.to or ""


class CasesBranchConfig(BranchConfig):
    """Configuration of `branch/cases`."""

    operation: Literal["cases"] = Field(description="Selects this block.")
    cases: Sequence[Case] = Field(min_length=1, description="Ways, tried in this order; the first that holds is taken.")
    default: str | None = Field(
        default=None, min_length=1, description="Node id for records that no case takes; if absent they are left out."
    )

    @model_validator(mode="after")
    def _each_port_leads_one_way(self) -> Self:
        targets: dict[str, str | None] = {}
        for index, case in enumerate(self.cases):
            if not case.port:
                raise ValueError(f"cases/{index} needs 'to' (a node id), or 'name' (a port that an edge is drawn from)")
            if case.port in RESERVED_PORTS:
                raise ValueError(f"cases/{index}: '{case.port}' is the name of another port; give the case a 'name'")
            if targets.setdefault(case.port, case.to) != case.to:
                raise ValueError(f"cases/{index}: an earlier case is called '{case.port}' too and leads elsewhere")
        return self

    @property
    def has_default(self) -> bool:
        """True if there is a way for records that no case takes: given by id, or left to the edges like all others."""
        return self.default is not None or not any(case.to for case in self.cases)


class CasesBranch(Branch[CasesBranchConfig]):
    """Send records, or the whole payload, one of many ways.

    Input: any record. With `scope` `payload` the cases are asked once, of the payload's fields that are known when its
        first record arrives (not of the collection). A payload without a collection is its own one record.
    Output: the record, unchanged, on the port of the first case that holds, else on `default`. Cases with `to` bind
        their port to that node; a case with only a `name` is bound by the edge drawn from that port. If no case has
        `to`, edges drawn from `default` get what no case takes.
    Errors: none; a record that no case takes, where there is no default, is left out with the reason.
    Cost: none.
    """

    type = BlockType.BRANCH
    name = "cases"
    when = ({"operation": "cases"},)
    Config = CasesBranchConfig
    example: ClassVar[Mapping[str, Any]] = {
        "operation": "cases",
        "cases": [
            {"when": {"field": "email", "operator": "exists"}, "to": "verify-email", "name": "has email"},
            {"when": {"field": "company", "operator": "exists"}, "to": "find-email"},
        ],
        "default": "review",
    }
    example_input: ClassVar[Mapping[str, Any]] = {
        "contacts": [
            {"firstName": "Mira", "email": "mira.holt@example.com"},
            {"firstName": "Tomás", "company": "Example Freight"},
            {"firstName": "Aiko"},
        ]
    }

    def out_ports(self) -> Sequence[str]:
        """Ports of the cases in their order, then `default`."""
        default = (DEFAULT_PORT,) if self.config.has_default else ()
        return tuple(dict.fromkeys(case.port for case in self.config.cases)) + default

    def routes(self) -> Mapping[str, str]:
        """Ports of the cases that name a node, and `default` if it does."""
        routes = {case.port: case.to for case in self.config.cases if case.to}
        return {**routes, DEFAULT_PORT: self.config.default} if self.config.default else routes

    def way(self, subject: JsonObject, ctx: BlockContext) -> str | Skip:
        """Port of the first case that holds."""
        for case in self.config.cases:
            if meets(case.when, subject, ctx):
                return case.port
        return DEFAULT_PORT if self.config.has_default else Skip("no case holds, and there is no default")
