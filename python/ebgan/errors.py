"""Errors that a user can cure, and the optional packages whose absence is one of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from difflib import get_close_matches
from importlib import import_module
from types import ModuleType


class UserError(ValueError):
    """An error that the user can cure; its one line names the file or option, what came, and the remedy.

    The command line prints it without a traceback and exits with 2.
    """


class MissingExtra(UserError, ImportError):
    """A package of the extra `train` is not installed."""


def require(module: str) -> ModuleType:
    """Import `module`, a package of the extra `train`, or say in one line how to install it."""
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        package = (error.name or module).partition(".")[0]
        raise MissingExtra(f"package {package!r} is missing: pip install 'ebgan-kernels[train]'") from None


def require_training() -> None:
    """Import all that training needs, so that a missing package is an error before it has done anything."""
    for module in ("matplotlib.figure", "PIL.Image", "safetensors.torch", "torch.utils.tensorboard", "tqdm"):
        require(module)


def reason(error: BaseException) -> str:
    """Why a file could not be read or written, in one line."""
    if words := getattr(error, "strerror", None):  # FFmpeg's errors have it, too, and are not all OSError
        return str(words)
    return " ".join(str(error).split()) or type(error).__name__


def did_you_mean(value: object, known: Iterable[object]) -> str:
    """A question that names the `known` word that is nearest to `value`; empty where none is near.

    Example:
        >>> did_you_mean("minst", ["digits", "mnist"]), did_you_mean("cifar", ["digits", "mnist"])
        ('; did you mean mnist?', '')
    """
    nearest = get_close_matches(str(value), map(str, known), n=1)
    return f"; did you mean {nearest[0]}?" if nearest else ""


def one_of(argument: str, value: object, allowed: Collection[object]) -> None:
    """Raise `UserError` unless `value` is one of the `allowed` values of `argument`."""
    if value not in allowed:
        near = did_you_mean(value, allowed)
        raise UserError(f"{argument}: got {value!r}, allowed are {', '.join(map(str, allowed))}{near}")


def at_least(argument: str, value: float, least: float) -> None:
    """Raise `UserError` unless `value` of `argument` is finite and not below `least`."""
    if not least <= value < float("inf"):
        raise UserError(f"{argument}: got {value}, allowed are finite numbers from {least} up")


def positive(argument: str, value: float) -> None:
    """Raise `UserError` unless `value` of `argument` is finite and above zero."""
    if not 0 < value < float("inf"):
        raise UserError(f"{argument}: got {value}, allowed are finite numbers above 0")


def share(argument: str, value: float) -> None:
    """Raise `UserError` unless `value` of `argument` lies from 0 to below 1."""
    if not 0 <= value < 1:
        raise UserError(f"{argument}: got {value}, allowed are numbers from 0 to below 1")
