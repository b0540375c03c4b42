using System.Numerics;
using System.Runtime.InteropServices;
using Fusion.Kernels;

namespace Fusion.Tests.Devices;

/// <summary>Row programs on devices against the processor's row kernels: the same bits, since the reduction tree is the same.</summary>
[Collection(nameof(OneDevice))]
public unsafe class DeviceRowTests
{
    private static readonly (int Rows, int Length)[] s_small = [(1, 1), (3, 5), (2, 16), (5, 64), (1, 67), (2, 132), (2, 256), (1, 300), (1, 513)];

    // What a program has in common with softmax is looked at there.
    private static readonly (int Rows, int Length)[] s_smallOthers = [(3, 5), (2, 16), (1, 67), (2, 132), (1, 513)];

    // A kernel of each kind: what is compiled for an accelerator takes a second.
    private static readonly (int Rows, int Length)[] s_few = [(37, 10), (129, 257), (2, 50_001)];

    private static readonly (int Rows, int Length)[] s_one = [(129, 257)];

    private static readonly (int Rows, int Length)[] s_some = [(37, 10), (129, 257), (200, 1024), (600, 1540), (2, 50_001)];

    private static readonly (int Rows, int Length)[] s_large =
        [(1, 1), (600, 64), (3, 65), (2, 500), (3, 1000), (5, 777), (3000, 260), (3, 2047), (2, 16_384), (3, 16_388), (1, 70_000), .. s_some];

    public static TheoryData<bool, bool> Devices => GpuDevices.Count > 0
        ? new() { { false, false }, { false, true }, { true, false }, { true, true } }
        : new() { { false, false }, { false, true } };

    public static TheoryData<bool, bool> DevicesOfSpecials => GpuDevices.Count == 0 || AcceleratorTable.IsWhole
        ? Devices
        : new() { { false, false }, { false, true }, { true, false } };

    [Theory]
    [MemberData(nameof(Devices))]
    public void TheSoftmaxFamilyHasTheBitsOfTheProcessor(bool accelerator, bool is64)
    {
        if (is64) Softmaxes<double>(accelerator);
        else Softmaxes<float>(accelerator);
    }

    [Theory]
    [MemberData(nameof(Devices))]
    public void CrossEntropyHasTheBitsOfTheProcessor(bool accelerator, bool is64)
    {
        if (is64) CrossEntropies<double>(accelerator);
        else CrossEntropies<float>(accelerator);
    }

    [Theory]
    [MemberData(nameof(Devices))]
    public void NormalizationsHaveTheBitsOfTheProcessor(bool accelerator, bool is64)
    {
        if (is64) Normalizations<double>(accelerator);
        else Normalizations<float>(accelerator);
    }

    [Theory]
    [MemberData(nameof(DevicesOfSpecials))]
    public void InfinitiesAndNanAreThoseOfTheProcessor(bool accelerator, bool is64)
    {
        if (is64) Specials<double>(accelerator);
        else Specials<float>(accelerator);
    }

    [Fact]
    public void ALongRowOnTheDebugDevice()
    {
        foreach (int m in new[] { 16_388, 16_387 })
        {
            using Rows<float> rows = new(false, 1, m);
            float[] x = rows.Values(4);
            rows.Check("log-softmax", RowPrograms.LogSoftmax(false), [rows.Array(x)], true, (y, p) => RowKernels.LogSoftmax(DType.Float32, p[0], y, 1, m), x);
        }
    }

