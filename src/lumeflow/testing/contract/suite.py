"""The contract: tests of what no author should have to think of."""

import inspect
import warnings
from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Any, ClassVar

from lumeflow.core.block import Block, BlockType
from lumeflow.core.errors import STOPS_NODE, ErrorClass
from lumeflow.core.records import JsonObject
from lumeflow.reference.docstring import SECTIONS, Docstring
from lumeflow.testing.contract.hooks import SECRET, Delays, Hooks, Refusal, StopAt
from lumeflow.testing.contract.imports import brought_in, importable
from lumeflow.testing.contract.models import lenient, undescribed
from lumeflow.testing.contract.payloads import CANARY, field_names, hostile, repeated

if TYPE_CHECKING:
    from lumeflow.testing.contract.bench import Bench, Ran

TIMES = 5
"""How often the example's records are repeated where order or number may matter."""
STOPS = 24
"""Places at most at which a run is stopped."""
SEEDS = 4
"""Orders of arrival that are tried."""


class BlockContract:
    """Tests of a block; subclass it under a name that begins with `Test`, or use `block_contract`.

    All of them run the block's own `example` on its `example_input`, in demo mode, without network.

    Attributes:
        block: The block.
        tables: Rows that the example finds, by table name.
        files: Files that the example reads, by path.
        mocks: Demo answers by provider, operation or node id, for vendors that the simulator does not know.
        variables: Values of `{{variables.x}}`.
        processes: True for a block that computes in processes of its own, such as a sandbox.
        modules: Modules with the operations that it calls, besides its own; those of installed packages are known.
    """

    block: ClassVar[type[Block[Any]]]
    tables: ClassVar[Mapping[str, Sequence[JsonObject]]] = {}
    files: ClassVar[Mapping[str, bytes]] = {}
    mocks: ClassVar[JsonObject] = {}
    variables: ClassVar[JsonObject] = {}
    processes: ClassVar[bool] = False
    modules: ClassVar[Sequence[ModuleType]] = ()

    def test_it_is_documented(self) -> None:
        """Purpose, input, output, errors, cost; a description for each field; an example."""
        docstring = Docstring.of(self.block)
        self._hold(docstring.summary, "it has no docstring: say in its first line what it does")
        missing = [name for name in SECTIONS if not docstring.sections.get(name)]
        self._hold(not missing, f"its docstring lacks {_listed(missing)}: begin a paragraph with '{_first(missing)}:'")
        bare = undescribed(self.block.Config)
        self._hold(not bare, f"{_listed(bare)} without a description: add Field(description=…)")
        self._hold(self.block.example, "it has no example: add a config that works in demo mode")

    def test_its_example_means_it(self) -> None:
        """The discriminators in `when` lead from the example to this block, and from no other block's."""
        from lumeflow.core.registry import RegistrationError, UnknownBlock
        from lumeflow.testing.contract.bench import registry_with

        try:
            found = registry_with(self.block).resolve(self.block.type, self.block.example)
        except RegistrationError as error:
            raise AssertionError(f"{self._name}: {error}: choose another name") from None
        except UnknownBlock as error:
            raise AssertionError(f"{self._name}: its example does not hold what `when` asks for: {error}") from None
        self._hold(found is self.block, f"its example means {found.id()}: make `when` more specific")

    def test_its_ports_are_known(self) -> None:
        """Before it runs: where records can leave, and whose it takes."""
        made = self.block(self.block.Config.model_validate(self.block.example))
        unknown = sorted(set(made.routes()) - set(made.out_ports()))
        self._hold(not unknown, f"routes() binds {_listed(unknown)}, which out_ports() does not name")
        if self.block.type is not BlockType.MERGE:
            self._hold(not made.sources(), "it names sources, which only a merge block has: set its type to merge")

    def test_its_configuration_is_checked(self) -> None:
        """Unknown keys are refused with the nearest known one, in nested objects too; defaults can be written down."""
        open_ones = lenient(self.block.Config)
        self._hold(not open_ones, f"{_listed(open_ones)} takes unknown keys: set extra='forbid' in its model_config")
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            schema = self.block.Config.model_json_schema(by_alias=True)
        bench = self._bench()
        findings = bench.validate(self.block.example, self.block.example_input).errors
        self._hold(not findings, f"its example is not valid: {[finding.message for finding in findings]}")
        for key in schema["properties"]:
            wrong = f"{key}x"
            findings = bench.validate({**self.block.example, wrong: 1}, self.block.example_input).errors
            told = [finding.message for finding in findings if wrong in finding.message]
            self._hold(told, f"the unknown key '{wrong}' is not refused")
            self._hold(any(f"'{key}'" in line for line in told), f"'{wrong}' is refused without naming '{key}': {told}")

    def test_its_import_is_light(self) -> None:
        """Importing it loads no heavy library and does nothing else: a command must start at once."""
        module, path = importable(self.block.__module__)
        found = brought_in((module,), tuple(path))[module]
        self._hold(
            not found, f"importing {module} brings in {_listed(found)}: import it inside the method that uses it"
        )

    def test_its_example_runs(self) -> None:
        """It ends well, no record fails, and something comes of it."""
        ran = self._run()
        self._hold(ran.status == "completed", f"its example ends as {ran.status}: {ran.error}")
        self._hold(not ran.failed, f"records of its example fail: {[record.reason for record in ran.failed]}")
        changed = ran.rows != {name: list(rows) for name, rows in self.tables.items()}
        self._hold(
            ran.output["records"] or ran.files or changed or ran.output["fields"],
            "nothing comes of its example: give an example_input of which it makes something",
        )

    def test_it_acts_through_its_context_alone(self) -> None:
        """No socket, process or file of its own: in demo mode nothing has an effect."""
        hooks = Hooks()
        ran = self._run(hooks, times=TIMES)
        self._hold(
            not ran.forbidden, f"it {_listed([*dict.fromkeys(ran.forbidden)])}: use ctx.call, ctx.files and ctx.tables"
        )
        unknown = sorted(hooks.operations - set(self.block.operations))
        self._hold(not unknown, f"it calls {_listed(unknown)}: name them in `operations`")
        self._hold(not ran.left_behind, f"it leaves {_listed(ran.left_behind)} behind: let go of it in close and abort")

    def test_it_is_deterministic(self) -> None:
        """The same input makes the same bytes, whatever arrives first."""
        wanted = self._run(times=TIMES).written()
        for seed in range(SEEDS):
            found = self._run(Delays(seed), times=TIMES).written()
            differing = [name for name in {*wanted, *found} if wanted.get(name) != found.get(name)]
            self._hold(
                not differing,
                f"its {_listed(sorted(differing))} depend on what arrives first: take the time from ctx.now, ids from "
                "derived_id, and let nothing depend on the order in which calls are answered",
            )

    def test_it_stops_cleanly(self) -> None:
        """Cancelled wherever it waits it leaves nothing running and no half file; resumed it makes the same bytes."""
        counting = Hooks()
        whole = self._run(counting, times=TIMES).written()
        step = max(1, counting.points // STOPS)
        for point in range(1, counting.points + 1, step):
            stopped = self._run(StopAt(point), times=TIMES)
            place = f"cancelled at wait {point} of {counting.points}"
            self._hold(not stopped.left_behind, f"{place} it leaves {_listed(stopped.left_behind)}: let go in abort")
            self._hold(
                stopped.status in {"cancelled", "completed"}, f"{place} it ends as {stopped.status}: {stopped.error}"
            )
            half = [name for name, data in stopped.files.items() if whole.get(f"file {name}") != data]
            self._hold(not half, f"{place} it leaves half of {_listed(half)}: discard it in abort")
            resumed = self._run(StopAt(point), times=TIMES, resumes=True).written()
            differing = sorted(name for name in {*whole, *resumed} if whole.get(name) != resumed.get(name))
            self._hold(not differing, f"{place} and resumed its {_listed(differing)} differ from those of a whole run")

    def test_it_fails_well(self) -> None:
        """Data of any shape fail a record at most; words tell the field or the key, and hold none of the data."""
        for payload in hostile(self.block, self.block.example, self.block.example_input):
            ran = self._bench().run(payload)
            self._no_bug(ran)
            if self.block.type is not BlockType.INPUT:
                told = [line for line in ran.told() if CANARY in line]
                self._hold(not told, f"a message holds the record's data: {_first(told)[:300]}")
            self._no_secret(ran)
            self._names_places(ran)

    def test_refused_calls_fail_well(self) -> None:
        """Whatever a vendor answers, the error keeps its class; a refused key or a used-up plan ends the node."""
        for error_class in ErrorClass if self.block.operations else ():
            hooks = Refusal(error_class)
            ran = self._run(hooks)
            if error_class is not ErrorClass.INTERNAL:
                self._no_bug(ran)
            if hooks.operations and error_class in STOPS_NODE:
                self._hold(ran.status == "failed", f"it goes on although its calls are refused with {error_class}")
            self._no_secret(ran)

    @property
    def _name(self) -> str:
        return self.block.id()

    def _bench(self) -> "Bench":
        from lumeflow.testing.contract.bench import Bench, World

        world = World(
            tables=self.tables,
            files=self.files,
            mocks=self.mocks,
            variables=self.variables,
            processes=self.processes,
            modules=self.modules,
        )
        return Bench(self.block, self.block.example, world)

    def _run(self, hooks: Hooks | None = None, *, times: int = 1, resumes: bool = False) -> "Ran":
        payload = repeated(self.block, self.block.example, self.block.example_input, times)
        return self._bench().run(payload, hooks, resumes=resumes)

    def _no_bug(self, ran: "Ran") -> None:
        bugs = [record.reason for record in ran.failed if record.error_class == str(ErrorClass.INTERNAL)]
        bugs += [ran.error] if ran.error and "has a bug" in ran.error else []
        self._hold(not bugs, f"it raises what it should not: {_first(bugs)}: raise RecordError or NodeError")

    def _names_places(self, ran: "Ran") -> None:
        """A reason names a field, a key of the configuration, or the call that failed."""
        keys = self.block.Config.model_json_schema(by_alias=True)["properties"]
        places = {*keys, *field_names(self.block.example_input), *self.block.operations, "config"}
        vague = [
            record.reason or "" for record in ran.failed if not any(place in str(record.reason) for place in places)
        ]
        self._hold(not vague, f"a failure names neither field nor key: {_first(vague)}: say in the message which it is")

    def _no_secret(self, ran: "Ran") -> None:
        places = [name for name, data in ran.written().items() if SECRET.encode() in data]
        self._hold(not places, f"a secret shows up in its {_listed(places)}")

    def _hold(self, held: object, message: str) -> None:
        if not held:
            raise AssertionError(f"{self._name}: {message}")


def block_contract(
    block: type[Block[Any]],
    *,
    tables: Mapping[str, Sequence[JsonObject]] | None = None,
    files: Mapping[str, bytes] | None = None,
    mocks: JsonObject | None = None,
    variables: JsonObject | None = None,
    processes: bool = False,
    modules: Sequence[ModuleType] = (),
) -> type[BlockContract]:
    """Make a class of tests for a block, to be assigned to a name that begins with `Test`.

    Args:
        block: The block.
        tables: Rows that its example finds, by table name.
        files: Files that its example reads, by path.
        mocks: Demo answers by provider, operation or node id, for vendors that the simulator does not know.
        variables: Values of `{{variables.x}}`.
        processes: True for a block that computes in processes of its own, such as a sandbox.
        modules: Modules with the operations that it calls, besides its own; those of installed packages are known.
    """
    members = {
        "block": block,
        "tables": tables or {},
        "files": files or {},
        "mocks": mocks or {},
        "variables": variables or {},
        "processes": processes,
        "modules": modules,
        "__doc__": f"The contract of `{block.id()}`.",
    }
    return type(f"Test{block.__name__}", (BlockContract,), members)


def checks() -> Sequence[str]:
    """Names of all tests of the contract."""
    return [name for name, _ in inspect.getmembers(BlockContract, inspect.isfunction) if name.startswith("test_")]


def _first(items: Sequence[Any]) -> str:
    return str(items[0]) if items else ""


def _listed(items: Sequence[str]) -> str:
    return ", ".join(items)
