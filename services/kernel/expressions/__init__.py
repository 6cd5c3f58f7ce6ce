"""The one closed grammar for everything staff write: rules, conditions of form fields, conditions on flow arrows. Pure.

Nothing is looked up, called or looped over that is not listed beforehand; an expression costs at most its few hundred parts.
"""

from services.kernel.expressions.conditions import OPERATORS, All, Any, Condition, condition_of
from services.kernel.expressions.expression import Expression
from services.kernel.expressions.faults import ExpressionFault
from services.kernel.expressions.values import KIND_WORDS, Kind, Value, said, values_of

__all__ = [
    "KIND_WORDS",
    "OPERATORS",
    "All",
    "Any",
    "Condition",
    "Expression",
    "ExpressionFault",
    "Kind",
    "Value",
    "condition_of",
    "said",
    "values_of",
]
