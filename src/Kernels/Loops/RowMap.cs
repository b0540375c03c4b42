using System.Numerics;
using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

/// <summary>Operands of a pass over rows.</summary>
[Flags]
internal enum RowParts
{
    None = 0,
    First = 1,
    Second = 2,
    Third = 4,
    Result = 8,
}

/// <summary>What the last pass over a row writes: a function of the elements of up to three rows and of four values of the row.</summary>
internal interface IRowMap
{
    /// <summary>The operands that it reads.</summary>
    static abstract RowParts Reads { get; }

    /// <summary>The operands whose next row it asks for: see <see cref="RowAhead"/>.</summary>
    static abstract RowParts Fetches { get; }

    static abstract L Map<L>(L a, L b, L c, L s, L t, L u, L v) where L : struct, ILane<L>;
}

/// <summary>The last pass over a row: a method of its own, so that all its pointers and values stay in registers.</summary>
internal static unsafe class RowMap<TMap, L, T>
    where TMap : IRowMap
    where L : struct, IVectorLane<L, T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <summary>y = the map of a, b, c, n each, and of s, t, u, v; y may be an operand.</summary>
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    public static void Run(T* a, T* b, T* c, T* y, long n, long ahead, T s, T t = default, T u = default, T v = default)
    {
        L ls = L.Broadcast(s), lt = L.Broadcast(t), lu = L.Broadcast(u), lv = L.Broadcast(v);
        long i = 0;
        for (; i + L.Count <= n; i += L.Count)
        {
            L.Store(Map(a + i, b + i, c + i, ls, lt, lu, lv), y + i);
            if ((TMap.Fetches & RowParts.First) != 0) RowAhead.Fetch(a + i + ahead);
            if ((TMap.Fetches & RowParts.Second) != 0) RowAhead.Fetch(b + i + ahead);
            if ((TMap.Fetches & RowParts.Result) != 0) RowAhead.Fetch(y + i + ahead);
        }

        if (i < n) LaneTail.Store<L, T>(Map(a + i, b + i, c + i, ls, lt, lu, lv), y + i, n - i);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static L Map(T* a, T* b, T* c, L s, L t, L u, L v)
    {
        L y = (TMap.Reads & RowParts.Second) != 0 ? L.Load(b) : s, z = (TMap.Reads & RowParts.Third) != 0 ? L.Load(c) : s;
        return TMap.Map((TMap.Reads & RowParts.First) != 0 ? L.Load(a) : s, y, z, s, t, u, v);
    }
}
