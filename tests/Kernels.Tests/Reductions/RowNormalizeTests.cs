using System.Numerics;
using Fusion.Kernels;

namespace Fusion.Tests;

/// <summary>Normalizations of rows: what is computed in one pass has the bits of what is computed in several.</summary>
[Collection(KernelModes.Name)]
public sealed unsafe class RowNormalizeTests
{
    private static readonly (int Rows, int Columns)[] s_shapes =
        [(0, 5), (1, 1), (1, 40), (3, 33), (7, 64), (8, 65), (63, 100), (64, 3), (65, 17), (129, 257), (200, 128), (9, 20_001)];

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void AllGradientsAtOnceAreThoseOneByOne(bool centered)
    {
        foreach ((int rows, int columns) in s_shapes)
        {
            CheckGradients<float>(DType.Float32, rows, columns, centered);
            CheckGradients<double>(DType.Float64, rows, columns, centered);
        }
    }

    [Fact]
    public void WhereVectorsBeginMakesNoDifference()
    {
        foreach ((int rows, int columns) in s_shapes)
        {
            float[] x = TestData.Normal<float>(rows * columns, 1), vectors = TestData.Normal<float>(2 * columns + 64, 2);
            using var input = new GuardedBuffer<float>(x);
            using var result = new GuardedBuffer<float>(x.Length);
            using var memory = new GuardedBuffer<float>(4 * columns + 256);
            float[]? expected = null;
            KernelModes.ForEach(() =>
            {
                for (int shift = 0; shift < 20; shift += 5)
                {
                    // Wherever the buffer begins, one shift or another is a cache line's start.
                    Span<float> gamma = memory.Span.Slice(shift, columns), beta = memory.Span.Slice(2 * columns + 64 + 2 * shift, columns);
                    vectors.AsSpan(0, columns).CopyTo(gamma);
                    vectors.AsSpan(columns, columns).CopyTo(beta);
                    nint first = memory.Address + 4 * shift, second = memory.Address + 4 * (2 * columns + 64 + 2 * shift);
                    RowNormalize.Forward(DType.Float32, input.Address, first, second, result.Address, rows, columns, 1e-5, true);
                    result.AssertIntact();
                    expected ??= result.Span.ToArray();
                    TestData.AssertSameBits<float>(expected, result.Span, $"{rows} × {columns}, {shift}");
                }
            });
        }
    }

    private static void CheckGradients<T>(DType type, int rows, int columns, bool centered)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        T[] values = TestData.Normal<T>(rows * columns, 1, 3);
        using var x = new GuardedBuffer<T>(values);
        using var g = new GuardedBuffer<T>(TestData.Normal<T>(values.Length, 2));
        using var gamma = new GuardedBuffer<T>(TestData.Normal<T>(columns, 3));
        using var dx = new GuardedBuffer<T>(values.Length);
        using var sums = new GuardedBuffer<T>(2 * columns);
        T[]? gradient = null, total = null;
        KernelModes.ForEach(() =>
        {
            RowNormalize.Gradient(type, x.Address, g.Address, gamma.Address, dx.Address, rows, columns, 1e-5, centered);
            RowNormalizeSums.Run(type, x.Address, g.Address, sums.Address, rows, columns, 1e-5, centered);
            gradient ??= dx.Span.ToArray();
            total ??= sums.Span.ToArray();
            Compare("one by one");
            dx.Span.Clear();
            sums.Span.Clear();
            RowNormalizeGradients.Run(type, x.Address, g.Address, gamma.Address, dx.Address, sums.Address, rows, columns, 1e-5, centered);
            Compare("at once");
        });

        void Compare(string how)
        {
            dx.AssertIntact();
            sums.AssertIntact();
            TestData.AssertSameBits<T>(gradient, dx.Span, $"the gradient of {type} {rows} × {columns}, {how}");
            TestData.AssertSameBits<T>(total, sums.Span, $"the sums of {type} {rows} × {columns}, {how}");
        }
    }
}
