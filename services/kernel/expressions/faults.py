"""What an expression can be refused for, said in Chinese with the place. Pure."""

from __future__ import annotations

from geo.errors import BadInput


class ExpressionFault(BadInput):
    """An expression, or a fact given to it, that cannot be meant. ``position`` counts characters from 0, None for facts."""

    def __init__(self, code: str, message: str, position: int | None = None) -> None:
        """Keep the code, the Chinese sentence and the place in the text."""
        super().__init__(code, message, position=position)
        self.position = position
