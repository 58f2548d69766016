"""Compiled conditions and groups: how they are tested, and how they say why a record doesn't meet them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lumeflow.core.conditions.leaf import Leaf, RecordTest, Scope

_MAX_REASONS = 5


@dataclass(frozen=True, slots=True)
class LeafNode:
    """A condition on one field, with its test."""

    leaf: Leaf
    test: RecordTest

    def leaves(self) -> Iterator[Leaf]:
        """Yield the conditions on fields."""
        yield self.leaf

    def describe(self) -> str:
        """Say what is wanted."""
        return self.leaf.describe()

    def reason(self, record: object, scope: Scope) -> str | None:
        """Say why `record` fails, or return None."""
        if self.test(record, scope):
            return None
        return f"{self.leaf.path}: wanted {self.leaf.wanted()}, found {self.leaf.found(record)}"


@dataclass(frozen=True, slots=True)
class Group:
    """Conditions joined by `and`, `or` or `not` (not all of them), with their test."""

    operator: str
    members: Sequence["Node"]
    test: RecordTest

    def leaves(self) -> Iterator[Leaf]:
        """Yield the conditions on fields, in the order they are written."""
        for member in self.members:
            yield from member.leaves()

    def describe(self) -> str:
        """Say what is wanted."""
        shown = self.members[:_MAX_REASONS]
        inner = f" {'or' if self.operator == 'or' else 'and'} ".join(member.describe() for member in shown)
        inner += " …" if len(self.members) > _MAX_REASONS else ""
        return f"not ({inner})" if self.operator == "not" else f"({inner})"

    def reason(self, record: object, scope: Scope) -> str | None:
        """Say why `record` fails, or return None."""
        if self.test(record, scope):
            return None
        if self.operator == "not":
            return f"wanted {self.describe()}"
        reasons = [reason for member in self.members if (reason := member.reason(record, scope)) is not None]
        if self.operator == "and":
            return reasons[0]
        return f"none of these: {'; '.join(reasons[:_MAX_REASONS])}{'; …' if len(reasons) > _MAX_REASONS else ''}"


Node = LeafNode | Group


def single(leaf: Leaf) -> LeafNode:
    """Return the node of one condition."""
    return LeafNode(leaf, leaf.compile())


def group(operator: str, members: Sequence[Node]) -> Group:
    """Return the node of conditions joined by `operator`."""
    tests = tuple(member.test for member in members)
    test = _any(tests) if operator == "or" else tests[0] if len(tests) == 1 else _every(tests)
    return Group(operator, members, _opposite(test) if operator == "not" else test)


def _opposite(test: RecordTest) -> RecordTest:
    return lambda record, scope: not test(record, scope)


def _every(tests: tuple[RecordTest, ...]) -> RecordTest:
    def test(record: object, scope: Scope) -> bool:
        for single_test in tests:  # noqa: SIM110 - all() over a generator costs twice as much
            if not single_test(record, scope):
                return False
        return True

    return test


def _any(tests: tuple[RecordTest, ...]) -> RecordTest:
    def test(record: object, scope: Scope) -> bool:
        for single_test in tests:  # noqa: SIM110 - any() over a generator costs twice as much
            if single_test(record, scope):
                return True
        return False

    return test
