using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Fusion.Peers.Table;

// Element by element.
internal static partial class OperatorTable
{
    private static readonly OperatorRow[] UnaryRows =
    [
        Unary("Abs", Nd.Abs, abs), Unary("Sign", Nd.Sign, sign), Unary("Negate", Nd.Negate, neg), Unary("Floor", Nd.Floor, floor, -9, 9),
        Unary("Ceiling", Nd.Ceiling, ceil, -9, 9), Unary("Round", Nd.Round, static x => round(x), -9, 9), Unary("Truncate", Nd.Truncate, trunc, -9, 9),
        Unary("Square", Nd.Square, square), Unary("Sqrt", Nd.Sqrt, sqrt, 0.1, 9), Unary("ReciprocalSqrt", Nd.ReciprocalSqrt, rsqrt, 0.1, 9),
        Unary("Cbrt", Nd.Cbrt, static x => x.pow(1.0 / 3), 0.1, 9), Unary("Reciprocal", Nd.Reciprocal, reciprocal, 0.2, 9),
        Unary("Exp", Nd.Exp, exp, -9, 9), Unary("Exp2", Nd.Exp2, exp2, -9, 9), Unary("ExpM1", Nd.ExpM1, expm1, -3, 3),
        Unary("Log", Nd.Log, log, 0.1, 9), Unary("Log2", Nd.Log2, log2, 0.1, 9), Unary("Log10", Nd.Log10, log10, 0.1, 9),
        Unary("LogP1", Nd.LogP1, log1p, -0.8, 9),
        Unary("Sin", Nd.Sin, sin, -9, 9), Unary("Cos", Nd.Cos, cos, -9, 9), Unary("Tan", Nd.Tan, tan, -1.3, 1.3),
        Unary("Asin", Nd.Asin, asin, -0.9, 0.9), Unary("Acos", Nd.Acos, acos, -0.9, 0.9), Unary("Atan", Nd.Atan, atan, -9, 9),
        Unary("Sinh", Nd.Sinh, sinh, -5, 5), Unary("Cosh", Nd.Cosh, cosh, -5, 5), Unary("Tanh", Nd.Tanh, tanh, -5, 5),
        Unary("Asinh", Nd.Asinh, asinh, -9, 9), Unary("Acosh", Nd.Acosh, acosh, 1.1, 9), Unary("Atanh", Nd.Atanh, atanh, -0.9, 0.9),
        Unary("DegreesToRadians", Nd.DegreesToRadians, deg2rad, -180, 180), Unary("RadiansToDegrees", Nd.RadiansToDegrees, rad2deg, -4, 4),
        Unary("Erf", Nd.Erf, special.erf, -3, 3), Unary("ErfInv", Nd.ErfInv, special.erfinv, -0.95, 0.95),
        Unary("Gamma", Nd.Gamma, static x => lgamma(x).exp(), 0.2, 8) with { Slack = 10 }, Unary("LogGamma", Nd.LogGamma, lgamma, 0.1, 20) with { Slack = 4 },
        
        // LibTorch's trigamma, the gradient, ends its asymptotic series after three terms.
        Unary("Digamma", Nd.Digamma, digamma, 0.1, 20) with { Slack = 4, Slack64 = 1e6 },
        Unary("Polygamma", static x => Nd.Polygamma(2, x), static x => polygamma(x, 2), 0.5, 9) with { Slack = 4 },
        Unary("IsNaN", static x => Nd.IsNaN(Nd.Sqrt(x)), static x => sqrt(x).isnan()).Plain(),
        Unary("IsFinite", static x => Nd.IsFinite(1 / Nd.Relu(x)), static x => (1 / F.relu(x)).isfinite()).Plain(),
        Unary("IsInfinity", static x => Nd.IsInfinity(1 / Nd.Relu(x)), static x => (1 / F.relu(x)).isinf()).Plain(),
        Unary("LogicalNot", static x => Nd.LogicalNot(Nd.Relu(x)), static x => logical_not(F.relu(x))).Plain(),
        Unary("Clip", static x => Nd.Clip(x, -1, 0.5), static x => clamp(x, -1, 0.5)),
        Unary("NanToNum", static x => Nd.NanToNum(Nd.Log(x), 3), static x => nan_to_num(log(x), 3), -1, 4).Plain(),
    ];

    private static readonly OperatorRow[] Activations =
    [
        Unary("Relu", Nd.Relu, static x => F.relu(x)), Unary("LeakyRelu", static x => Nd.LeakyRelu(x, 0.1), static x => F.leaky_relu(x, 0.1)),
        Unary("Elu", static x => Nd.Elu(x, 1.5), static x => F.elu(x, 1.5), -5, 5), Unary("Selu", Nd.Selu, static x => F.selu(x), -5, 5),
        Unary("Gelu", static x => Nd.Gelu(x), static x => F.gelu(x), -5, 5), Unary("Silu", Nd.Silu, static x => F.silu(x), -9, 9),
        Unary("Gelu: approximate", static x => Nd.Gelu(x, true), static x => F.gelu(x, TorchSharp.Modules.GELU.Approximate.tanh), -5, 5),
        Unary("Mish", Nd.Mish, static x => F.mish(x), -5, 5), Unary("Sigmoid", Nd.Sigmoid, sigmoid, -9, 9),
        Unary("HardSigmoid", static x => Nd.HardSigmoid(x, 1.0 / 6), static x => F.relu6(x + 3) / 6, -5, 5),
        Unary("LogSigmoid", Nd.LogSigmoid, F.logsigmoid, -9, 9),
        Unary("Softplus", Nd.Softplus, static x => F.softplus(x), -9, 9), Unary("Softsign", Nd.Softsign, static x => F.softsign(x), -9, 9),
        // MXNet's scalar s is the square root of 1 / beta.
        Unary("SmoothL1", static x => Nd.SmoothL1(x, 2), static x => F.smooth_l1_loss(x, zeros_like(x), nn.Reduction.None, 0.25)),
    ];