    /// <summary>Warps of 32, as CUDA has: rows of 4, 8 and 16 threads that shuffle their lanes, with one to four lanes each, and some chunks.</summary>
    [Theory]
    [InlineData(7, 3)]
    [InlineData(17, 10)]
    [InlineData(9, 16)]
    [InlineData(5, 17)]
    [InlineData(5, 31)]
    [InlineData(4, 32)]
    [InlineData(3, 33)]
    [InlineData(5, 64)]
    [InlineData(2, 65)]
    [InlineData(1, 250)]
    [InlineData(3, 256)]
    public void ShuffledLanesHaveTheBitsOfTheProcessor(int n, int m)
    {
        using Rows<float> rows = new(false, n, m, DeviceRunner.Warps);
        float[] x = rows.Values(3), g = rows.Values(1), gamma = rows.Values(2)[..m];
        x[^1] = -0f;
        DeviceRowOperand dx = rows.Array(x), dg = rows.Array(g), dgamma = rows.Vector(gamma), epsilon = rows.Number(1e-5);
        Assert.InRange(DeviceRows.Key(DeviceRunner.Warps, RowPrograms.Softmax(false), [dx, dx], n, m).Shuffled, 4, 16);
        rows.Check("softmax", RowPrograms.Softmax(false), [dx], true, (y, p) => RowKernels.Softmax(DType.Float32, p[0], y, n, m), x);
        rows.Check("layer norm gradient", RowPrograms.NormalizeGradient(false, true, true), [dx, dg, dgamma, epsilon], true,
            (y, p) => RowNormalize.Gradient(DType.Float32, p[0], p[1], p[2], y, n, m, 1e-5, true), x, g, gamma);
        using Rows<double> doubles = new(false, n, m, DeviceRunner.Warps);
        double[] z = doubles.Values(4);
        doubles.Check("log-softmax", RowPrograms.LogSoftmax(true), [doubles.Array(z)], true, (y, p) => RowKernels.LogSoftmax(DType.Float64, p[0], y, n, m), z);
    }

    [AcceleratorTheory(whole: true)]
    [InlineData(DeviceRows.MaxLength + 5)]
    public void ARowThatNoKernelHolds(int length)
    {
        using Rows<float> rows = new(true, 1, length);
        float[] x = rows.Values(4);
        rows.Check("log-softmax", RowPrograms.LogSoftmax(false), [rows.Array(x)], true, (y, p) => RowKernels.LogSoftmax(DType.Float32, p[0], y, 1, length), x);
    }

