using System.Numerics;
using Fusion.Kernels;

namespace Fusion.Tests;

/// <summary>The definition of a matrix product, element by element.</summary>
internal static class GemmReference
{
    /// <summary>The order of operations that <see cref="Gemm"/> promises: chains of fused multiply-adds per block of K, blocks added in order, alpha, bias, ReLU.</summary>
    /// <remarks>Thin products over a long contiguous k are dot products by the 64-lane tree.</remarks>
    public static T[] Exact<T>(GemmCase s, T[] a, T[] b, T[] c, T[]? bias)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var result = (T[])c.Clone();
        if (s.IsDots)
        {
            for (var i = 0; i < s.M; i++)
            {
                for (var j = 0; j < s.N; j++)
                {
                    var dot = Dot(s, a, b, i, j) * T.CreateChecked(s.Alpha);
                    if (s.Beta != 0) dot += T.CreateChecked(s.Beta) * c[i * s.Ldc + j];
                    result[i * s.Ldc + j] = Finish(s, dot, bias, j);
                }
            }

            return result;
        }

        int most = typeof(T) == typeof(float) ? 384 : 256, blocks = Math.Max(1, (s.K + most - 1) / most), depth = (s.K + blocks - 1) / blocks;
        for (var i = 0; i < s.M; i++)
        {
            for (var j = 0; j < s.N; j++)
            {
                var value = s.Beta == 0 ? T.Zero : c[i * s.Ldc + j];
                if (s.Beta != 0 && s.Beta != 1) value *= T.CreateChecked(s.Beta);
                for (var k0 = 0; k0 < s.K || k0 == 0; k0 += depth)
                {
                    var sum = T.Zero;
                    for (var k = k0; k < Math.Min(s.K, k0 + depth); k++) sum = T.FusedMultiplyAdd(A(s, a, i, k), B(s, b, k, j), sum);
                    if (s.Alpha != 1) sum *= T.CreateChecked(s.Alpha);
                    value = k0 == 0 && s.Beta == 0 ? sum : value + sum;
                    if (s.K == 0) break;
                }

                result[i * s.Ldc + j] = Finish(s, value, bias, j);
            }
        }

        return result;
    }

    private static T Finish<T>(GemmCase s, T value, T[]? bias, int column)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (bias is not null) value += bias[column];
        return s.Relu && value < T.Zero ? T.Zero : value;
    }

    /// <summary>64 lanes of fused multiply-adds, folded by halves; blocks of 16 384, whose results are summed as a row.</summary>
    private static T Dot<T>(GemmCase s, T[] a, T[] b, int i, int j)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var partials = new List<T>();
        for (var start = 0; start < s.K; start += 16384)
        {
            var lanes = new T[64];
            for (var k = start; k < Math.Min(s.K, start + 16384); k++) lanes[k % 64] = T.FusedMultiplyAdd(A(s, a, i, k), B(s, b, k, j), lanes[k % 64]);
            for (var half = 32; half > 0; half /= 2)
            {
                for (var l = 0; l < half; l++) lanes[l] += lanes[l + half];
            }

            partials.Add(lanes[0]);
        }

        return partials.Count == 1 ? partials[0] : TreeReference.Sum<T>(partials.ToArray());
    }

    /// <summary>The result in double precision.</summary>
    public static double[] InDouble<T>(GemmCase s, T[] a, T[] b, T[] c, T[]? bias)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var result = Array.ConvertAll(c, double.CreateChecked);
        for (var i = 0; i < s.M; i++)
        {
            for (var j = 0; j < s.N; j++)
            {
                var sum = 0.0;
                for (var k = 0; k < s.K; k++) sum += double.CreateChecked(A(s, a, i, k)) * double.CreateChecked(B(s, b, k, j));
                var value = s.Alpha * sum + (s.Beta == 0 ? 0 : s.Beta * double.CreateChecked(c[i * s.Ldc + j]));
                if (bias is not null) value += double.CreateChecked(bias[j]);
                result[i * s.Ldc + j] = s.Relu ? Math.Max(0, value) : value;
            }
        }

        return result;
    }

    private static T A<T>(GemmCase s, T[] a, int i, int k) => s.TransA ? a[k * s.Lda + i] : a[i * s.Lda + k];

    private static T B<T>(GemmCase s, T[] b, int k, int j) => s.TransB ? b[j * s.Ldb + k] : b[k * s.Ldb + j];
}

/// <summary>One product to try; Pad is added to every leading dimension.</summary>
internal sealed record GemmCase(int M, int N, int K, bool TransA = false, bool TransB = false)
{
    public int Pad { get; init; }

    public double Alpha { get; init; } = 1;

    public double Beta { get; init; }

    public bool Bias { get; init; }

    public bool Relu { get; init; }

    public int Lda => (TransA ? M : K) + Pad;

    public int Ldb => (TransB ? K : N) + Pad;

    public int Ldc => N + Pad;

    public long SizeA => Size(TransA ? K : M, TransA ? M : K, Lda);

    public long SizeB => Size(TransB ? N : K, TransB ? K : N, Ldb);

    public long SizeC => Size(M, N, Ldc);

    /// <summary>Few rows or columns over a long contiguous k: dot products by the 64-lane tree, not chains in the order of k.</summary>
    public bool IsDots => (TransB && IsFew(M)) || (!TransA && IsFew(N));

    private bool IsFew(int count) => count <= 8 && K >= (count <= 4 ? 64 : 128 * (count - 3)) && (count <= 4 || K <= 16384);

    private static long Size(long rows, long columns, long stride) => rows == 0 || columns == 0 ? 0 : (rows - 1) * stride + columns;
}
