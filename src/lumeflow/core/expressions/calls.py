"""Compiles a function call: converts the arguments, bounds the result, and gives errors a place."""

from collections.abc import Callable, Sequence
from typing import Any

from lumeflow.core.expressions.closures import Evaluator, Scope
from lumeflow.core.expressions.errors import EvaluationError, ExpressionError, FunctionError
from lumeflow.core.expressions.functions import Function, Parameter
from lumeflow.core.expressions.functions.convert import CONVERTERS
from lumeflow.core.expressions.limits import SMALL, check_items, check_text

# What values at the edge may raise beside FunctionError: years beyond 9999, lone surrogates, deep nesting.
_COMPUTATION_ERRORS = (ValueError, ArithmeticError, TypeError, RecursionError)


_Converter = Callable[[Any], Any]


def eager_call(function: Function, arguments: Sequence[Evaluator], place: tuple[int, str]) -> Evaluator:
    """Call `function` with the values of its arguments."""
    parameters = [function.parameter(index) for index in range(len(arguments))]
    if len(parameters) == 1 and parameters[0].kind == "text" and function.minimum == 1:
        return _text_call(function, arguments[0], place)
    plan = [(parameter, CONVERTERS[parameter.kind]) for parameter in parameters]
    call = function.call

    def evaluate(scope: Scope) -> Any:
        values = [argument(scope) for argument in arguments]
        try:
            converted = _converted(values, plan)
            if converted is None:
                return None
            result = call(*converted)
            _check_result(result)
        except FunctionError as error:
            raise EvaluationError(f"{function.name}: {error}", *place) from None
        except _COMPUTATION_ERRORS:
            raise EvaluationError(f"{function.name} can't be computed with these values", *place) from None
        return result

    return evaluate


def _text_call(function: Function, argument: Evaluator, place: tuple[int, str]) -> Evaluator:
    """The same for the commonest kind of call, one required text, several times faster."""
    call, convert = function.call, CONVERTERS["text"]
    parameter = function.parameters[0]

    def evaluate(scope: Scope) -> Any:
        value = argument(scope)
        if value is None:
            return None
        try:
            result = call(value if isinstance(value, str) else _convert(value, parameter, convert))
            _check_result(result)
        except FunctionError as error:
            raise EvaluationError(f"{function.name}: {error}", *place) from None
        except _COMPUTATION_ERRORS:
            raise EvaluationError(f"{function.name} can't be computed with these values", *place) from None
        return result

    return evaluate


def _converted(values: list[Any], plan: Sequence[tuple[Parameter, _Converter]]) -> list[Any] | None:
    """Return the values as the parameters want them, or None if a required one is null."""
    converted: list[Any] = []
    for value, (parameter, convert) in zip(values, plan, strict=True):
        if value is not None or parameter.kind == "any":
            converted.append(_convert(value, parameter, convert))
        elif parameter.optional:
            converted.append(parameter.default)
        elif not parameter.variadic:
            return None
    return converted


def _convert(value: Any, parameter: Parameter, convert: _Converter) -> Any:
    try:
        return convert(value)
    except FunctionError as error:
        raise FunctionError(f"{parameter.name} wants {error}") from None


def _check_result(result: Any) -> None:
    if isinstance(result, str):
        if len(result) > SMALL:
            check_text(len(result))
    elif isinstance(result, list) and len(result) > SMALL:
        check_items(len(result))


def lazy_call(function: Function, arguments: Sequence[Evaluator], place: tuple[int, str]) -> Evaluator:
    """Call `function` with the scope and its arguments unevaluated."""
    call = function.call

    def evaluate(scope: Scope) -> Any:
        try:
            return call(scope, *arguments)
        except ExpressionError:
            raise
        except (FunctionError, *_COMPUTATION_ERRORS) as error:
            reason = str(error) if isinstance(error, FunctionError) else "can't be computed with these values"
            raise EvaluationError(f"{function.name}: {reason}", *place) from None

    return evaluate
