using TorchSharp;
using static TorchSharp.torch;

namespace Fusion.Oracle.Programs;

// Element by element: operands that broadcast, and numbers of C#.
internal static partial class Rules
{
    private static readonly Rule[] Arithmetic =
    [
        Pairwise("Add", static () => Step.Of(x => x[0] + x[1], x => x[0] + x[1]), 24),
        Pairwise("Subtract", static () => Step.Of(x => x[0] - x[1], x => x[0] - x[1]), 16),
        Pairwise("Multiply", static () => Step.Of(x => x[0] * x[1], x => x[0] * x[1]), 24),
        Pairwise("Divide", static () => Step.Of(x => x[0] / (x[1].Square() + 1), x => x[0] / (x[1].square() + 1))),
        // Of equal numbers the first has the gradient; in LibTorch each has a half.
        Pairwise("Maximum", static () => Step.Of(x => x[0].Maximum(x[1]), x => where(x[0].ge(x[1]), x[0], x[1]))),
        Pairwise("Minimum", static () => Step.Of(x => x[0].Minimum(x[1]), x => where(x[0].le(x[1]), x[0], x[1]))),
        new("Pow", 2, static (_, a) => !Fits.Broadcast(a) || !IsFloat(a) ? null : Step.Of(x => (x[0].Abs() + 0.5).Pow(x[1].Tanh()), x => (x[0].abs() + 0.5).pow(Their.Tanh(x[1])))),
        Pairwise("Atan2", static () => Step.Of(x => x[0].Atan2(x[1].Square() + 0.5), x => x[0].atan2(x[1].square() + 0.5))),
        Pairwise("Hypot", static () => Step.Of(x => x[0].Hypot(x[1].Square() + 0.5), x => x[0].hypot(x[1].square() + 0.5))),
        new("LogAddExp", 2, static (_, a) => Fits.Broadcast(a) && IsFloat(a) ? Step.Of(x => x[0].LogAddExp(x[1]), x => x[0].logaddexp(x[1])) with { IsOnce = true } : null),
        new("Lerp", 3, static (_, a) => !Fits.Broadcast(a) || !IsFloat(a) || a.Any(x => x.DType != a[0].DType) ? null
            : Step.Of(x => x[0].Lerp(x[1], x[2]), x => lerp(x[0], x[1], x[2]))),
        new("Square of itself", 1, static (_, a) => IsBool(a[0]) ? null : Step.Of(x => x[0] * x[0] + x[0], x => x[0] * x[0] + x[0])),
        new("Add: number", 1, static (c, a) =>
        {
            if (IsBool(a[0])) return null;
            double n = c.Number();
            return c.Int(3) switch
            {
                0 => Step.Of(x => x[0] + n, x => x[0] + Number(x[0], n), new { n }),
                1 => Step.Of(x => x[0] - n, x => x[0] - Number(x[0], n), new { n }),
                _ => Step.Of(x => n - x[0], x => Number(x[0], n) - x[0], new { n }),
            };
        }) { Weight = 16 },
        new("Multiply: number", 1, static (c, a) =>
        {
            double n = c.Number();
            return IsBool(a[0]) ? null : c.Flag() ? Step.Of(x => x[0] * n, x => x[0] * Number(x[0], n), new { n })
                : Step.Of(x => n * x[0], x => Number(x[0], n) * x[0], new { n });
        }) { Weight = 16 },
        new("Divide: number", 1, static (c, a) =>
        {
            double n = c.Number();
            return IsBool(a[0]) ? null : c.Flag() ? Step.Of(x => x[0] / n, x => x[0] / n, new { n })
                : Step.Of(x => n / (x[0].Square() + 1), x => n / (x[0].square() + 1), new { n });
        }),
        new("Pow: number", 1, static (c, a) =>
        {
            if (!IsFloat(a[0])) return null;
            double n = c.Of<double>(2, 3, 0, 1, 4);
            return Step.Of(x => x[0].Pow(n), x => x[0].pow(n), new { n });
        }),
        new("Mod: integers", 1, static (c, a) =>
        {
            if (IsFloat(a[0]) || IsBool(a[0])) return null;
            int n = 2 + c.Int(5);
            return c.Flag() ? Step.Of(x => x[0] % n, x => x[0].remainder(n), new { n })
                : Step.Of(x => x[0].FloorDivide(n), x => x[0].div(n, RoundingMode.floor), new { n });
        }) { Weight = 16 },
        new("Functions of integers", 1, static (c, a) => IsFloat(a[0]) || IsBool(a[0]) ? null : c.Int(7) switch
        {
            0 => Step.Of(x => x[0].Abs(), x => x[0].abs()),
            1 => Step.Of(x => x[0].Sign(), x => x[0].sign()),
            2 => Step.Of(x => -x[0], x => -x[0]),
            3 => Step.Of(x => x[0].Sin(), x => x[0].sin()),
            4 => Step.Of(x => x[0].Abs().Sqrt(), x => x[0].abs().sqrt()),
            5 => Step.Of(x => x[0].Clip(-2, 3), x => x[0].clamp(-2, 3)),
            _ => Step.Of(x => x[0].Sigmoid(), x => x[0].sigmoid()),
        }) { Weight = 16 },
        new("Clip", 1, static (c, a) =>
        {
            if (!IsFloat(a[0])) return null;
            double low = -c.Int(3), high = 0.5 + c.Int(3);
            return Step.Of(x => x[0].Clip(low, high), x => x[0].clamp(low, high), new { low, high });
        }),
        new("Tanh", 1, static (_, a) => IsFloat(a[0]) ? Step.Of(x => x[0].Tanh(), x => Their.Tanh(x[0])) : null),
        new("Reduced", 1, static (_, a) => IsFloat(a[0]) ? Step.Of(x => x[0] * 0.03125, x => x[0] * 0.03125) : null) { Weight = 1 },
        new("StopGradient", 1, static (c, a) => !IsFloat(a[0]) ? null : c.Flag() ? Step.Of(x => x[0].StopGradient(), x => x[0].detach())
            : Step.Of(x => x[0] * x[0].Detach(), x => x[0] * x[0].detach())),
    ];

    // The difference of two masks is none in LibTorch, their sum a mask.
    private static Rule Pairwise(string name, Func<Step> step, int weight = 8) =>
        new(name, 2, (_, a) => Fits.Broadcast(a) && !a.Any(IsBool) || (Fits.Broadcast(a) && name == "Multiply" && IsFloat(a[1])) ? step() : null) { Weight = weight };

    // A whole number leaves integers integers.
    private static Scalar Number(Tensor x, double n) => n == Math.Floor(n) && !x.is_floating_point() ? (Scalar)(long)n : n;
}
