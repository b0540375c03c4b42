#!/usr/bin/env python3
"""Coefficients of Formulas.MillsPolynomial for float, highest power first.

Phi(-a)*exp(a*a/2)*(a + c) as a polynomial of w = a/(a + c) - shift, for a up to 13.4, where results begin to be denormal; minimax of the relative error, then rounded to
float one after the other, each time with the best values of those that are left, and last moved by units in the last place as long as that helps. Plain Python: the double
precision of math.erfc is enough for coefficients in float.
"""
import math
import random
import struct

CENTRE, SHIFT, DEGREE, LAST = 3.5, 7 / 32, 9, 13.4


def target(w):
    a = CENTRE * (w + SHIFT) / (1 - w - SHIFT)
    return 0.5 * math.erfc(a / math.sqrt(2)) * math.exp(a * a / 2) * (a + CENTRE)


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
    """The coefficients, lowest power first, of least relative error (Remez exchange)."""
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
    return coefficients


def neighbour(value, steps):
    """The float nearest to a number, and some floats on."""
    bits = struct.unpack('i', struct.pack('f', value))[0]
    return struct.unpack('f', struct.pack('i', bits + steps))[0]


def largest_error(coefficients, points):
    return max(abs(sum(c * w ** k for k, c in enumerate(coefficients)) / target(w) - 1) for w in points)


def rounded(exact, order, points):
    """Floats for the coefficients, rounded in this order."""
    slopes = [[w ** k / target(w) for k in range(len(exact))] for w in points]
    c, free = list(exact), list(order)
    while free:
        k, free = free[0], free[1:]
        c[k] = neighbour(c[k], 0)
        if not free:
            break
        missing = [-sum(row[i] * (c[i] - exact[i]) for i in range(len(exact))) for row in slopes]
        normal = [[sum(row[i] * row[j] for row in slopes) + (1e-12 if i == j else 0) for j in free] for i in free]
        for i, change in zip(free, solve(normal, [sum(row[i] * m for row, m in zip(slopes, missing)) for i in free])):
            c[i] += change
    return c


def polished(c, points):
    best, moved = largest_error(c, points), True
    while moved:
        moved = False
        for k in range(len(c)):
            for steps in (-2, -1, 1, 2):
                other = c[:k] + [neighbour(c[k], steps)] + c[k + 1:]
                error = largest_error(other, points)
                if error < best:
                    c, best, moved = other, error, True
    return best, c


def main():
    low, high = -SHIFT, LAST / (LAST + CENTRE) - SHIFT
    exact = minimax(target, low, high, DEGREE)
    points = [(low + high - (high - low) * math.cos(math.pi * i / 400)) / 2 for i in range(401)]
    random.seed(1)
    orders = [list(range(DEGREE + 1))] + [random.sample(range(DEGREE + 1), DEGREE + 1) for _ in range(7)]
    error, c = min(polished(rounded(exact, order, points[::4]), points) for order in orders)
    print('largest relative error 2^%.2f:' % math.log2(error), *('%.9g' % v for v in reversed(c)))


main()
