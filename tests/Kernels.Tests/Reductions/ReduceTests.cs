using System.Numerics;
using Fusion.Kernels;

namespace Fusion.Tests;

/// <summary>Reductions against their definition, bit for bit, at every vector width and with one and two threads.</summary>
[Collection(KernelModes.Name)]
public sealed unsafe class ReduceTests
{
    private static readonly (int Outer, int Reduced, int Inner)[] s_shapes =
    [
        (1, 1, 1), (3, 2, 1), (5, 7, 1), (4, 10, 1), (2, 16, 1), (3, 17, 1), (2, 63, 1), (2, 64, 1), (2, 65, 1), (3, 200, 1), (1, 16384, 1), (2, 16385, 1),
        (1, 100_003, 1), (300, 700, 1), (1, 1, 2), (2, 5, 3), (3, 9, 16), (2, 256, 10), (2, 257, 17), (1, 1000, 33), (1, 300, 64), (2, 70, 65), (1, 13, 513),
        (1, 600, 1100), (50, 40, 70),
    ];

    public static TheoryData<string> Kinds => new() { "Sum", "Prod", "Max", "Min", "SumOfSquares" };

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Float_reductions_follow_the_fixed_tree(string kind)
    {
        foreach (var shape in s_shapes)
        {
            Check<float>(Enum.Parse<ReduceKind>(kind), shape, DType.Float32);
            Check<double>(Enum.Parse<ReduceKind>(kind), shape, DType.Float64);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(16_384)]
    [InlineData(16_385)]
    [InlineData(50_000)]
    public void Results_of_blocks_are_a_row_again_however_many_there_are(int count)
    {
        var x = TestData.Normal<float>(count, 1);
        var expected = TreeReference.Sum<float>(x);
        using var partials = new GuardedBuffer<float>(x);
        Assert.Equal(expected, ReduceTree.ReducePartials<SumOfSquaresReduction, Lane128<float>, float>((float*)partials.Address, count));
        partials.AssertIntact();
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void Max_and_min_keep_nan_wherever_it_stands(int inner)
    {
        foreach (var n in new[] { 1, 9, 64, 70, 500 })
        {
            for (var at = 0; at < n; at += Math.Max(1, n / 9))
            {
                var x = TestData.Normal<float>(n * inner, 1);
                for (var i = 0; i < inner; i++) x[at * inner + i] = float.NaN;
                using var input = new GuardedBuffer<float>(x);
                KernelModes.ForEach(() =>
                {
                    using var output = new GuardedBuffer<float>(inner);
                    Reduce.Run(ReduceKind.Max, DType.Float32, DType.Float32, input.Address, output.Address, 1, n, inner);
                    Assert.All(output.Span.ToArray(), v => Assert.True(float.IsNaN(v)));
                    Reduce.Run(ReduceKind.Min, DType.Float32, DType.Float32, input.Address, output.Address, 1, n, inner);
                    Assert.All(output.Span.ToArray(), v => Assert.True(float.IsNaN(v)));
                });
            }
        }
    }

    [Fact]
    public void Nothing_to_reduce_gives_the_identity()
    {
        using var output = new GuardedBuffer<double>(3);
        Reduce.Run(ReduceKind.Sum, DType.Float64, DType.Float64, 0, output.Address, 3, 0, 1);
        Assert.Equal([0, 0, 0], output.Span.ToArray());
        Reduce.Run(ReduceKind.Prod, DType.Float64, DType.Float64, 0, output.Address, 1, 0, 3);
        Assert.Equal([1, 1, 1], output.Span.ToArray());
        using var integers = new GuardedBuffer<long>(2);
        Reduce.Run(ReduceKind.Prod, DType.Int32, DType.Int64, 0, integers.Address, 2, 0, 1);
        Assert.Equal([1L, 1L], integers.Span.ToArray());
    }

    [Fact]
    public void Integer_sums_are_exact_in_64_bits()
    {
        var x = new int[300_000];
        Array.Fill(x, int.MaxValue);
        x[7] = int.MinValue;
        CheckInteger(x, DType.Int32, 1, x.Length, 1);
        CheckInteger(Array.ConvertAll(TestData.Normal<long>(1000, 1, 1e9), v => v), DType.Int64, 4, 50, 5);
        CheckInteger(Array.ConvertAll(TestData.Normal<int>(5 * 77 * 3, 2, 1e6), v => v), DType.Int32, 5, 77, 3);
        CheckInteger(Array.ConvertAll(TestData.Normal<int>(1100, 3, 100), v => (byte)v), DType.UInt8, 1, 1100, 1);
        CheckInteger(Array.ConvertAll(TestData.Normal<int>(33 * 40, 3, 100), v => (byte)v), DType.UInt8, 1, 33, 40);
    }

    [Fact]
    public void Any_and_all_of_every_type()
    {
        foreach (var n in new[] { 0, 1, 5, 64, 1000 })
        {
            var zeros = new float[n];
            var mixed = Enumerable.Range(0, n).Select(i => i == n - 1 ? float.NaN : 0).ToArray();
            var ones = Enumerable.Repeat(1f, n).ToArray();
            foreach (var (x, any, all) in new[] { (zeros, false, n == 0), (mixed, n > 0, n <= 1), (ones, n > 0, true) })
            {
                Assert.Equal((any, all), Logical(x, DType.Float32));
                Assert.Equal((any, all), Logical(Array.ConvertAll(x, v => v != 0), DType.Bool));
                Assert.Equal((any, all), Logical(Array.ConvertAll(x, v => v != 0 ? long.MinValue : 0), DType.Int64));
            }
        }
    }

    private static (bool Any, bool All) Logical<T>(T[] x, DType dtype)
        where T : unmanaged
    {
        using var input = new GuardedBuffer<T>(x);
        using var output = new GuardedBuffer<bool>(2);
        Reduce.Run(ReduceKind.Any, dtype, DType.Bool, input.Address, output.Address, 1, x.Length, 1);
        Reduce.Run(ReduceKind.All, dtype, DType.Bool, input.Address, output.Address + 1, 1, x.Length, 1);
        output.AssertIntact();
        return (output.Span[0], output.Span[1]);
    }

    private static void CheckInteger<T>(T[] x, DType dtype, int outer, int reduced, int inner)
        where T : unmanaged, INumber<T>
    {
        using var input = new GuardedBuffer<T>(x);
        using var sums = new GuardedBuffer<long>(outer * inner);
        using var products = new GuardedBuffer<int>(outer * inner);
        using var maxima = new GuardedBuffer<T>(outer * inner);
        using var minima = new GuardedBuffer<T>(outer * inner);
        Reduce.Run(ReduceKind.Sum, dtype, DType.Int64, input.Address, sums.Address, outer, reduced, inner);
        Reduce.Run(ReduceKind.Prod, dtype, DType.Int32, input.Address, products.Address, outer, reduced, inner);
        Reduce.Run(ReduceKind.Max, dtype, dtype, input.Address, maxima.Address, outer, reduced, inner);
        Reduce.Run(ReduceKind.Min, dtype, dtype, input.Address, minima.Address, outer, reduced, inner);
        for (var o = 0; o < outer; o++)
        {
            for (var i = 0; i < inner; i++)
            {
                var line = TestData.Line(x, outer, reduced, inner, o, i);
                Assert.Equal(line.Sum(long.CreateTruncating), sums.Span[o * inner + i]);
                Assert.Equal(line.Aggregate(1, (p, v) => p * int.CreateTruncating(v)), products.Span[o * inner + i]);
                Assert.Equal(line.Max(), maxima.Span[o * inner + i]);
                Assert.Equal(line.Min(), minima.Span[o * inner + i]);
            }
        }

        sums.AssertIntact();
        products.AssertIntact();
        maxima.AssertIntact();
    }

    private static void Check<T>(ReduceKind kind, (int Outer, int Reduced, int Inner) shape, DType dtype)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var (outer, reduced, inner) = shape;
        var x = TestData.Normal<T>((long)outer * reduced * inner, 1);
        if (kind == ReduceKind.Prod) x = Array.ConvertAll(x, v => T.One + v / T.CreateChecked(8 * reduced));
        var (identity, combine, map) = kind switch
        {
            ReduceKind.Prod => (T.One, (Func<T, T, T>)((a, b) => a * b), (Func<T, T>?)null),
            ReduceKind.Max => (T.NegativeInfinity, (a, b) => a > b ? a : b, null),
            ReduceKind.Min => (T.PositiveInfinity, (a, b) => a < b ? a : b, null),
            ReduceKind.SumOfSquares => (T.Zero, (a, b) => a + b, v => v * v),
            _ => (T.Zero, (a, b) => a + b, null),
        };
        var expected = new T[outer * inner];
        for (var o = 0; o < outer; o++)
        {
            for (var i = 0; i < inner; i++)
            {
                var line = TestData.Line(x, outer, reduced, inner, o, i);
                expected[o * inner + i] = inner == 1 ? TreeReference.Row<T>(line, identity, combine, map) : TreeReference.Column<T>(line, identity, combine, map);
            }
        }

        using var input = new GuardedBuffer<T>(x);
        KernelModes.ForEach(() =>
        {
            using var output = new GuardedBuffer<T>(outer * inner);
            Reduce.Run(kind, dtype, dtype, input.Address, output.Address, outer, reduced, inner);
            TestData.AssertSameBits<T>(expected, output.Span, $"{kind} {shape}");
            output.AssertIntact();
        });
    }
}
