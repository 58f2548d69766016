"""Conditions on records: `{"field": "email", "operator": "exists"}`, alone, in lists and in and/or/not groups."""

from lumeflow.core.conditions.models import CONDITION_TAGS, Condition, ConditionGroup, Conditions, FieldCondition
from lumeflow.core.conditions.operators import OPERATORS, Operator
from lumeflow.core.conditions.predicate import ConditionError, Predicate, compile_conditions, find_problems

__all__ = [
    "CONDITION_TAGS",
    "OPERATORS",
    "Condition",
    "ConditionError",
    "ConditionGroup",
    "Conditions",
    "FieldCondition",
    "Operator",
    "Predicate",
    "compile_conditions",
    "find_problems",
]
