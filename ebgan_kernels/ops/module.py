"""The base of all modules, whose calls have the types of their ``forward`` for a type checker."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import ParamSpec, Protocol, TypeVar

    Arguments = ParamSpec("Arguments")
    Result = TypeVar("Result", covariant=True)

    class _HasForward(Protocol[Arguments, Result]):
        def forward(self, *args: Arguments.args, **kwargs: Arguments.kwargs) -> Result: ...

    class _CallOfForward:
        """What a type checker takes ``__call__`` for: something that has the signature of ``forward``."""

        def __get__(
            self, module: _HasForward[Arguments, Result], owner: type | None = None
        ) -> Callable[Arguments, Result]: ...


class Module(nn.Module):
    """An ``nn.Module`` of which a type checker knows what a call takes and gives.

    torch declares ``nn.Module.__call__`` as ``Callable[..., Any]``, so that ``loss(images)`` would be Any.
    """

    if TYPE_CHECKING:
        __call__: _CallOfForward
