using System.Numerics;
using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

/// <summary>
/// The first few indices of a line's order, in one pass: what can no longer be among them is passed over a register at a time, the others are inserted
/// into a short sorted list. Of n elements in random order k·ln(n/k) are inserted.
/// </summary>
internal static unsafe class TopSelect
{
    /// <summary>The longest list: insertion moves its elements one by one.</summary>
    public const int MaxCount = 32;

    /// <summary>Writes the indices of the <paramref name="k"/> least keys in ascending order, of equal ones those that come first.</summary>
    /// <param name="x">The line.</param>
    /// <param name="n">Its length.</param>
    /// <param name="order">The result.</param>
    /// <param name="k">How many, 1 to <see cref="MaxCount"/> and at most n.</param>
    /// <param name="flip">All bits for the reverse order, or none.</param>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run<T, TKeys>(T* x, int n, long* order, int k, T flip)
        where T : unmanaged, IBinaryInteger<T>
        where TKeys : struct, ISortKeys<T>
    {
        T* best = stackalloc T[MaxCount];
        int i = 0;
        for (; i < k; i++) Insert(best, order, i, TKeys.Key(x[i]) ^ flip, i);
        T worst = best[k - 1];
        Vector<T> flips = new(flip);
        for (; i + Vector<T>.Count <= n; i += Vector<T>.Count)
        {
            if (!Vector.LessThanAny(TKeys.Keys(Vector.Load(x + i)) ^ flips, new Vector<T>(worst))) continue;
            for (int j = i; j < i + Vector<T>.Count; j++)
            {
                T key = TKeys.Key(x[j]) ^ flip;
                if (key >= worst) continue;
                Insert(best, order, k - 1, key, j);
                worst = best[k - 1];
            }
        }

        for (; i < n; i++)
        {
            T key = TKeys.Key(x[i]) ^ flip;
            if (key >= worst) continue;
            Insert(best, order, k - 1, key, i);
            worst = best[k - 1];
        }
    }

    /// <summary>Inserts behind smaller and equal keys into a list of <paramref name="count"/>, whose next element is overwritten.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Insert<T>(T* best, long* order, int count, T key, int index)
        where T : unmanaged, IBinaryInteger<T>
    {
        int at = count;
        for (; at > 0 && best[at - 1] > key; at--) (best[at], order[at]) = (best[at - 1], order[at - 1]);
        (best[at], order[at]) = (key, index);
    }
}