    private static readonly OperatorRow[] BinaryRows =
    [
        Binary("Add", Nd.Add, add), Binary("Subtract", Nd.Subtract, sub), Binary("Multiply", Nd.Multiply, mul),
        Binary("Divide", Nd.Divide, static (x, y) => div(x, y), 0.3, 4),
        new("Add: broadcast", static x => x[0] + x[1], static x => x[0] + x[1], Operand.Real((7, 33), LargeMatrix), Operand.Real(33, 1000)),
        new("Multiply: broadcast", static x => x[0] * x[1], static x => x[0] * x[1], Operand.Real((7, 1), (1000, 1)), Operand.Real((1, 33), (1, 1000))),
        Quotient("Mod", Nd.Mod, remainder), Quotient("FloorDivide", Nd.FloorDivide, static (x, y) => floor_divide(x, y)).Plain(),
        Binary("Pow", Nd.Pow, pow, 0.3, 4), Unary("Pow: number", static x => Nd.Pow(x, 2.5), static x => x.pow(2.5), 0.1, 4),
        Unary("Pow: whole number", static x => Nd.Pow(x, 3), static x => x.pow(3)),
        Binary("Maximum", Nd.Maximum, maximum), Binary("Minimum", Nd.Minimum, minimum), Binary("Hypot", Nd.Hypot, hypot), Binary("Atan2", Nd.Atan2, atan2),
        Binary("CopySign", Nd.CopySign, static (x, y) => copysign(x, y)), Binary("LogAddExp", Nd.LogAddExp, logaddexp, -9, 9),
        Binary("Equal", static (x, y) => Nd.Equal(Nd.Round(x), Nd.Round(y)), static (x, y) => round(x).eq(round(y))).Plain(),
        Binary("NotEqual", static (x, y) => Nd.NotEqual(Nd.Round(x), Nd.Round(y)), static (x, y) => round(x).ne(round(y))).Plain(),
        Binary("Greater", Nd.Greater, static (x, y) => x.gt(y)).Plain(), Binary("GreaterOrEqual", Nd.GreaterOrEqual, static (x, y) => x.ge(y)).Plain(),
        Binary("Less", Nd.Less, static (x, y) => x.lt(y)).Plain(), Binary("LessOrEqual", Nd.LessOrEqual, static (x, y) => x.le(y)).Plain(),
        Mask("LogicalAnd", Nd.LogicalAnd, logical_and), Mask("LogicalOr", Nd.LogicalOr, logical_or), Mask("LogicalXor", Nd.LogicalXor, logical_xor),
        Binary("IsClose", static (x, y) => Nd.IsClose(x, y, 0.1, 0.1), static (x, y) => isclose(x, y, 0.1, 0.1)).Plain(),
        Bits("BitwiseAnd", Nd.BitwiseAnd, static (x, y) => x.bitwise_and(y)), Bits("BitwiseOr", Nd.BitwiseOr, static (x, y) => x.bitwise_or(y)),
        Bits("BitwiseXor", Nd.BitwiseXor, static (x, y) => x.bitwise_xor(y)),
        Bits("BitwiseNot", static (x, _) => Nd.BitwiseNot(x), static (x, _) => x.bitwise_not()),
        Bits("ShiftLeft", Nd.ShiftLeft, static (x, y) => x.bitwise_left_shift(y)), Bits("ShiftRight", Nd.ShiftRight, static (x, y) => x.bitwise_right_shift(y)),
        new("Where", static x => Nd.Where(x[0], x[1], x[2]), static x => where(x[0], x[1], x[2]),
            Operand.Truth(Small, Large), Operand.Real(Small, Large), Operand.Real(Small, Large)),
        new("Lerp", static x => Nd.Lerp(x[0], x[1], x[2]), static x => lerp(x[0], x[1], x[2]),
            Operand.Real(Small, Large), Operand.Real(Small, Large), Operand.Real(Small, Large, 0, 1)),
        new("MaskedFill", static x => Nd.MaskedFill(x[0], x[1], 7), static x => x[0].masked_fill(x[1], 7), Operand.Real(Small, Large),
            Operand.Truth(Small, Large)),
    ];

    // Away from multiples of the divisor, where the quotient jumps.
    private static OperatorRow Quotient(string name, Func<NDArray, NDArray, NDArray> ours, Func<Tensor, Tensor, Tensor> theirs) =>
        new(name, x => ours(Nd.Floor(x[0]) + 0.5, x[1]), x => theirs(floor(x[0]) + 0.5, x[1]), Operand.Real(Small, Large, -9, 9),
            Operand.NonZero(Small, Large, 0.6, 0.9));

    private static OperatorRow Mask(string name, Func<NDArray, NDArray, NDArray> ours, Func<Tensor, Tensor, Tensor> theirs) =>
        new(name, x => ours(x[0], x[1]), x => theirs(x[0], x[1]), Operand.Truth(Small, Large), Operand.Truth(Small, Large));

    private static OperatorRow Bits(string name, Func<NDArray, NDArray, NDArray> ours, Func<Tensor, Tensor, Tensor> theirs) =>
        new(name, x => ours(x[0], x[1]), x => theirs(x[0], x[1]), Operand.Index(Small, Large, 1000), Operand.Index(Small, Large, 12));
}
