"""The catalogue of blocks and operations; built-ins and plugins enter it the same way."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pydantic.alias_generators import to_snake

from lumeflow.core.block import Block, BlockType
from lumeflow.core.errors import LumeflowError, UsageError
from lumeflow.core.findings import did_you_mean
from lumeflow.core.operation import Operation, ProviderDefaults

BlockClass = type[Block[Any]]


class RegistrationError(LumeflowError):
    """A block or an operation cannot be registered: incomplete, or its name is taken."""


class UnknownBlock(UsageError):
    """No block fits a node's type and config."""


class Registry:
    """Blocks by `type/name`, operations by id."""

    def __init__(self) -> None:
        self._blocks: dict[str, BlockClass] = {}
        self._operations: dict[str, Operation] = {}
        self._providers: dict[str, ProviderDefaults] = {}

    def add_block(self, block: BlockClass) -> None:
        """Register a block class.

        Raises:
            RegistrationError: A class attribute is missing, `when` names a key that no `config` can hold, no method is
                overridden, or the name is taken.
        """
        missing = [name for name in ("type", "name", "when") if not hasattr(block, name)]
        if missing:
            raise RegistrationError(f"block {block.__name__} lacks the class attribute {', '.join(missing)}")
        _check_discriminators(block)
        try:
            block.shape()
        except TypeError as error:
            raise RegistrationError(str(error)) from error
        known = self._blocks.get(block.id())
        if known is not None and known is not block:
            raise RegistrationError(
                f"block '{block.id()}' of {block.__module__} is already defined in {known.__module__}"
            )
        self._blocks[block.id()] = block

    def add_operation(self, operation: Operation) -> None:
        """Register an operation.

        Raises:
            RegistrationError: The id is taken by another class.
        """
        known = self._operations.get(operation.id)
        if known is not None and type(known) is not type(operation):
            raise RegistrationError(f"operation '{operation.id}' is already defined in {type(known).__module__}")
        self._operations[operation.id] = operation

    def add_provider(self, provider: ProviderDefaults) -> None:
        """Register how a vendor is reached.

        Raises:
            RegistrationError: The name is taken by another vendor.
        """
        if self._providers.setdefault(provider.name, provider) != provider:
            raise RegistrationError(f"provider '{provider.name}' is already defined")

    def add_from(self, members: Iterable[object]) -> None:
        """Register all blocks, operations and providers among the members of a module."""
        for member in members:
            if isinstance(member, ProviderDefaults):
                self.add_provider(member)
            if not isinstance(member, type):
                continue
            if issubclass(member, Block) and "name" in vars(member):
                self.add_block(member)
            elif issubclass(member, Operation) and "id" in vars(member):
                self.add_operation(member())

    def blocks(self) -> Iterator[BlockClass]:
        """All blocks, by `type/name` in order."""
        for name in sorted(self._blocks):
            yield self._blocks[name]

    def providers(self) -> Mapping[str, ProviderDefaults]:
        """All providers by name."""
        return self._providers

    def operations(self) -> Mapping[str, Operation]:
        """All operations by id."""
        return self._operations

    def block(self, block_id: str) -> BlockClass:
        """The block called `type/name`.

        Raises:
            UnknownBlock: There is none; the message names the nearest.
        """
        if block_id not in self._blocks:
            raise UnknownBlock(f"there is no block '{block_id}'." + did_you_mean(block_id, self._blocks))
        return self._blocks[block_id]

    def operation(self, operation_id: str) -> Operation:
        """The operation with this id.

        Raises:
            UsageError: There is none; the message names the nearest.
        """
        if operation_id not in self._operations:
            raise UsageError(f"there is no operation '{operation_id}'." + did_you_mean(operation_id, self._operations))
        return self._operations[operation_id]

    def resolve(self, block_type: BlockType, config: Mapping[str, Any]) -> BlockClass:
        """The block that a node means: the one whose discriminators fit its config best.

        Raises:
            UnknownBlock: None fits; the message names the discriminators that there are.
        """
        best: BlockClass | None = None
        best_score = -1
        for block in self.blocks():
            if block.type is not block_type:
                continue
            for pairs in block.when:
                if len(pairs) > best_score and all(_means(config.get(key), value) for key, value in pairs.items()):
                    best, best_score = block, len(pairs)
        if best is None:
            raise UnknownBlock(self._unresolved(block_type, config))
        return best

    def _unresolved(self, block_type: BlockType, config: Mapping[str, Any]) -> str:
        choices: dict[str, set[str]] = {}
        for block in self._blocks.values():
            if block.type is block_type:
                for pairs in block.when:
                    for key, value in pairs.items():
                        if isinstance(value, str):
                            choices.setdefault(key, set()).add(value)
        found = {key: config[key] for key in choices if isinstance(config.get(key), str)}
        if not found:
            keys = " or ".join(f"'{key}' ({', '.join(sorted(values))})" for key, values in sorted(choices.items()))
            return f"no {block_type} block is meant: set {keys}."
        parts = [f"'{key}' is '{value}'." + did_you_mean(value, choices[key]) for key, value in sorted(found.items())]
        return f"no {block_type} block fits: " + " ".join(parts)


def _check_discriminators(block: BlockClass) -> None:
    """Without a field for it, a node that sets the key would mean the block and be refused by its `Config`."""
    if isinstance(block.when, Mapping):
        raise RegistrationError(
            f"block {block.__name__}: `when` is a list of mappings, found one mapping. Write `when = ({{…}},)`"
        )
    keys = {field.alias or name for name, field in block.Config.model_fields.items()}
    for key in (key for pairs in block.when for key in pairs):
        if key not in keys:
            raise RegistrationError(
                f"block {block.__name__}: `when` names '{key}', which is no key of {block.Config.__name__}."
                + did_you_mean(key, keys)
                + f" A field such as `{to_snake(key)}: str` in its Config makes it one."
            )


def _means(found: Any, wanted: str | bool) -> bool:
    """True if a setting is the discriminator's value; `name@*` stands for `name` in any version or none."""
    if isinstance(wanted, str) and wanted.endswith("@*") and isinstance(found, str):
        name = wanted.removesuffix("@*")
        return found == name or found.startswith(f"{name}@")
    return bool(found == wanted)
