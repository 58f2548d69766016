"""The registry of functions: one decorator from which validation, calls and the reference documentation come."""

import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, ParamSpec, TypeVar, get_args

P = ParamSpec("P")
R = TypeVar("R")

# The kinds of parameters. Null for a required one makes the result null without a call, except for `Anything`.
Anything = Annotated[Any, "any"]
Text = Annotated[str, "text"]
Number = Annotated[float, "number"]
Integer = Annotated[int, "integer"]
ListOfValues = Annotated[list[Any], "list"]
Object = Annotated[dict[str, Any], "object"]
Sized = Annotated[Any, "text, list or object"]
Date = Annotated[Any, "date"]
Regex = Annotated[Any, "pattern"]
Lazy = Annotated[Callable[[Any], Any], "lazy"]
Condition = Annotated[Callable[[Any], Any], "condition"]

_EXAMPLE = re.compile(r"^\s+(?P<call>\S.*?) -> (?P<result>.+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a function.

    Attributes:
        name: As the reference shows it.
        kind: What it takes: text, number, integer, list, object, date, pattern, any, lazy…
        default: What null or nothing stands for; only for optional parameters.
    """

    name: str
    kind: str
    optional: bool = False
    variadic: bool = False
    default: Any = None


@dataclass(frozen=True, slots=True)
class Function:
    """A function of the expression language.

    Attributes:
        category: The heading under which the reference lists it.
        call: Takes converted arguments; a lazy one takes the scope and unevaluated arguments.
        lazy: Its arguments are evaluated by itself, if at all.
        lenient: In strict mode a missing path in its arguments is no error.
        reads: The path in the scope that it reads by itself, if any.
        examples: Pairs of call and result, both in the expression language; tests run them.
    """

    name: str
    category: str
    parameters: tuple[Parameter, ...]
    call: Callable[..., Any]
    lazy: bool
    lenient: bool
    reads: tuple[str, ...]
    summary: str
    examples: tuple[tuple[str, str], ...]

    @property
    def minimum(self) -> int:
        """The least number of arguments."""
        return sum(not (parameter.optional or parameter.variadic) for parameter in self.parameters)

    @property
    def maximum(self) -> int | None:
        """The largest number of arguments; None if there is none."""
        return None if self.parameters and self.parameters[-1].variadic else len(self.parameters)

    @property
    def signature(self) -> str:
        """The call as the reference shows it: `padStart(text, length, fill?)`, `concat(values…)`."""
        return f"{self.name}({', '.join(_shown(parameter) for parameter in self.parameters)})"

    def parameter(self, index: int) -> Parameter:
        """Return the parameter that takes the argument number `index`, from 0."""
        return self.parameters[min(index, len(self.parameters) - 1)]


FUNCTIONS: dict[str, Function] = {}


def function(
    category: str, *, lenient: bool = False, reads: tuple[str, ...] = ()
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Register a Python function as a function of the expression language.

    Its name becomes camelCase (`starts_with` is `startsWith`, `if_` is `if`), the annotations of its parameters say
    what they take, and its docstring is the reference: a summary, and examples as `call -> result`.
    """

    def register(call: Callable[P, R]) -> Callable[P, R]:
        parameters = [_parameter(parameter) for parameter in inspect.signature(call).parameters.values()]
        lazy = bool(parameters) and parameters[0].name == "scope"
        documentation = inspect.getdoc(call) or ""
        name = _camel_case(call.__name__)
        if name in FUNCTIONS:
            raise ValueError(f"the function {name} is registered twice")
        FUNCTIONS[name] = Function(
            name=name,
            category=category,
            parameters=tuple(parameters[1:] if lazy else parameters),
            call=call,
            lazy=lazy,
            lenient=lenient,
            reads=reads,
            summary=" ".join(documentation.partition("\n\nExample")[0].split()),
            examples=tuple((example["call"], example["result"]) for example in _EXAMPLE.finditer(documentation)),
        )
        return call

    return register


def _parameter(parameter: inspect.Parameter) -> Parameter:
    annotated = get_args(parameter.annotation)
    optional = parameter.default is not inspect.Parameter.empty
    return Parameter(
        name=_camel_case(parameter.name),
        kind=annotated[1] if len(annotated) == 2 else "any",
        optional=optional,
        variadic=parameter.kind is inspect.Parameter.VAR_POSITIONAL,
        default=parameter.default if optional else None,
    )


def _camel_case(name: str) -> str:
    first, *others = name.strip("_").split("_")
    return first + "".join(word.capitalize() for word in others)


def _shown(parameter: Parameter) -> str:
    return parameter.name + ("…" if parameter.variadic else "?" if parameter.optional else "")
