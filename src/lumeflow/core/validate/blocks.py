"""Nodes against their blocks: which block is meant, and is its configuration right?"""

from collections.abc import Collection, Mapping
from typing import Any

from pydantic import ValidationError

from lumeflow.core.block import Block
from lumeflow.core.conditions import find_problems as condition_problems
from lumeflow.core.config import BlockConfig
from lumeflow.core.document import Code, Node
from lumeflow.core.document.fields import describe
from lumeflow.core.document.shape import shape_findings, validated
from lumeflow.core.expressions import ExpressionError, Template, compile_path, compile_template
from lumeflow.core.expressions import find_problems as template_problems
from lumeflow.core.findings import Finding
from lumeflow.core.pointer import Parts, parse_pointer
from lumeflow.core.registry import BlockClass, Registry, UnknownBlock
from lumeflow.core.validate.sites import Kind, Site, sites
from lumeflow.core.validate.subject import NodeFacts, Settings


class BlockRules:
    """Resolves the nodes of a document; gathers what is wrong in `findings`."""

    def __init__(self, registry: Registry, settings: Settings) -> None:
        self._registry = registry
        self._settings = settings
        self.findings: list[Finding] = []

    def facts(self, node: Node, index: int) -> NodeFacts:
        """What the block of a node says of it."""
        bare = NodeFacts(node, index)
        try:
            block_class = self._registry.resolve(node.type, node.config)
        except UnknownBlock as error:
            message = str(error)
            self.findings.append(bare.finding(Code.UNKNOWN_BLOCK, message, *self._discriminator(node)))
            return bare
        found = tuple(sites(block_class.Config, node.config))
        templates: dict[Parts, Template] = {}
        wrong = {site.at for site in found if not self._is_right(bare, site, templates)}
        config, unknown = self._config(bare, block_class, found, wrong)
        block = self._block(bare, block_class, config) if config is not None else None
        right = [site for site in found if site.at not in wrong and not _is_below(site.at, unknown)]
        return NodeFacts(node, index, block_class, config, block, right, templates)

    def _discriminator(self, node: Node) -> Parts:
        """Where the choice of the block went wrong: its discriminator, if the configuration has one."""
        keys = [
            key
            for block in self._registry.blocks()
            if block.type is node.type
            for pairs in block.when
            for key in pairs
            if key in node.config
        ]
        return ("config", keys[0]) if keys else ("config",)

    def _is_right(self, facts: NodeFacts, site: Site, templates: dict[Parts, Template]) -> bool:
        """Check one template, path or condition by itself; compiled templates go into `templates`."""
        try:
            if site.kind is Kind.PATH:
                compile_path(site.value)
            elif site.kind is not Kind.CONDITION:
                allow_env = site.kind is Kind.STATIC and self._settings.allow_env
                templates[site.at] = compile_template(site.value, allow_env=allow_env)
            problems = _condition_problems(site.value) if site.kind is Kind.CONDITION else []
        except ExpressionError as error:
            problems = _template_problems(site, self._settings) if site.kind is not Kind.PATH else [("", str(error))]
        self.findings.extend(
            facts.config_finding(
                _CODES[site.kind],
                message if message.endswith("?") else message.rstrip(".") + ".",
                (*site.at, *parse_pointer(at)),
            )
            for at, message in problems
        )
        return not problems

    def _config(
        self, facts: NodeFacts, block_class: BlockClass, found: tuple[Site, ...], wrong: set[Parts]
    ) -> tuple[BlockConfig | None, set[Parts]]:
        """The validated configuration, and its unknown keys. What is known only at the start of a run, and what the
        checks of templates have reported already, is not held against it.
        """
        static = {site.at for site in found if site.kind is Kind.STATIC}

        def excused(at: Parts) -> bool:
            return _is_below(at, static | wrong)

        raw: Mapping[str, Any] = facts.node.config
        try:
            return validated(block_class.Config, raw), set()
        except ValidationError as error:
            found_wrong = shape_findings(error, block_class.Config, raw, skip=excused)
            for finding in found_wrong:
                at = parse_pointer(finding.pointer)
                self.findings.append(facts.config_finding(Code(finding.code), finding.message, at))
            return None, {parse_pointer(finding.pointer) for finding in found_wrong if finding.code == Code.UNKNOWN_KEY}

    def _block(self, facts: NodeFacts, block_class: BlockClass, config: BlockConfig) -> Block[Any] | None:
        """The block itself; a plugin's mistake is a finding and not the end of validation."""
        try:
            block = block_class(config)
            block.out_ports(), block.routes(), block.sources(), block.writes()
            cautions = list(block.cautions())
        except Exception as error:
            message = f"block '{block_class.id()}' cannot be made with this configuration: {type(error).__name__}."
            self.findings.append(facts.finding(Code.BLOCK_FAILED, message, "config"))
            return None
        self.findings.extend(facts.config_finding(Code.UNWISE_SETTING, message, at) for at, message in cautions)
        return block


def _is_below(at: Parts, places: Collection[Parts]) -> bool:
    return any(at[: len(place)] == place for place in places)


def _template_problems(site: Site, settings: Settings) -> list[tuple[str, str]]:
    allow_env = site.kind is Kind.STATIC and settings.allow_env
    return [(at, str(error)) for at, error in template_problems(site.value, allow_env=allow_env)]


def _condition_problems(value: Any) -> list[tuple[str, str]]:
    if not isinstance(value, (dict, list)):
        return [("", f"expected a condition (an object) or a list of them, found {describe(value)}")]
    return [(error.pointer, str(error).removeprefix(f"{error.pointer}: ")) for error in condition_problems(value)]


_CODES = {
    Kind.TEMPLATE: Code.INVALID_TEMPLATE,
    Kind.STATIC: Code.INVALID_TEMPLATE,
    Kind.PATH: Code.INVALID_PATH,
    Kind.CONDITION: Code.INVALID_CONDITION,
}
