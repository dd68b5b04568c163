"""triton-viz's address sanitizer, for kernels that branch on program numbers and take tuples of tensors.

The sanitizer runs a kernel once, with a symbol for each program number, loop variable and lane, and asks
z3 whether any address can lie outside the tensors. Release 3.0 does not see tensors inside tuples, takes
every branch on a symbol as true, forgets the bounds of outer loops, and makes a symbol of the variable of
``tl.static_range``: it reports hundreds of accesses of our kernels that are right, and never enters an
``else``. Here a branch on integers goes the way of the program at hand, which all proofs of that program
then assume; one on numbers that were loaded goes both ways; and a kernel with branches runs for every
program of its grid.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any

import triton.language as tl
import z3
from triton.runtime.interpreter import TensorHandle
from triton_viz.clients.sanitizer import sanitizer as tool

KERNELS = os.path.join("ebgan_kernels", "triton", "")
PROGRAM_NUMBERS = (tool.SymbolicExpr.PID0, tool.SymbolicExpr.PID1, tool.SymbolicExpr.PID2)
COMPARISONS = {"less", "less_equal", "greater", "greater_equal", "equal", "not_equal"}
ARITHMETIC = {
    "add",
    "sub",
    "mul",
    "idiv",
    "mod",
    "minimum",
    "maximum",
    "bitwise_and",
    "bitwise_or",
    "cast_impl",
}
SHAPES = {"where", "arange", "splat", "expand_dims", "broadcast", "reshape"}
OF_INTEGERS = {"const", "pid", *COMPARISONS, *ARITHMETIC, *SHAPES}


class PathSanitizer(tool.SymbolicSanitizer):
    """Collects in ``records`` the accesses of a launch that may leave their tensors."""

    running: PathSanitizer

    def __new__(cls) -> PathSanitizer:
        return object.__new__(cls)  # the parent's chooses a class by the environment

    def __init__(self) -> None:
        super().__init__(abort_on_error=False)
        self.outcome_of_data = True
        self.met_data = False

    def launch(self, run: Callable[[], Any]) -> Any:
        """Runs a kernel; if it branches on numbers that were loaded, once with all true, once with none."""
        self.outcome_of_data, self.met_data = True, False
        result = run()
        if self.met_data:
            self.outcome_of_data = False
            result = run()
        return result

    def arg_callback(self, name: str, arg: Any, arg_cvt: Any) -> None:
        if isinstance(arg, tuple):
            for field, item in zip(getattr(arg, "_fields", range(len(arg))), arg, strict=True):
                self.arg_callback(f"{name}.{field}", item, None)
        elif hasattr(arg, "data_ptr") and arg.numel():
            steps = sum((size - 1) * stride for size, stride in zip(arg.shape, arg.stride(), strict=True))
            first = arg.data_ptr()
            self.tensors.append(arg)
            self.tensor_addrs.append((first, first + steps * arg.element_size(), arg))
            self._record_tensor_name(arg, name)

    def pre_run_callback(self, fn: Callable[..., Any]) -> bool:
        return True  # the parent skips launches like one before, whose data may have led along another path

    def grid_callback(self, grid: tuple[int, ...]) -> None:
        PathSanitizer.running = self
        super().grid_callback(grid)
        self.solver.push()

    def grid_idx_callback(self, grid_idx: tuple[int, ...]) -> None:
        super().grid_idx_callback(grid_idx)
        self.solver.pop()  # what was assumed of the program before
        self.solver.push()

    def decide(self, condition: tool.SymbolicExpr) -> bool:
        """The outcome of a branch in the program at hand."""
        self.need_full_grid = True
        if _is_data(condition):
            self.met_data = True
            return self.outcome_of_data
        truth = tool._constraint_to_bool(condition.eval()[0])
        numbers = zip(PROGRAM_NUMBERS, map(z3.IntVal, self.grid_idx), strict=True)
        here = z3.simplify(z3.substitute(truth, *numbers))
        if not (z3.is_true(here) or z3.is_false(here)):
            raise NotImplementedError(f"a branch on {here}")
        self.solver.add(truth == here)
        return z3.is_true(here)

    def _check_range_satisfiable(
        self, access_addr: Any, expr_constraints: Any, access: Any, place: tuple[str, int, str] | None = None
    ) -> None:
        bounds = [
            tool._range_to_iterator_constraint(loop.idx_z3, start=loop.start, stop=loop.stop, step=loop.step)
            for loop in self.loop_stack
        ]
        super()._check_range_satisfiable(
            access_addr, tool._and_constraints(expr_constraints, *bounds), access, place or _place()
        )

    def register_for_loop_callback(self) -> Any:
        callbacks = super().register_for_loop_callback()
        wrap = callbacks.range_wrapper_factory

        def wrap_unless_static(iterable: Any, lineno: int, range_type: str, *rest: Any, **more: Any) -> Any:
            return (
                None if range_type == "tl_static_range" else wrap(iterable, lineno, range_type, *rest, **more)
            )

        callbacks.range_wrapper_factory = wrap_unless_static
        return callbacks


def _place() -> tuple[str, int, str]:
    """File, line and function of the kernels' code that makes the access."""
    frame = sys._getframe()
    while KERNELS not in frame.f_code.co_filename:
        frame = frame.f_back
    return frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name


def _is_data(expression: tool.SymbolicExpr) -> bool:
    """Whether an expression is made of more than integers that are known at the launch, which z3 is given."""
    if expression.op == "const":
        return isinstance(expression.dtype, tl.dtype) and expression.dtype.is_floating()
    return expression.op not in OF_INTEGERS or any(
        _is_data(child)
        for name, child in expression.children.items()
        if child is not None and name not in ("dst_type", "cond")
    )


def _truth(data: tool.SymbolicExprDataWrapper) -> bool:
    condition = data.symbolic_expr
    if condition.has_op("arange") or condition.has_op("splat"):
        return True  # of a block, which the interpreter takes as true, too
    return PathSanitizer.running.decide(condition)


_concretize = tool.BinarySymbolicExpr.concretize
_to_z3 = tool.BinarySymbolicExpr._to_z3_impl


def _concretize_division_too(expression: tool.BinarySymbolicExpr) -> Any:
    if expression.op != "idiv":
        return _concretize(expression)
    over, under = expression.lhs.concretize(), expression.rhs.concretize()
    return TensorHandle(over.data // under.data, over.dtype)


def _to_z3_unless_of_data(expression: tool.BinarySymbolicExpr) -> Any:
    """Masks may hold comparisons of numbers that were loaded: either outcome is possible."""
    if expression.op in COMPARISONS and _is_data(expression):
        return z3.FreshBool(), None
    return _to_z3(expression)


def install() -> None:
    """Completes the sanitizer's symbols; for the whole process."""
    tool.SymbolicExprDataWrapper.__bool__ = _truth
    tool.BinarySymbolicExpr.concretize = _concretize_division_too
    tool.BinarySymbolicExpr._to_z3_impl = _to_z3_unless_of_data
