#!/usr/bin/env python3
"""Coefficients of Formulas.Gelu for float, minimax of the relative error (Remez exchange), highest power first.

|x| < 1: (Phi(x) - 1/2)/x as a polynomial of x*x. Beyond: a*Phi(-a)*exp(a*a/2) as a polynomial of q = (a - 4)/(a + 4), a = |x| up to 15.5, where exp(-a*a/2)
is 0. Plain Python: the double precision of math.erf and math.erfc is enough for coefficients in float.
"""
import math


def near(z):
    x = math.sqrt(z)
    return math.erf(x / math.sqrt(2)) / (2 * x) if x > 1e-4 else (1 - z / 6) / math.sqrt(2 * math.pi)


def far(q):
    a = 4 * (1 + q) / (1 - q)
    return 0.5 * math.erfc(a / math.sqrt(2)) * math.exp(a * a / 2) * a


def solve(rows, right):
    n = len(right)
    m = [row + [value] for row, value in zip(rows, right)]
    for i in range(n):
        pivot = max(range(i, n), key=lambda r: abs(m[r][i]))
        m[i], m[pivot] = m[pivot], m[i]
        for r in range(i + 1, n):
            f = m[r][i] / m[i][i]
            for c in range(i, n + 1):
                m[r][c] -= f * m[i][c]
    x = [0.0] * n
    for i in reversed(range(n)):
        x[i] = (m[i][n] - sum(m[i][c] * x[c] for c in range(i + 1, n))) / m[i][i]
    return x


def minimax(target, low, high, degree):
    def error(coefficients, q):
        p = 0.0
        for c in reversed(coefficients):
            p = p * q + c
        return p / target(q) - 1

    count = degree + 2
    points = [(low + high - (high - low) * math.cos(math.pi * i / (count - 1))) / 2 for i in range(count)]
    grid = [(low + high - (high - low) * math.cos(math.pi * i / 4000)) / 2 for i in range(4001)]
    for _ in range(20):
        rows = [[q ** k for k in range(degree + 1)] + [(-1) ** i * target(q)] for i, q in enumerate(points)]
        coefficients = solve(rows, [target(q) for q in points])[:-1]
        errors = [error(coefficients, q) for q in grid]
        extrema = []
        for i, e in enumerate(errors):
            if not extrema or (e > 0) != (errors[extrema[-1]] > 0):
                extrema.append(i)
            elif abs(e) > abs(errors[extrema[-1]]):
                extrema[-1] = i
        if len(extrema) != count:
            break
        points = [grid[i] for i in extrema]
    print('largest relative error 2^%.1f:' % math.log2(max(map(abs, errors))), *('%.9g' % c for c in reversed(coefficients)))


minimax(near, 0, 1, 5)
minimax(far, (1 - 4) / (1 + 4), (15.5 - 4) / (15.5 + 4), 8)
