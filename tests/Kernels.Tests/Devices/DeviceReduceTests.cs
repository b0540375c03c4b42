using Fusion.Kernels;
using Fusion.Tests.Devices;
using static Fusion.Tests.DeviceArrays;

namespace Fusion.Tests;

/// <summary>Device reductions against the processor's, bit for bit: the tree is the same.</summary>
[Collection(nameof(OneDevice))]
public sealed unsafe class DeviceReduceTests
{
    public static TheoryData<ReduceKindName, DType> KindsAndTypes()
    {
        var data = new TheoryData<ReduceKindName, DType>();
        foreach (ReduceKindName kind in Enum.GetValues<ReduceKindName>())
            foreach (DType dtype in Enum.GetValues<DType>())
                if (!dtype.IsHalf) data.Add(kind, dtype); // sums of half precision are of numbers that were widened before
        return data;
    }

    [Theory]
    [MemberData(nameof(KindsAndTypes))]
    public void EveryKindAndTypeOnTheDebugDevice(ReduceKindName kind, DType dtype)
    {
        Check(Debug, (ReduceKind)kind, dtype, 3, 5, 1);
        Check(Debug, (ReduceKind)kind, dtype, 2, 9, 3);
    }

    [Theory]
    [InlineData(1, 1, 1)]
    [InlineData(4, 1, 3)]
    [InlineData(2, 64, 1)]
    [InlineData(2, 67, 1)]
    [InlineData(1, 300, 1)]
    [InlineData(1, 40, 4)]
    [InlineData(1, 260, 2)]
    [InlineData(5, 3, 7)]
    public void ShapesOnTheDebugDevice(int outer, int reduced, int inner)
    {
        Check(Debug, ReduceKind.Sum, DType.Float32, outer, reduced, inner);
        Check(Debug, ReduceKind.Max, DType.Float32, outer, reduced, inner);
    }

    [AcceleratorTheory]
    [InlineData(ReduceKindName.Max, DType.Float64)]
    [InlineData(ReduceKindName.SumOfSquares, DType.Int64)]
    [InlineData(ReduceKindName.Any, DType.Bool)]
    public void KindsAndTypesOnTheAccelerator(ReduceKindName kind, DType dtype)
    {
        Check(Accelerator, (ReduceKind)kind, dtype, 3, 20_000, 1);
        Check(Accelerator, (ReduceKind)kind, dtype, 2, 700, 10);
    }

    [AcceleratorTheory(whole: true)]
    [InlineData(ReduceKindName.Prod, DType.Float32)]
    [InlineData(ReduceKindName.Max, DType.Float32)]
    [InlineData(ReduceKindName.SumOfSquares, DType.Float32)]
    [InlineData(ReduceKindName.Any, DType.Float64)]
    [InlineData(ReduceKindName.Prod, DType.Int32)]
    [InlineData(ReduceKindName.Max, DType.Int32)]
    [InlineData(ReduceKindName.Min, DType.Int64)]
    [InlineData(ReduceKindName.Min, DType.UInt8)]
    [InlineData(ReduceKindName.All, DType.Bool)]
    public void OtherKindsAndTypesOnTheAccelerator(ReduceKindName kind, DType dtype) => KindsAndTypesOnTheAccelerator(kind, dtype);

    [AcceleratorTheory]
    [InlineData(1, 1_000_000, 1)]
    [InlineData(1000, 1000, 1)]
    [InlineData(100_000, 10, 1)]
    [InlineData(500_000, 2, 1)]
    [InlineData(7, 16_384, 1)]
    [InlineData(7, 16_385, 1)]
    [InlineData(37, 4096, 1)]
    [InlineData(1, 1000, 1000)]
    [InlineData(1, 128, 10)]
    [InlineData(1, 500_000, 2)]
    [InlineData(1, 300_000, 3)]
    [InlineData(30_000, 3, 11)]
    [InlineData(50, 257, 63)]
    [InlineData(4, 64, 3000)]
    [InlineData(1, 4, 250_000)]
    [InlineData(3, 0, 5)]
    [InlineData(3, 0, 1)]
    [InlineData(0, 5, 1)]
    public void Shapes(int outer, int reduced, int inner)
    {
        Check(Accelerator, ReduceKind.Sum, DType.Float32, outer, reduced, inner);
        if (!AcceleratorTable.IsWhole) return;
        Check(Accelerator, ReduceKind.Min, DType.Float32, outer, reduced, inner);
        Check(Accelerator, ReduceKind.Sum, DType.Float64, outer, reduced, inner);
        Check(Accelerator, ReduceKind.Sum, DType.UInt8, outer, reduced, inner);
    }

