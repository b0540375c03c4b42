using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Fusion.Kernels;

/// <summary>The inner loop of the factorisations, on rows of row-major matrices. Element by element, so the bits depend on no register width.</summary>
internal static class RowUpdate
{
    /// <summary>y ← y − factor·x.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void SubtractScaled<T>(Span<T> y, ReadOnlySpan<T> x, T factor)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        x = x[..y.Length];
        int i = 0;
        Vector<T> scale = new(factor);
        for (; i <= y.Length - Vector<T>.Count; i += Vector<T>.Count) (new Vector<T>(y[i..]) - scale * new Vector<T>(x[i..])).CopyTo(y[i..]);
        for (; i < y.Length; i++) y[i] -= factor * x[i];
    }

    /// <summary>Σ x·y in sixteen lanes, the remainder from the first to the last.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static double Dot(ReadOnlySpan<double> x, ReadOnlySpan<double> y)
    {
        y = y[..x.Length];
        int i = 0;
        Vector256<double> a = Vector256<double>.Zero, b = a, c = a, d = a;
        for (; i <= x.Length - 16; i += 16)
        {
            a = Vector256.FusedMultiplyAdd(Vector256.Create(x[i..]), Vector256.Create(y[i..]), a);
            b = Vector256.FusedMultiplyAdd(Vector256.Create(x[(i + 4)..]), Vector256.Create(y[(i + 4)..]), b);
            c = Vector256.FusedMultiplyAdd(Vector256.Create(x[(i + 8)..]), Vector256.Create(y[(i + 8)..]), c);
            d = Vector256.FusedMultiplyAdd(Vector256.Create(x[(i + 12)..]), Vector256.Create(y[(i + 12)..]), d);
        }

        for (; i <= x.Length - 4; i += 4) a = Vector256.FusedMultiplyAdd(Vector256.Create(x[i..]), Vector256.Create(y[i..]), a);
        double sum = Reflections.Total((a + b) + (c + d));
        for (; i < x.Length; i++) sum += x[i] * y[i];
        return sum;
    }
}
