using Fusion.Kernels;
using Fusion.Tests.Devices;
using static Fusion.Tests.DeviceArrays;

namespace Fusion.Tests;

/// <summary>Every pair of element types against <see cref="Cast"/>, bit for bit.</summary>
[Collection(nameof(OneDevice))]
public sealed unsafe class DeviceCastTests
{
    private static readonly double[] s_values =
    [
        0, -0.0, 1, -1, 0.5, -0.5, 1.5, 2.5, 0.9999999, -0.9999999, 255, 254.9, 256, 255.9, -3.7, 1e9, -1e9, 2147483647, 2147483648, -2147483648, -2147483649,
        4e18, 9223372036854774784, 9223372036854775808, -9223372036854775808, 1e19, -1e19, 1e30, -1e300, double.NaN, double.PositiveInfinity,
        double.NegativeInfinity, double.Epsilon, 16777217, 33554435, 9007199254740993, 0.1, Math.PI, 3.4028236e38, 1e-40, 65504, 65519, 65520, 1e-7, 6e-8, 3e-8,
        2.9e-8, 1 + 1.0 / 2048, 1 + 3.0 / 2048, 1 + 1.0 / 2048 + 1e-12, 1 + 1.0 / 256 + 1e-9, 2049, 2051, 257, 259, 6.1e-5, 5.9e-5,
    ];

    public static TheoryData<DType, DType> Pairs()
    {
        var pairs = new TheoryData<DType, DType>();
        foreach (DType from in Enum.GetValues<DType>())
            foreach (DType to in Enum.GetValues<DType>())
                if (!from.IsHalf && !to.IsHalf) pairs.Add(from, to); // half precision is converted by the processor
        return pairs;
    }

    /// <summary>A conversion of each kind.</summary>
    public static TheoryData<DType, DType> AcceleratorPairs() => AcceleratorTable.IsWhole ? Pairs() : new()
    {
        { DType.Float32, DType.Int32 }, { DType.Float32, DType.Bool }, { DType.Float64, DType.UInt8 }, { DType.Float64, DType.Float32 },
        { DType.Int64, DType.Float32 }, { DType.Int64, DType.Int32 }, { DType.Bool, DType.Float64 },
    };

    [Theory]
    [MemberData(nameof(Pairs))]
    public void OnTheDebugDevice(DType from, DType to) => Check(Debug, from, to, s_values.Length);

    [AcceleratorTheory]
    [MemberData(nameof(AcceleratorPairs))]
    public void OnTheAccelerator(DType from, DType to) => Check(Accelerator, from, to, 100_003);

    [AcceleratorTheory]
    [InlineData(1000, 1000)]
    [InlineData(3, 5, 2, 7, 2, 2, 3)]
    [InlineData(2, 2, 3, 2, 2, 2, 2, 2, 2, 2)]
    public void StridedSources(params int[] shape)
    {
        for (int seed = 0; seed < 6; seed++)
        {
            StridedCase view = StridedCase.Random(new Random(seed), shape, 4);
            int count = shape.Aggregate(1, (a, b) => a * b);
            List<nint> addresses = view.Addresses(shape);
            double[] expected = [.. addresses.Select(a => (double)*(float*)a)];
            using var arrays = new DeviceArrays(Accelerator);
            DeviceBlock x = arrays.Upload<byte>(new Span<byte>((void*)view.Block.Pointer, (int)view.Block.Capacity)), y = arrays.Marked<double>(count);
            DeviceCast.Run(Accelerator, DType.Float32, DType.Float64, x, view.Origin, view.Strides, y, 0, shape);
            AssertSame<double>(expected, Results<double>(y, count), $"seed {seed}");
            view.Block.Release();
        }
    }

    [Fact]
    public void ConversionsAreCompiledWithoutCalls() =>
        DevicePtx.AssertClean(DevicePtx.Of(typeof(DeviceCast), nameof(DeviceCast.Convert), typeof(CastFloat), typeof(float), typeof(int)));

    private static void Check(GpuDevice device, DType from, DType to, int count)
    {
        byte[] source = TestData.WithSlack(new byte[count * from.Size]), expected = new byte[count * to.Size];
        double[] values = new double[count];
        for (int i = 0; i < count; i++) values[i] = i < 10_000 ? s_values[(i * 7) % s_values.Length] : (i - 40_000.25) * 1e5;
        fixed (double* v = TestData.WithSlack(values))
        fixed (byte* s = source, e = expected)
        {
            Cast.Run(DType.Float64, from, (nint)v, (nint)s, count);

            // Integers that no double holds, around the places where rounding to floats ties, and truth values other than 1.
            if (from == DType.Int64) for (int i = 0; i < count; i += 3) ((long*)s)[i] += ((long)i << 37) + (i & 1);
            if (from == DType.Bool) for (int i = 0; i < count; i += 5) s[i] *= 7;
            Cast.Run(from, to, (nint)s, (nint)e, count);
        }

        using var arrays = new DeviceArrays(device);
        DeviceBlock x = arrays.Upload<byte>(source), y = arrays.Marked<byte>(expected.Length);
        DeviceCast.Run(device, from, to, x, 0, y, 0, count);
        byte[] actual = Results<byte>(y, expected.Length);
        if (to == DType.Float32) IgnoreNaNBits<float>(expected, actual);
        if (to == DType.Float64) IgnoreNaNBits<double>(expected, actual);
        if (to == DType.Float16) IgnoreNaNBits<Half>(expected, actual);
        if (to == DType.BFloat16) IgnoreNaNBits(expected, actual);
        AssertSame<byte>(expected, actual, $"{from} → {to}");
    }

    private static void IgnoreNaNBits(byte[] expected, byte[] actual)
    {
        fixed (byte* e = expected, a = actual)
        {
            for (int i = 0; i < expected.Length / 2; i++)
                if (BFloat16.IsNaN(((BFloat16*)e)[i]) && BFloat16.IsNaN(((BFloat16*)a)[i])) ((BFloat16*)a)[i] = ((BFloat16*)e)[i];
        }
    }

    // Which NaN a conversion gives is nowhere said.
    private static void IgnoreNaNBits<T>(byte[] expected, byte[] actual)
        where T : unmanaged, System.Numerics.INumberBase<T>
    {
        fixed (byte* e = expected, a = actual)
        {
            for (int i = 0; i < expected.Length / sizeof(T); i++)
                if (T.IsNaN(((T*)e)[i]) && T.IsNaN(((T*)a)[i])) ((T*)a)[i] = ((T*)e)[i];
        }
    }
}