    [AcceleratorFact]
    public void ThreeStages()
    {
        byte[] x = new byte[(ReduceTree.Block * ReduceTree.Block) + 5];
        new Random(5).NextBytes(x);
        CheckValues<byte, long>(Accelerator, ReduceKind.Sum, DType.UInt8, DType.Int64, x, 1, x.Length, 1);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void NaNAndSignedZerosGoTheProcessorsWay(bool columns)
    {
        float[] x = new float[144];
        var random = new Random(3);
        for (int i = 0; i < x.Length; i++) x[i] = random.Next(4) switch { 0 => -0f, 1 => 0f, 2 => BitConverter.Int32BitsToSingle(0x7FC00000 | i), _ => -0f };
        for (int i = 0; i < 72; i++) if (float.IsNaN(x[i])) x[i] = 0;
        foreach (ReduceKind kind in new[] { ReduceKind.Max, ReduceKind.Min })
            CheckValues<float, float>(Debug, kind, DType.Float32, DType.Float32, x, 2, columns ? 12 : 72, columns ? 6 : 1);
    }

    [Fact]
    public void LoadsAreInFlightTogetherAndNothingIsCalled()
    {
        Type[] arguments = [typeof(DeviceSum<float>), typeof(float), typeof(float), typeof(float)];
        string ptx = DevicePtx.Of(typeof(DeviceReduceKernels), nameof(DeviceReduceKernels.Direct), arguments);
        DevicePtx.AssertClean(ptx);
        Assert.Equal(8, DevicePtx.Together(ptx, @"ld\.global\.f32"));

        ptx = DevicePtx.Of(typeof(DeviceReduceKernels), nameof(DeviceReduceKernels.Staged), arguments);
        DevicePtx.AssertClean(ptx);
        Assert.Equal((8, 8), (DevicePtx.Together(ptx, @"ld\.global\.f32"), DevicePtx.Together(ptx, @"ld\.shared\.f32")));
    }

    private static void Check(GpuDevice device, ReduceKind kind, DType dtype, int outer, int reduced, int inner)
    {
        long count = (long)outer * reduced * inner;
        switch (dtype)
        {
            case DType.Float32: CheckFloats<float>(device, kind, dtype, TestData.Normal<float>(count, 7), outer, reduced, inner); break;
            case DType.Float64: CheckFloats<double>(device, kind, dtype, TestData.Normal<double>(count, 7), outer, reduced, inner); break;
            case DType.Int32: CheckIntegers<int>(device, kind, dtype, TestData.Normal<int>(count, 7, 1e6), outer, reduced, inner); break;
            case DType.Int64: CheckIntegers<long>(device, kind, dtype, TestData.Normal<long>(count, 7, 1e12), outer, reduced, inner); break;
            case DType.UInt8: CheckIntegers(device, kind, dtype, Bytes(count, 40, static v => (byte)v), outer, reduced, inner); break;
            default: CheckIntegers(device, kind, dtype, Bytes(count, 1, static v => v != 0 ? (byte)1 : (byte)0), outer, reduced, inner); break;
        }
    }

    private static byte[] Bytes(long count, double scale, Func<int, byte> convert) => [.. TestData.Normal<int>(count, 7, scale).Select(convert)];

    private static void CheckFloats<T>(GpuDevice device, ReduceKind kind, DType dtype, T[] x, int outer, int reduced, int inner)
        where T : unmanaged
    {
        if (kind < ReduceKind.Any) CheckValues<T, T>(device, kind, dtype, dtype, x, outer, reduced, inner);
        else CheckValues<T, byte>(device, kind, dtype, DType.Bool, x, outer, reduced, inner);
    }

    private static void CheckIntegers<T>(GpuDevice device, ReduceKind kind, DType dtype, T[] x, int outer, int reduced, int inner)
        where T : unmanaged
    {
        if (kind >= ReduceKind.Any) CheckValues<T, byte>(device, kind, dtype, DType.Bool, x, outer, reduced, inner);
        else if (kind is ReduceKind.Max or ReduceKind.Min) CheckValues<T, T>(device, kind, dtype, dtype, x, outer, reduced, inner);
        else
        {
            CheckValues<T, long>(device, kind, dtype, DType.Int64, x, outer, reduced, inner);
            CheckValues<T, int>(device, kind, dtype, DType.Int32, x, outer, reduced, inner);
        }
    }

    // The input begins at element 3 of its block, the output at element 1.
    private static void CheckValues<T, TOut>(GpuDevice device, ReduceKind kind, DType dtype, DType outputType, T[] x, int outer, int reduced, int inner)
        where T : unmanaged
        where TOut : unmanaged
    {
        TOut[] expected = new TOut[outer * inner];
        fixed (T* from = TestData.WithSlack(x))
        fixed (TOut* to = expected) Reduce.Run(kind, dtype, outputType, (nint)from, (nint)to, outer, reduced, inner);
        using var arrays = new DeviceArrays(device);
        DeviceBlock input = arrays.Upload<T>(x, 3), output = arrays.Marked<TOut>(expected.Length + 1);
        DeviceReduce.Run(device, kind, dtype, outputType, input, 3, output, 1, outer, reduced, inner);
        TOut[] actual = Results<TOut>(output, expected.Length + 1)[1..];
        string what = $"{kind} of {dtype} ({outer}, {reduced}, {inner})";
        AssertSame<TOut>(expected, actual, what);
    }

    /// <summary>The kinds by public names, for the test explorer.</summary>
    public enum ReduceKindName
    {
        Sum = ReduceKind.Sum,
        Prod = ReduceKind.Prod,
        Max = ReduceKind.Max,
        Min = ReduceKind.Min,
        SumOfSquares = ReduceKind.SumOfSquares,
        Any = ReduceKind.Any,
        All = ReduceKind.All,
    }
}
