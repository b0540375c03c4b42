using static TorchSharp.torch;

namespace Fusion.Oracle.Programs;

// Comparisons, masks, choices, and conversions between types.
internal static partial class Rules
{
    private static readonly Rule[] Masks =
    [
        new("Compare", 2, static (c, a) => !Fits.Broadcast(a) || a.Any(IsBool) ? null : c.Int(4) switch
        {
            0 => Step.Of(x => x[0] < x[1], x => x[0].lt(x[1])),
            1 => Step.Of(x => x[0] <= x[1], x => x[0].le(x[1])),
            2 => Step.Of(x => x[0] > x[1], x => x[0].gt(x[1])),
            _ => Step.Of(x => x[0] >= x[1], x => x[0].ge(x[1])),
        }),
        new("Compare: number", 1, static (c, a) =>
        {
            if (IsBool(a[0])) return null;
            double n = c.Number();
            return c.Flag() ? Step.Of(x => x[0] > n, x => x[0].gt(n), new { n }) : Step.Of(x => n > x[0], x => x[0].lt(n), new { n });
        }),
        new("Equal: integers", 2, static (c, a) => !Fits.Broadcast(a) || a.Any(static x => x.DType.IsFloat) ? null
            : c.Flag() ? Step.Of(x => x[0].Equal(x[1]), x => x[0].eq(x[1])) : Step.Of(x => x[0].NotEqual(x[1]), x => x[0].ne(x[1]))),
        new("Logical", 2, static (c, a) => !Fits.Broadcast(a) || !a.All(IsBool) ? null : c.Int(3) switch
        {
            0 => Step.Of(x => x[0].LogicalAnd(x[1]), x => x[0].logical_and(x[1])),
            1 => Step.Of(x => x[0].LogicalOr(x[1]), x => x[0].logical_or(x[1])),
            _ => Step.Of(x => x[0].LogicalXor(x[1]), x => x[0].logical_xor(x[1])),
        }),
        new("LogicalNot", 1, static (_, a) => IsBool(a[0]) ? Step.Of(x => x[0].LogicalNot(), x => x[0].logical_not()) : null),
        new("Any", 1, static (c, a) =>
        {
            if (!IsBool(a[0]) || a[0].Rank == 0) return null;
            int axis = c.Axis(a[0]);
            bool keep = c.Flag();
            return c.Flag() ? Step.Of(x => x[0].Any(axis, keep), x => x[0].any(axis, keep), new { axis, keep })
                : Step.Of(x => x[0].All(axis, keep), x => x[0].all(axis, keep), new { axis, keep });
        }),
        new("Where", 3, static (_, a) => !Fits.Broadcast(a) || !IsBool(a[0]) || IsBool(a[1]) || IsBool(a[2]) ? null
            : Step.Of(x => Nd.Where(x[0], x[1], x[2]), x => where(x[0], x[1], x[2]))) { Weight = 24 },
        new("Where: compared", 3, static (_, a) => !Fits.Broadcast(a) || !IsFloat(a) ? null
            : Step.Of(x => Nd.Where(x[0] > x[1], x[1], x[2]), x => where(x[0].gt(x[1]), x[1], x[2]))) { Weight = 16 },
        new("MaskedFill", 2, static (c, a) =>
        {
            if (!IsFloat(a[0]) || !IsBool(a[1]) || a[0].Shape != a[1].Shape) return null;
            double n = c.Number();
            return Step.Of(x => x[0].MaskedFill(x[1], n), x => x[0].masked_fill(x[1], n), new { n });
        }) { Weight = 16 },
        new("Mask times", 2, static (_, a) => !Fits.Broadcast(a) || !IsBool(a[1]) || IsBool(a[0]) ? null : Step.Of(x => x[0] * x[1], x => x[0] * x[1])),
        new("Safe quotient", 1, static (_, a) => !IsFloat(a[0]) ? null
            : Step.Of(x => Nd.Where(x[0] > 0.25, 1 / Nd.Where(x[0] > 0.25, x[0], 1.0), x[0]), x => where(x[0].gt(0.25), 1 / where(x[0].gt(0.25), x[0], ones_like(x[0])), x[0]))),
    ];

    private static readonly Rule[] Casts =
    [
        new("AsType", 1, static (c, a) =>
        {
            DType to = c.Of(DType.Float32, DType.Float64, a[0].DType.IsFloat ? a[0].DType : DType.Float64);
            return Step.Of(x => x[0].AsType(to), x => x[0].to_type(Their.Type(to)), new { to });
        }) { Weight = 12 },
        new("AsType: integers", 1, static (c, a) =>
        {
            if (IsBool(a[0])) return null;
            DType to = c.Of(DType.Int32, DType.Int64);
            return Step.Of(x => x[0].Clip(-8, 8).AsType(to), x => x[0].clamp(-8, 8).to_type(Their.Type(to)), new { to });
        }) { Weight = 4 },
    ];
}