    private static void Specials<T>(bool accelerator) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        using Rows<T> rows = new(accelerator, 8, 9);
        T[] x = rows.Values(1);
        T inf = T.PositiveInfinity;
        x.AsSpan(9, 9).Fill(-inf);
        (x[20], x[29], x[38]) = (T.NaN, inf, -inf);
        x.AsSpan(45, 9).Fill(T.NegativeZero);
        x.AsSpan(54, 9).Fill(T.NaN);
        x.AsSpan(63, 8).Fill(-inf);
        DeviceRowOperand dx = rows.Array(x);
        rows.Check("softmax", RowPrograms.Softmax(rows.Is64), [dx], true, (y, p) => RowKernels.Softmax(rows.Type, p[0], y, 8, 9), x);
        rows.Check("log-softmax", RowPrograms.LogSoftmax(rows.Is64), [dx], true, (y, p) => RowKernels.LogSoftmax(rows.Type, p[0], y, 8, 9), x);
        rows.Check("normalize", RowPrograms.Normalize(rows.Is64, true, false, false), [dx, rows.Number(1e-5)], true,
            (y, p) => RowNormalize.Forward(rows.Type, p[0], 0, 0, y, 8, 9, 1e-5, true), x);
    }

    private static (int Rows, int Length)[] Shapes(bool accelerator, (int Rows, int Length)[] large, int size) => !accelerator
        ? large == s_large ? s_small : s_smallOthers
        : AcceleratorTable.IsWhole ? size == 8 ? s_few : large
        : size == 8 || large != s_large ? s_one : s_few;

    private static void Softmaxes<T>(bool accelerator) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        foreach ((int n, int m) in Shapes(accelerator, s_large, sizeof(T)))
        {
            using Rows<T> rows = new(accelerator, n, m);
            (T[] x, T[] g) = (rows.Values(4), rows.Values(1));
            (DeviceRowOperand dx, DeviceRowOperand dg) = (rows.Array(x), rows.Array(g));
            rows.Check("softmax", RowPrograms.Softmax(rows.Is64), [dx], true, (y, p) => RowKernels.Softmax(rows.Type, p[0], y, n, m), x);
            if (accelerator && !(AcceleratorTable.IsWhole ? s_some : rows.Is64 ? [] : s_one).Contains((n, m))) continue;
            if (!accelerator && !s_smallOthers.Contains((n, m))) continue;
            rows.Check("log-softmax", RowPrograms.LogSoftmax(rows.Is64), [dx], true, (y, p) => RowKernels.LogSoftmax(rows.Type, p[0], y, n, m), x);
            rows.Check("gradient", RowPrograms.SoftmaxGradient(rows.Is64), [dx, dg], true,
                (y, p) => RowKernels.SoftmaxGradient(rows.Type, p[0], p[1], y, n, m), x, g);
            rows.Check("log gradient", RowPrograms.LogSoftmaxGradient(rows.Is64), [dx, dg], true,
                (y, p) => RowKernels.LogSoftmaxGradient(rows.Type, p[0], p[1], y, n, m), x, g);
        }
    }

    private static void CrossEntropies<T>(bool accelerator) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        foreach ((int n, int m) in Shapes(accelerator, s_some, sizeof(T)))
        {
            using Rows<T> rows = new(accelerator, n, m);
            (T[] x, T[] g) = (rows.Values(4), rows.Values(1)[..n]);
            long[] labels = [.. Enumerable.Range(0, n).Select(i => (long)(i * 7 % m))];
            DeviceRowOperand dx = rows.Array(x), dg = rows.PerRow(g);
            bool both = !accelerator || AcceleratorTable.IsWhole;
            DeviceRowOperand ints = rows.Labels<int>([.. labels.Select(l => (int)l)]), longs = rows.Labels<long>(labels);
            fixed (long* l = labels)
            {
                nint label = (nint)l;
                foreach (DeviceRowOperand dl in both ? [ints, longs] : new[] { rows.Is64 ? ints : longs })
                {
                    rows.Check("cross entropy", RowPrograms.CrossEntropy(rows.Is64), [dx, dl], false,
                        (y, p) => RowKernels.CrossEntropyFromLogits(rows.Type, p[0], DType.Int64, label, y, 0, n, m), x);
                    rows.Check("cross entropy gradient", RowPrograms.CrossEntropyGradient(rows.Is64), [dx, dl, dg], true,
                        (y, p) => RowKernels.CrossEntropyGradient(rows.Type, p[0], DType.Int64, label, p[1], y, n, m), x, g);
                }
            }
        }
    }

    private static void Normalizations<T>(bool accelerator) where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        const double Epsilon = 1e-5;
        foreach ((int n, int m) in Shapes(accelerator, s_some, sizeof(T)))
        {
            using Rows<T> rows = new(accelerator, n, m);
            T[] x = rows.Values(3), g = rows.Values(1), gamma = rows.Values(2)[..m], beta = rows.Values(1)[..m];
            DeviceRowOperand dx = rows.Array(x), dg = rows.Array(g), dgamma = rows.Vector(gamma), dbeta = rows.Vector(beta), epsilon = rows.Number(Epsilon);
            rows.Check("layer norm", RowPrograms.Normalize(rows.Is64, true, true, true), [dx, dgamma, dbeta, epsilon], true,
                (y, p) => RowNormalize.Forward(rows.Type, p[0], p[1], p[2], y, n, m, Epsilon, true), x, gamma, beta);
            rows.Check("rms norm", RowPrograms.Normalize(rows.Is64, false, true, false), [dx, dgamma, epsilon], true,
                (y, p) => RowNormalize.Forward(rows.Type, p[0], p[1], 0, y, n, m, Epsilon, false), x, gamma);
            rows.Check("layer norm gradient", RowPrograms.NormalizeGradient(rows.Is64, true, true), [dx, dg, dgamma, epsilon], true,
                (y, p) => RowNormalize.Gradient(rows.Type, p[0], p[1], p[2], y, n, m, Epsilon, true), x, g, gamma);
            if (accelerator && rows.Is64 && !AcceleratorTable.IsWhole) continue;
            rows.Check("rms norm gradient", RowPrograms.NormalizeGradient(rows.Is64, false, true), [dx, dg, dgamma, epsilon], true,
                (y, p) => RowNormalize.Gradient(rows.Type, p[0], p[1], p[2], y, n, m, Epsilon, false), x, g, gamma);
            rows.Check("standardize gradient", RowPrograms.NormalizeGradient(rows.Is64, true, false), [dx, dg, epsilon], true,
                (y, p) => RowNormalize.Gradient(rows.Type, p[0], p[1], 0, y, n, m, Epsilon, true), x, g);
            if (n == 1)
            {
                // The sums of one row are the row part.
                rows.Check("norm sums", RowPrograms.NormalizeProduct(rows.Is64, true), [dx, dg, epsilon], true,
                    (y, p) =>
                    {
                        using NativeScratch sums = new(2 * m * sizeof(T));
                        RowNormalizeSums.Run(rows.Type, p[0], p[1], (nint)sums.Pointer, 1, m, Epsilon, true);
                        new Span<T>((T*)sums.Pointer + m, m).CopyTo(new Span<T>((T*)y, m));
                    }, x, g);
            }
        }
    }

    /// <summary>The operands of a shape on a device, and the comparison.</summary>
    private sealed class Rows<T>(bool accelerator, int rows, int length, GpuDevice? device = null) : IDisposable where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        private readonly DeviceRunner _runner = new(device ?? (accelerator ? DeviceRunner.Accelerator! : DeviceRunner.Debug));
        private int _seed = (rows * 31) + length;

        public bool Is64 { get; } = sizeof(T) == 8;

        public DType Type => Is64 ? DType.Float64 : DType.Float32;

        public void Dispose() => _runner.Dispose();

        public T[] Values(double scale)
        {
            Random random = new(_seed++);
            return [.. Enumerable.Range(0, rows * length).Select(_ => T.CreateTruncating((random.NextDouble() - 0.5) * 2 * scale))];
        }

        public DeviceRowOperand Array(T[] x) => new(_runner.Array<T>(x), length);

        public DeviceRowOperand Vector(T[] x) => new(_runner.Array<T>(x), 0);

        public DeviceRowOperand PerRow(T[] x) => new(_runner.Array<T>(x), 1);

        public DeviceRowOperand Labels<TLabel>(TLabel[] x) where TLabel : unmanaged => new(_runner.Array<TLabel>(x), 1);

        public DeviceRowOperand Number(double value) => new(DeviceOperand.Number(value, Type), 0);

        /// <summary>The program out of place, and if its output has the shape of its first input in place, against the processor.</summary>
        public void Check(string what, RowSpec spec, DeviceRowOperand[] inputs, bool elements, Action<nint, nint[]> processor, params T[][] arrays)
        {
            int size = elements ? rows * length : rows;
            List<GuardedBuffer<T>> buffers = [.. arrays.Select(a => new GuardedBuffer<T>(a)), new GuardedBuffer<T>(size)];
            processor(buffers[^1].Address, [.. buffers.Select(b => b.Address)]);
            T[] expected = buffers[^1].Span.ToArray();
            foreach (GuardedBuffer<T> buffer in buffers) buffer.Dispose();
            DeviceRowOperand output = new(_runner.Array<T>(new T[size]), elements ? length : 1);
            DeviceRows.Run(_runner.Device, spec, [.. inputs, output], rows, length);
            Compare(what, expected, _runner.Read<T>(output.Operand, size));
            if (!accelerator && device is null && length > 1)
            {
                DeviceLongRows.Run(_runner.Device, spec, [.. inputs, output], rows, length);
                Compare(what + " step by step", expected, _runner.Read<T>(output.Operand, size));
            }

            if (!elements) return;
            DeviceRowOperand same = Array(arrays[0]);
            DeviceRows.Run(_runner.Device, spec, [same, .. inputs[1..], same], rows, length);
            Compare(what + " in place", expected, _runner.Read<T>(same.Operand, size));
        }

        private void Compare(string what, T[] expected, T[] actual)
        {
            ReadOnlySpan<byte> e = Scalars.Operands.OneNaN<T>(MemoryMarshal.AsBytes(expected.AsSpan()).ToArray());
            ReadOnlySpan<byte> a = Scalars.Operands.OneNaN<T>(MemoryMarshal.AsBytes(actual.AsSpan()).ToArray());
            int first = e.CommonPrefixLength(a) / sizeof(T);
            if (first == expected.Length) return;
            Assert.Fail($"{what} {rows} × {length}, {Type}: element {first} is {actual[first]}, on the processor {expected[first]}");
        }
    }
}
