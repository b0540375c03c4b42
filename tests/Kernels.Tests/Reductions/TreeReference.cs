using System.Numerics;

namespace Fusion.Tests;

/// <summary>The order of floating-point reductions, spelled out element by element.</summary>
internal static class TreeReference
{
    private const int Lanes = 64;
    private const int Block = 16384;
    private const int RowChunk = 256;

    /// <summary>Along the last axis: 64 lanes, folded by halves; long rows in blocks whose results form a row again.</summary>
    public static T Row<T>(ReadOnlySpan<T> x, T identity, Func<T, T, T> combine, Func<T, T>? map = null)
    {
        if (x.Length > Block)
        {
            var partials = new T[(x.Length + Block - 1) / Block];
            for (var b = 0; b < partials.Length; b++) partials[b] = Row(x[(b * Block)..Math.Min(x.Length, (b + 1) * Block)], identity, combine, map);
            return Row(partials, identity, combine);
        }

        var lanes = Enumerable.Repeat(identity, Lanes).ToArray();
        for (var i = 0; i < x.Length; i++) lanes[i % Lanes] = combine(lanes[i % Lanes], map is null ? x[i] : map(x[i]));
        for (var half = Lanes / 2; half > 0; half /= 2)
        {
            for (var i = 0; i < half; i++) lanes[i] = combine(lanes[i], lanes[i + half]);
        }

        return lanes[0];
    }

    /// <summary>Along an inner axis: in order within chunks of 256, the chunks in order.</summary>
    public static T Column<T>(ReadOnlySpan<T> x, T identity, Func<T, T, T> combine, Func<T, T>? map = null)
    {
        T? total = default;
        for (var start = 0; start < x.Length; start += RowChunk)
        {
            var part = identity;
            for (var i = start; i < Math.Min(x.Length, start + RowChunk); i++) part = combine(part, map is null ? x[i] : map(x[i]));
            total = start == 0 ? part : combine(total!, part);
        }

        return total!;
    }

    public static T Sum<T>(ReadOnlySpan<T> x) where T : INumberBase<T> => Row(x, T.Zero, (a, b) => a + b);
}
