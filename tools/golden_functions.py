#!/usr/bin/env python3
"""Reference values of the scalar functions, for tests/Kernels.Tests/Scalars/GoldenTests.cs.

Writes `name;x[;y];result` with every double as its bits in hexadecimal, the result correctly rounded from 60 digits.
Needs mpmath (Debian: python3-mpmath). Run from the repository's root: python3 tools/golden_functions.py
"""
import gzip
import random
import struct

from mpmath import mp, mpf
import mpmath as m

mp.dps = 60
random.seed(20240607)
COUNT = 160


def bits(x):
    return struct.pack('>d', float(x)).hex()


def from_bits(i):
    return struct.unpack('>d', struct.pack('>Q', i))[0]


def to_bits(x):
    return struct.unpack('>Q', struct.pack('>d', x))[0]


def logarithmic(low, high):
    """Doubles of [low, high], 0 < low < high, evenly spread over their exponents."""
    return [from_bits(random.randint(to_bits(low), to_bits(high))) for _ in range(COUNT // 2)]


def uniform(low, high):
    return [random.uniform(low, high) for _ in range(COUNT // 2)]


def both(points):
    return points + [-x for x in points]


def around(*centres):
    """The doubles next to each centre, where formulas change branch or lose their digits."""
    out = []
    for c in centres:
        b = to_bits(abs(c))
        for d in (-3, -1, 0, 1, 3):
            out.append(from_bits(max(0, b + d)) * (-1 if c < 0 else 1))
        out += [c * (1 + 1e-9), c * (1 - 1e-9), c + 1e-3, c - 1e-3]
    return out


def sigmoid(x):
    return 1 / (1 + m.exp(-x))


def gelu_tanh(x):
    return x * sigmoid(2 * m.sqrt(2 / m.pi) * (x + mpf('0.044715') * x ** 3))


SELU_SCALE, SELU_ALPHA = mpf('1.0507009873554804934193349852946'), mpf('1.6732632423543772848170429916717')


def log_gamma(x):
    return m.log(abs(m.gamma(x))) if x < 0 else m.loggamma(x)


SMALL = logarithmic(1e-300, 1)
UNARY = {
    'Exp': (m.exp, both(logarithmic(1e-20, 708)) + uniform(-745, 709.7) + around(709.78, -708.4, -745.1)),
    'Exp2': (lambda x: mpf(2) ** x, both(logarithmic(1e-20, 1022)) + uniform(-1074, 1023.9) + around(1023.99, -1022.0, -1074.0)),
    'ExpM1': (m.expm1, both(logarithmic(1e-300, 708)) + uniform(-40, 709)),
    'Log': (m.log, logarithmic(5e-324, 1.7e308) + uniform(0.5, 2) + around(1.0, 0.7071067811865476, 1.4142135623730951, 2.2250738585072014e-308)),
    'Log2': (lambda x: m.log(x, 2), logarithmic(5e-324, 1.7e308) + uniform(0.5, 2) + around(1.0, 2.0, 0.7071067811865476, 1.4142135623730951)),
    'Log10': (m.log10, logarithmic(5e-324, 1.7e308) + uniform(0.5, 2) + around(1.0, 10.0, 0.7071067811865476, 1.4142135623730951)),
    'LogP1': (m.log1p, logarithmic(1e-300, 1.7e308) + [-x for x in logarithmic(1e-300, 0.9999999)] + around(-0.5, 0.41421356)),
    'Sin': (m.sin, both(logarithmic(1e-300, 1e9)) + uniform(-20, 20) + around(3.141592653589793, 1.5707963267948966, 6.283185307179586, 1e22, 1e300)),
    'Cos': (m.cos, both(logarithmic(1e-300, 1e9)) + uniform(-20, 20) + around(3.141592653589793, 1.5707963267948966, 4.71238898038469, 1e22, 1e300)),
    'Tan': (m.tan, both(logarithmic(1e-300, 1e9)) + uniform(-20, 20) + around(3.141592653589793, 0.7853981633974483, 1e22)),
    'Tanh': (m.tanh, both(logarithmic(1e-300, 30)) + uniform(-3, 3) + around(0.625, 0.55, 19.06)),
    'Sigmoid': (sigmoid, both(logarithmic(1e-20, 700)) + uniform(-40, 40)),
    'Erf': (m.erf, both(logarithmic(1e-300, 6)) + uniform(-3, 3) + around(0.84375, 1.25, 2.0, 2.857, 6.0)),
    'Softplus': (lambda x: m.log1p(m.exp(x)), both(logarithmic(1e-20, 700)) + uniform(-40, 40)),
    'Silu': (lambda x: x * sigmoid(x), both(logarithmic(1e-300, 700)) + uniform(-40, 40)),
    'Gelu': (lambda x: x * m.erfc(-x / m.sqrt(2)) / 2, both(logarithmic(1e-300, 14)) + uniform(-12, 12)),
    'GeluTanh': (gelu_tanh, both(logarithmic(1e-300, 9)) + uniform(-8, 8)),
    'Sinh': (m.sinh, both(logarithmic(1e-300, 709)) + uniform(-3, 3) + around(710.4)),
    'Cosh': (m.cosh, both(logarithmic(1e-300, 709)) + uniform(-3, 3) + around(710.4)),
    'Asinh': (m.asinh, both(logarithmic(1e-300, 1.7e308)) + uniform(-3, 3)),
    'Acosh': (m.acosh, logarithmic(1, 1.7e308) + uniform(1, 3) + [1 + 1e-15, 1 + 1e-8, 1 + 1e-4]),
    'Atanh': (m.atanh, both(logarithmic(1e-300, 0.9999999)) + uniform(-1, 1)),
    'Asin': (m.asin, both(logarithmic(1e-300, 1)) + uniform(-1, 1) + around(0.5) + [0.9999999999]),
    'Acos': (m.acos, both(logarithmic(1e-300, 1)) + uniform(-1, 1) + around(0.5) + [0.9999999999]),
    'Atan': (m.atan, both(logarithmic(1e-300, 1e300)) + uniform(-5, 5)),
    'Cbrt': (lambda x: m.cbrt(x) if x >= 0 else -m.cbrt(-x), both(logarithmic(5e-324, 1.7e308))),
    'ReciprocalSqrt': (lambda x: 1 / m.sqrt(x), logarithmic(5e-324, 1.7e308)),
    'Gamma': (m.gamma, logarithmic(1e-300, 171) + uniform(-20, 30)),
    'LogGamma': (log_gamma, logarithmic(1e-300, 1e300) + uniform(0.1, 30)),
    'Digamma': (m.digamma, logarithmic(1e-3, 1e300) + uniform(2, 30)),
    'ErfInv': (m.erfinv, both(logarithmic(1e-300, 0.99999)) + uniform(-1, 1)),
    'Selu': (lambda x: SELU_SCALE * (x if x > 0 else SELU_ALPHA * m.expm1(x)), both(logarithmic(1e-300, 100)) + uniform(-10, 10)),
    'Mish': (lambda x: x * m.tanh(m.log1p(m.exp(x))), both(logarithmic(1e-300, 300)) + uniform(-20, 20)),
    'LogSigmoid': (lambda x: -m.log1p(m.exp(-x)), both(logarithmic(1e-20, 700)) + uniform(-40, 40)),
    'Softsign': (lambda x: x / (1 + abs(x)), both(logarithmic(1e-300, 1e300))),
}

PAIRS = [(random.choice(logarithmic(1e-10, 1e10)), random.uniform(-25, 25)) for _ in range(COUNT)]
BINARY = {
    'Pow': (lambda x, y: x ** y, PAIRS + [(x, y) for x in (0.5, 0.999999, 1.0000001, 2, 10, 1e-300, 1e300) for y in (-3, -1, -0.5, 0.5, 1, 2, 1000.25) if abs(y * m.log(x)) < 700]
            + [(-2.5, 3), (-2.5, 2), (-1e-5, -7)]),
    'Atan2': (m.atan2, [(random.gauss(0, 1), random.gauss(0, 1)) for _ in range(COUNT)]),
    'Hypot': (m.hypot, [(a * random.choice((1, 1e-200, 1e200)), b) for a, b in zip(logarithmic(1e-100, 1e100), logarithmic(1e-100, 1e100))]),
    'LogAddExp': (lambda x, y: m.log(m.exp(x) + m.exp(y)), [(random.uniform(-300, 300), random.uniform(-300, 300)) for _ in range(COUNT)]
                  + [(random.uniform(1, 5), random.uniform(1, 5)) for _ in range(COUNT)]),
}

# After the others, whose points stay what they were.
UNARY['Trigamma'] = (lambda x: m.psi(1, x), logarithmic(1e-150, 1e300) + uniform(0.1, 30) + uniform(-20, 0) + [-x for x in logarithmic(1e-150, 0.5)]
                     + around(9.0, 1.0, -0.5))
UNARY['GeluSlope'] = (lambda x: m.erfc(-x / m.sqrt(2)) / 2 + x * m.npdf(x), both(logarithmic(1e-300, 14)) + uniform(-12, 12)
                      + around(-0.7517915246935645, 1.1932426932522, 1.7677669529663689, -1.7677669529663689))
# Powers next to overflow and underflow, where the logarithm is multiplied by as much as it can be.
FAR_POWERS = []
for base in around(0.7071067811865476, 1.4142135623730951) + uniform(0.5, 2) + logarithmic(1e-300, 1e300):
    for exponent in (709.7, -708.3, 300.0):
        FAR_POWERS.append((base, float(exponent / m.log(base))))

# Reflected arguments, and all for which Stirling's series is used; the first ones are what was worst once.
MORE_GAMMA = [-9.907870620264536, -10.11330005027903, -12.838309524656003, -110.30645680574634, -164.92032169750976, -4.771276833165089, -0.37455460419115916]
for low, high in ((-13, 0), (-170, -13), (8, 171)):
    MORE_GAMMA += uniform(low, high) + uniform(low, high) + uniform(low, high)

# Left of 0, and next to the pole there.
UNARY['LogGamma'][1].extend(uniform(-40, 0))
UNARY['Digamma'][1].extend(uniform(-40, 0) + both(logarithmic(1e-300, 1e-3)))
MORE_GAMMA += [87.43496087409432, -58.927218913164666, -97.22001836647665, -141.28792076523519]


def main():
    lines = []
    for name, (f, points) in UNARY.items():
        for x in sorted(set(points)):
            try:
                y = f(mpf(x))
            except (ValueError, ZeroDivisionError):
                continue
            if not isinstance(y, mpf):
                continue
            lines.append(f'{name};{bits(x)};{bits(y)}')
    for name, (f, points) in BINARY.items():
        for x, y in sorted(set(points)):
            lines.append(f'{name};{bits(x)};{bits(y)};{bits(f(mpf(x), mpf(y)))}')
    for x, y in sorted(set(FAR_POWERS)):
        lines.append(f'Pow;{bits(x)};{bits(y)};{bits(mpf(x) ** mpf(y))}')
    for x in sorted(set(MORE_GAMMA)):
        lines.append(f'Gamma;{bits(x)};{bits(m.gamma(mpf(x)))}')
    with gzip.GzipFile('tests/Kernels.Tests/Scalars/Golden/functions.csv.gz', 'wb', mtime=0) as out:
        out.write(('\n'.join(lines) + '\n').encode())
    print(len(lines), 'values')


main()
