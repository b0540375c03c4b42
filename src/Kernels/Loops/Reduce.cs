using System.Numerics;

namespace Fusion.Kernels;

/// <summary>
/// Reductions of a contiguous array seen as (outer, reduced, inner) to (outer, inner). The bits depend on the shape alone, never on threads or the vector
/// width: see <see cref="ReduceTree"/> (inner = 1) and <see cref="ReduceColumns{TOp, L, T}"/>.
/// </summary>
internal static unsafe class Reduce
{
    /// <summary>
    /// Floating-point input: the output has its type. Int32, Int64, UInt8 and Bool input: Sum, Prod and SumOfSquares accumulate in Int64 and write Int64 or Int32,
    /// Max and Min write the input's type. Any and All take every type and write Bool. With nothing to reduce Sum gives 0, Prod 1, Any 0, All 1;
    /// Max and Min give the least and greatest value, which callers refuse beforehand.
    /// </summary>
    public static void Run(ReduceKind kind, DType inputType, DType outputType, nint input, nint output, long outer, long reduced, long inner)
    {
        if (outer == 0 || inner == 0) return;
        switch (inputType)
        {
            case DType.Float32 when kind < ReduceKind.Any:
                Float<float>(kind, (float*)input, (float*)output, outer, reduced, inner);
                break;
            case DType.Float64 when kind < ReduceKind.Any:
                Float<double>(kind, (double*)input, (double*)output, outer, reduced, inner);
                break;
            case DType.Float32:
                Logical<float>(kind, input, output, outer, reduced, inner);
                break;
            case DType.Float64:
                Logical<double>(kind, input, output, outer, reduced, inner);
                break;
            case DType.Int32:
                Integer<int>(kind, outputType, input, output, outer, reduced, inner);
                break;
            case DType.Int64:
                Integer<long>(kind, outputType, input, output, outer, reduced, inner);
                break;
            default:
                Integer<byte>(kind, outputType, input, output, outer, reduced, inner);
                break;
        }
    }

    private static void Float<T>(ReduceKind kind, T* input, T* output, long outer, long reduced, long inner)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        switch (SimdWidth.Current)
        {
            case 512:
                Float<Lane512<T>, T>(kind, input, output, outer, reduced, inner);
                break;
            case 256:
                Float<Lane256<T>, T>(kind, input, output, outer, reduced, inner);
                break;
            default:
                Float<Lane128<T>, T>(kind, input, output, outer, reduced, inner);
                break;
        }
    }

    private static void Float<L, T>(ReduceKind kind, T* input, T* output, long outer, long reduced, long inner)
        where L : struct, IVectorLane<L, T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        switch (kind)
        {
            case ReduceKind.Sum:
                Float<SumReduction, L, T>(input, output, outer, reduced, inner);
                break;
            case ReduceKind.Prod:
                Float<ProdReduction, L, T>(input, output, outer, reduced, inner);
                break;
            case ReduceKind.Max:
                Float<MaxReduction, L, T>(input, output, outer, reduced, inner);
                break;
            case ReduceKind.Min:
                Float<MinReduction, L, T>(input, output, outer, reduced, inner);
                break;
            default:
                Float<SumOfSquaresReduction, L, T>(input, output, outer, reduced, inner);
                break;
        }
    }

    private static void Float<TOp, L, T>(T* input, T* output, long outer, long reduced, long inner)
        where TOp : IReduceOp
        where L : struct, IVectorLane<L, T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (reduced == 0) Copy.Fill((nint)output, outer * inner, sizeof(T) == sizeof(float) ? DType.Float32 : DType.Float64, TOp.Identity);
        else if (inner == 1) ReduceRows<ElementFold<TOp, L, T>, L, T>.Run(input, output, outer, reduced);
        else ReduceColumns<TOp, L, T>.Run(input, output, outer, reduced, inner);
    }

    private static void Integer<TIn>(ReduceKind kind, DType outputType, nint input, nint output, long outer, long reduced, long inner)
        where TIn : unmanaged, INumber<TIn>, IMinMaxValue<TIn>
    {
        switch (kind)
        {
            case ReduceKind.Sum:
                Wide<IntegerSum<TIn>, TIn>(outputType, input, output, outer, reduced, inner);
                break;
            case ReduceKind.SumOfSquares:
                Wide<IntegerSumOfSquares<TIn>, TIn>(outputType, input, output, outer, reduced, inner);
                break;
            case ReduceKind.Prod:
                Wide<IntegerProd<TIn>, TIn>(outputType, input, output, outer, reduced, inner);
                break;
            case ReduceKind.Max:
                ReduceIntegers.Run<IntegerMax<TIn>, TIn, TIn, TIn>(input, output, outer, reduced, inner);
                break;
            case ReduceKind.Min:
                ReduceIntegers.Run<IntegerMin<TIn>, TIn, TIn, TIn>(input, output, outer, reduced, inner);
                break;
            default:
                Logical<TIn>(kind, input, output, outer, reduced, inner);
                break;
        }
    }

    private static void Wide<TOp, TIn>(DType outputType, nint input, nint output, long outer, long reduced, long inner)
        where TOp : IIntegerReduceOp<TIn, long>
        where TIn : unmanaged
    {
        if (outputType == DType.Int32) ReduceIntegers.Run<TOp, TIn, long, int>(input, output, outer, reduced, inner);
        else if (outputType == DType.Int64) ReduceIntegers.Run<TOp, TIn, long, long>(input, output, outer, reduced, inner);
        else throw new DTypeException($"Integer sums and products are Int64 or Int32, not {outputType}.");
    }

    private static void Logical<TIn>(ReduceKind kind, nint input, nint output, long outer, long reduced, long inner)
        where TIn : unmanaged, INumberBase<TIn>
    {
        if (kind == ReduceKind.Any) ReduceIntegers.Run<AnyNonZero<TIn>, TIn, byte, byte>(input, output, outer, reduced, inner);
        else ReduceIntegers.Run<AllNonZero<TIn>, TIn, byte, byte>(input, output, outer, reduced, inner);
    }
}
