using System.Numerics;

namespace Fusion.Kernels;

/// <summary>Positions of maxima and minima: (outer, reduced, inner) → Int64 (outer, inner). The first occurrence wins, and the first NaN over everything (NumPy).</summary>
internal static unsafe class ArgReduce
{
    /// <param name="max">Maximum or minimum.</param>
    /// <param name="dtype">The input's element type.</param>
    /// <param name="input">A contiguous array.</param>
    /// <param name="output">One index along the reduced axis (which is not empty) per line.</param>
    /// <param name="outer">The product of the axes before the reduced one.</param>
    /// <param name="reduced">The length of the reduced axis.</param>
    /// <param name="inner">The product of the axes after it.</param>
    public static void Run(bool max, DType dtype, nint input, long* output, long outer, long reduced, long inner)
    {
        var job = new ArgReduceJob { Input = input, Output = output, Outer = outer, Reduced = reduced, Inner = inner };
        if (outer == 0 || inner == 0) return;
        switch (dtype)
        {
            case DType.Float32:
                ByWidth<float>(max, job);
                break;
            case DType.Float64:
                ByWidth<double>(max, job);
                break;
            case DType.Int32:
                ByWidth<int>(max, job);
                break;
            case DType.Int64:
                ByWidth<long>(max, job);
                break;
            default:
                if (max) ArgReduceBytes.Run<GreaterOrder>(job);
                else ArgReduceBytes.Run<LessOrder>(job);
                break;
        }
    }

    private static void ByWidth<T>(bool max, in ArgReduceJob job)
        where T : unmanaged, INumber<T>
    {
        switch (SimdWidth.Current)
        {
            case 512:
                ByOrder<Lane512<T>, T>(max, job);
                break;
            case 256:
                ByOrder<Lane256<T>, T>(max, job);
                break;
            default:
                ByOrder<Lane128<T>, T>(max, job);
                break;
        }
    }

    private static void ByOrder<L, T>(bool max, in ArgReduceJob job)
        where L : struct, IVectorLane<L, T>
        where T : unmanaged, INumber<T>
    {
        if (max) ArgReduceLoops<GreaterOrder, L, T>.Run(job);
        else ArgReduceLoops<LessOrder, L, T>.Run(job);
    }
}

/// <summary>The operands of an arg-reduction.</summary>
internal unsafe struct ArgReduceJob
{
    public nint Input;
    public long* Output;
    public long Outer;
    public long Reduced;
    public long Inner;
    public long RowsPerChunk;
}

/// <summary>Which of two numbers is taken.</summary>
internal interface IOrder
{
    /// <summary>A mask: a comes before b. NaN does not.</summary>
    static abstract L Before<L>(L a, L b) where L : struct, ILane<L>;

    static abstract bool IsBefore<T>(T a, T b) where T : INumber<T>;
}

internal readonly struct GreaterOrder : IOrder
{
    public static L Before<L>(L a, L b) where L : struct, ILane<L> => L.Greater(a, b);

    public static bool IsBefore<T>(T a, T b) where T : INumber<T> => a > b;
}

internal readonly struct LessOrder : IOrder
{
    public static L Before<L>(L a, L b) where L : struct, ILane<L> => L.Less(a, b);

    public static bool IsBefore<T>(T a, T b) where T : INumber<T> => a < b;
}
