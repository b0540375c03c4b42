using System.Numerics;
using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

/// <summary>What a row's sum adds up: a function of the elements of one or two rows and a value per row.</summary>
internal interface IRowTerm
{
    static abstract L Term<L>(L a, L b, L shift) where L : struct, ILane<L>;
}

/// <summary>exp(a − shift).</summary>
internal readonly struct ShiftedExp : IRowTerm
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Term<L>(L a, L b, L shift) where L : struct, ILane<L> => Formulas.Exp(a - shift);
}

/// <summary>a·b, rounded.</summary>
internal readonly struct Product : IRowTerm
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Term<L>(L a, L b, L shift) where L : struct, ILane<L> => a * b;
}

/// <summary>(a − shift)².</summary>
internal readonly struct SquaredDifference : IRowTerm
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Term<L>(L a, L b, L shift) where L : struct, ILane<L> => (a - shift) * (a - shift);
}

/// <summary>(a − shift)·b.</summary>
internal readonly struct ShiftedProduct : IRowTerm
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Term<L>(L a, L b, L shift) where L : struct, ILane<L> => (a - shift) * b;
}

/// <summary>
/// The sum of terms that are computed on the way: bit for bit the sum, by <see cref="ReduceTree"/>, of a row of these terms. They pass through a piece of
/// stack in L1, which keeps the register pressure of long formulas away from the accumulators.
/// </summary>
internal static unsafe class RowSum<TTerm, L, T>
    where TTerm : IRowTerm
    where L : struct, IVectorLane<L, T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private const int Piece = 512;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static T Sum(T* a, T* b, L shift, long n)
    {
        if (n <= ReduceTree.Block) return BlockSum(a, b, shift, n);
        var blocks = ReduceTree.BlockCount(n);
        using var scratch = new NativeScratch(blocks * sizeof(T));
        var partials = (T*)scratch.Pointer;
        for (long i = 0; i < blocks; i++)
        {
            var from = i * ReduceTree.Block;
            partials[i] = BlockSum(a + from, b + from, shift, Math.Min(ReduceTree.Block, n - from));
        }

        return ReduceTree.ReduceRow<SumReduction, L, T>(partials, blocks);
    }

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static T BlockSum(T* a, T* b, L shift, long n)
    {
        T* lanes = stackalloc T[ReduceTree.Lanes];
        T* terms = stackalloc T[Piece];
        ReduceTree.Start<SumReduction, L, T>(lanes);
        for (long from = 0; from < n; from += Piece)
        {
            var count = Math.Min(Piece, n - from);
            for (long i = 0; i < count; i += L.Count) L.Store(TTerm.Term(L.Load(a + from + i), L.Load(b + from + i), shift), terms + i);
            ReduceTree.Accumulate<SumReduction, L, T>(lanes, terms, count);
        }

        return ReduceTree.Fold<SumReduction, L, T>(lanes);
    }
}
