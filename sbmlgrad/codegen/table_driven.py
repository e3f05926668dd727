"""Propensities and derivatives by interpreting `Tables`: the functions that kernels call.

`run_program` is the stack machine. `propensities`, `derivatives` and what updates them can be
replaced by straight-line code of the same names, printed for one model: `codegen.kernel_modules`
puts together what is compiled. All stay within the subset of Python that numba compiles; opcodes
are those of `model.operators`.
"""

from __future__ import annotations

import math

import numpy as np

from sbmlgrad.codegen.tables import Code, Tables


def run_program(tables: Tables | Code, program, counts, inputs, stack):
    """Evaluate one program of the table on the stack and return its value."""
    top = -1
    for i in range(tables.code_start[program], tables.code_start[program + 1]):
        op = tables.opcode[i]
        operand = tables.operand[i]
        if op == 1:
            top += 1
            stack[top] = counts[operand]
        elif op == 2:
            top += 1
            stack[top] = inputs[operand]
        elif op == 12:
            top -= 1
            stack[top] = stack[top] * stack[top + 1]
        elif op == 13:
            top -= 1
            stack[top] = stack[top] / stack[top + 1]
        elif op == 10:
            top -= 1
            stack[top] = stack[top] + stack[top + 1]
        elif op == 11:
            top -= 1
            stack[top] = stack[top] - stack[top + 1]
        elif op == 0:
            top += 1
            stack[top] = tables.number[operand]
        elif op == 3:
            stack[top] = -stack[top]
        elif op == 14:
            top -= 1
            stack[top] = stack[top] ** stack[top + 1]
        elif op == 15:
            stack[top] = math.exp(stack[top])
        elif op == 16:
            stack[top] = math.log(stack[top])
        elif op == 17:
            stack[top] = math.sqrt(stack[top])
        elif op == 18:
            stack[top] = abs(stack[top])
        elif op == 19:
            top -= 1
            stack[top] = np.minimum(stack[top], stack[top + 1])
        elif op == 20:
            top -= 1
            stack[top] = np.maximum(stack[top], stack[top + 1])
        elif op == 22:
            top -= 1
            stack[top] = np.trunc(stack[top] / stack[top + 1])
        elif op == 23:
            top -= 1
            stack[top] = np.fmod(stack[top], stack[top + 1])
        elif op == 21:
            top -= 2
            stack[top] = stack[top] if stack[top + 1] != 0.0 else stack[top + 2]
        elif op == 42:
            stack[top] = 1.0 if stack[top] == 0.0 else 0.0
        elif op >= 50:
            x = stack[top]
            if op == 50:
                stack[top] = np.floor(x)
            elif op == 51:
                stack[top] = np.ceil(x)
            elif op == 52:
                stack[top] = (
                    np.rint(math.gamma(x + 1.0)) if x >= 0.0 and x == np.floor(x) else np.nan
                )
            elif op == 53:
                stack[top] = math.log10(x)
            elif op == 110:
                stack[top] = math.sin(x)
            elif op == 111:
                stack[top] = math.cos(x)
            elif op == 112:
                stack[top] = math.tan(x)
            elif op == 113:
                stack[top] = 1.0 / math.cos(x)
            elif op == 114:
                stack[top] = 1.0 / math.sin(x)
            elif op == 115:
                stack[top] = 1.0 / math.tan(x)
            elif op == 116:
                stack[top] = math.sinh(x)
            elif op == 117:
                stack[top] = math.cosh(x)
            elif op == 118:
                stack[top] = math.tanh(x)
            elif op == 119:
                stack[top] = 1.0 / math.cosh(x)
            elif op == 120:
                stack[top] = 1.0 / math.sinh(x)
            elif op == 121:
                stack[top] = 1.0 / math.tanh(x)
            elif op == 122:
                stack[top] = math.asin(x)
            elif op == 123:
                stack[top] = math.acos(x)
            elif op == 124:
                stack[top] = math.atan(x)
            elif op == 125:
                stack[top] = math.acos(1.0 / x)
            elif op == 126:
                stack[top] = math.asin(1.0 / x)
            elif op == 127:
                stack[top] = math.atan(1.0 / x)
            elif op == 128:
                stack[top] = math.asinh(x)
            elif op == 129:
                stack[top] = math.acosh(x)
            elif op == 130:
                stack[top] = math.atanh(x)
            elif op == 131:
                stack[top] = math.acosh(1.0 / x)
            elif op == 132:
                stack[top] = math.asinh(1.0 / x)
            elif op == 133:
                stack[top] = math.atanh(1.0 / x)
            else:
                return np.nan
        else:
            top -= 1
            left, right = stack[top], stack[top + 1]
            if op == 30:
                truth = left < right
            elif op == 31:
                truth = left <= right
            elif op == 32:
                truth = left > right
            elif op == 33:
                truth = left >= right
            elif op == 34:
                truth = left == right
            elif op == 35:
                truth = left != right
            elif op == 40:
                truth = left != 0.0 and right != 0.0
            elif op == 41:
                truth = left != 0.0 or right != 0.0
            elif op == 45:
                truth = (left != 0.0) != (right != 0.0)
            elif op == 46:
                truth = left == 0.0 or right != 0.0
            else:
                return np.nan
            stack[top] = 1.0 if truth else 0.0
    return stack[top]


def program_values(code: Code, counts, inputs, stack, out):
    """Fill `out` [reaction] with every propensity, by its program."""
    for j in range(out.shape[0]):
        out[j] = run_program(code, j, counts, inputs, stack)


def propensities(tables: Tables, counts, inputs, stack, out):
    """Fill `out` [reaction] with every propensity."""
    for j in range(out.shape[0]):
        out[j] = run_program(tables, j, counts, inputs, stack)


def update_propensities(tables: Tables, fired, counts, inputs, stack, out):
    """Recompute in `out` [reaction] the propensities that a firing may have changed."""
    for g in range(tables.groups_start[fired], tables.groups_start[fired + 1]):
        group = tables.groups[g]
        for d in range(tables.members_start[group], tables.members_start[group + 1]):
            j = tables.members[d]
            out[j] = run_program(tables, j, counts, inputs, stack)


def derivatives(tables: Tables, counts, inputs, stack, in_state, in_input):
    """Fill the non-zero derivatives of the propensities in counts and in inputs."""
    first = tables.change_start.shape[0] - 1
    for i in range(in_state.shape[0]):
        in_state[i] = run_program(tables, first + i, counts, inputs, stack)
    first += in_state.shape[0]
    for i in range(in_input.shape[0]):
        in_input[i] = run_program(tables, first + i, counts, inputs, stack)


def update_derivatives(tables: Tables, fired, counts, inputs, stack, in_state, in_input):
    """Recompute the derivatives of the propensities that a firing may have changed."""
    first_state = tables.change_start.shape[0] - 1
    first_input = first_state + in_state.shape[0]
    for g in range(tables.groups_start[fired], tables.groups_start[fired + 1]):
        group = tables.groups[g]
        for d in range(tables.members_start[group], tables.members_start[group + 1]):
            j = tables.members[d]
            for i in range(tables.state_start[j], tables.state_start[j + 1]):
                in_state[i] = run_program(tables, first_state + i, counts, inputs, stack)
            for i in range(tables.input_start[j], tables.input_start[j + 1]):
                in_input[i] = run_program(tables, first_input + i, counts, inputs, stack)
