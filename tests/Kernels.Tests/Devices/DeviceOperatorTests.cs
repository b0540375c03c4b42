using System.Numerics;
using System.Runtime.InteropServices;
using Fusion.Kernels;
using Fusion.Tests.Compile;
using Fusion.Tests.Scalars;

namespace Fusion.Tests.Devices;

/// <summary>Every element operator on devices against its eager loop on the processor: the same bits.</summary>
[Collection(nameof(OneDevice))]
public class DeviceOperatorTests
{
    private static readonly double[] s_special =
    [
        2.5, 0.0, -0.0, 1, -1, 0.5, -2.5, 3, -3, 7, 1e-3, 1e30, -1e30, 16777216, 8388607.5, 4503599627370495.5, 300000.25, -2e9, 1e22,
        double.NaN, double.PositiveInfinity, double.NegativeInfinity, float.Epsilon, -float.Epsilon, float.MaxValue, 1.17549435e-38, 5e-324,
        double.MaxValue, 1e-310, 88.7, -104,
    ];

    public static TheoryData<string> Names => [.. ElementOps.All.Select(op => op.Name)];

    public static TheoryData<string> IntegerNames => [.. ElementOps.All.Where(op => op.SupportsInteger).Select(op => op.Name)];

    /// <summary>A formula of each kind.</summary>
    public static TheoryData<string> AcceleratorNames => AcceleratorTable.IsWhole
        ? Names
        : ["FusedMultiplyAdd", "Mod", "Round", "CopySign", "Where", "Less", "Exp", "LogP1", "Sin", "Erf", "Pow", "LogGamma"];

    public static TheoryData<string> AcceleratorIntegerNames => AcceleratorTable.IsWhole ? IntegerNames : ["Multiply", "Mod", "Clip", "Equal"];

    [Theory]
    [MemberData(nameof(Names))]
    public void SpecialValuesGiveTheBitsOfTheProcessor(string name)
    {
        Check(DeviceRunner.Debug, name, DType.Float32, Specials<float>());
        Check(DeviceRunner.Debug, name, DType.Float64, Specials<double>());
    }

    /// <summary>Devices scale by powers of two in steps, the processor by an instruction: where results are denormal, both round once.</summary>
    [Theory]
    [MemberData(nameof(Names))]
    public void DenormalNumbersGiveTheBitsOfTheProcessor(string name)
    {
        Check(DeviceRunner.Debug, name, DType.Float32, Small(1.17549435e-38f));
        Check(DeviceRunner.Debug, name, DType.Float64, Small(2.2250738585072014e-308));
    }

    [AcceleratorTheory]
    [MemberData(nameof(AcceleratorNames))]
    public void RandomValuesGiveTheBitsOfTheProcessorOnAnAccelerator(string name)
    {
        Check(DeviceRunner.Accelerator!, name, DType.Float32, [.. Specials<float>().Zip(Randoms<float>(name), (a, b) => (float[])[.. a, .. b])]);
        Check(DeviceRunner.Accelerator!, name, DType.Float64, [.. Specials<double>().Zip(Randoms<double>(name), (a, b) => (double[])[.. a, .. b])]);
    }

    [Theory]
    [MemberData(nameof(IntegerNames))]
    public void IntegersGiveTheBitsOfTheProcessor(string name) => CheckIntegers(DeviceRunner.Debug, name);

    [AcceleratorTheory]
    [MemberData(nameof(AcceleratorIntegerNames))]
    public void IntegersGiveTheBitsOfTheProcessorOnAnAccelerator(string name) => CheckIntegers(DeviceRunner.Accelerator!, name);

    [Fact]
    public void RandomBodiesGiveTheBitsOfTheProcessor() => CheckBodies(DeviceRunner.Debug, 25, 50);

    [AcceleratorFact]
    public void RandomBodiesGiveTheBitsOfTheProcessorOnAnAccelerator() => CheckBodies(DeviceRunner.Accelerator!, AcceleratorTable.IsWhole ? 8 : 3, 5000);

    [Fact]
    public void WordsOfTwoOverPiAreThoseOfTheProcessor()
    {
        for (int i = 0; i < AngleReduction.Words.Length; i++) Assert.Equal(AngleReduction.Words[i], DeviceAngles.Word(i));
    }

    private static void CheckBodies(GpuDevice device, int count, int length)
    {
        for (int seed = 0; seed < count; seed++)
        {
            if (seed % 2 == 0) CheckBody<float>(device, seed, length);
            else CheckBody<double>(device, seed, length);
        }
    }

    private static void CheckBody<T>(GpuDevice device, int seed, int length) where T : unmanaged, IFloatingPointIeee754<T>
    {
        Random random = new(seed);
        bool is64 = typeof(T) == typeof(double);
        KernelSpec spec = SpecRunner.RandomSpec(random, is64, 4 + random.Next(12));
        T[][] inputs = SpecRunner.RandomInputs<T>(random, spec, length);
        byte[][] expected = SpecRunner.Run(spec, KernelCompiler.Compile(spec, 128), inputs, length);
        using DeviceRunner runner = new(device);
        List<DeviceOperand> operands = [];
        List<long> strides = [];
        for (int i = 0; i < inputs.Length; i++)
        {
            T[] values = inputs[i][..(spec.Inputs[i].IsScalar ? 1 : length)];
            operands.Add(spec.Inputs[i].IsMask ? runner.Mask(DeviceRunner.MaskBytes(values)) : runner.Array<T>(values));
            strides.Add(spec.Inputs[i].IsScalar ? 0 : 1);
        }

        foreach (int output in spec.Outputs)
        {
            operands.Add(spec.IsMask(output) ? runner.Mask(new byte[length]) : runner.Array<T>(new T[length]));
            strides.Add(1);
        }

        DeviceElements.Run(device, spec, [.. operands], [.. strides], [length]);
        for (int k = 0; k < spec.Outputs.Length; k++)
        {
            DeviceOperand output = operands[inputs.Length + k];
            byte[] actual = spec.IsMask(spec.Outputs[k])
                ? runner.Read<byte>(output, length)
                : Operands.OneNaN<T>(MemoryMarshal.AsBytes(runner.Read<T>(output, length).AsSpan()).ToArray());
            int same = expected[k].AsSpan().CommonPrefixLength(actual);
            Assert.True(same == actual.Length, $"seed {seed}, output {k}: element {same * length / actual.Length}");
        }
    }

    private static void CheckIntegers(GpuDevice device, string name)
    {
        Check(device, name, DType.Int32, Integers<int>());
        Check(device, name, DType.Int64, Integers<long>());
        Check(device, name, DType.UInt8, Integers<byte>());
    }

    private static void Check<T>(GpuDevice device, string name, DType type, T[][] inputs) where T : unmanaged, INumber<T>
    {
        ElementOp op = ElementOpTests.Find(name);
        using DeviceRunner runner = new(device);
        T[][] used = inputs[..op.Arity];
        byte[] expected = Operands.Eager(op, type, 128, inputs[0].Length, 0, used), actual = runner.Run(op, type, used);
        if (expected.AsSpan().SequenceEqual(actual)) return;
        int size = expected.Length / inputs[0].Length, first = expected.AsSpan().CommonPrefixLength(actual) / size;
        string Show(byte[] bytes) => op.IsMask ? bytes[first].ToString() : $"{MemoryMarshal.Cast<byte, T>(bytes)[first]:R}";
        int wrong = Enumerable.Range(0, inputs[0].Length).Count(i => !expected.AsSpan(i * size, size).SequenceEqual(actual.AsSpan(i * size, size)));
        string arguments = string.Join(", ", used.Select(u => $"{u[first]:R}"));
        Assert.Fail($"{name}({arguments}) = {Show(actual)}, on the processor {Show(expected)} ({type}; {wrong} of {inputs[0].Length})");
    }

    // All pairs for the first two inputs; the third runs along.
    private static T[][] Specials<T>() where T : unmanaged, IFloatingPointIeee754<T>
    {
        int n = s_special.Length;
        T[] special = [.. s_special.Select(T.CreateTruncating)];
        T[] x = new T[n * n], y = new T[n * n], z = new T[n * n];
        for (int i = 0; i < x.Length; i++) (x[i], y[i], z[i]) = (special[i % n], special[i / n], special[(i * 7) % n]);
        return [x, y, z];
    }

    // Up to eight times the smallest normal number, beside moderate ones.
    private static T[][] Small<T>(T smallest) where T : unmanaged, IFloatingPointIeee754<T>
    {
        Random random = new(5);
        T Next(double range) => T.CreateTruncating((random.NextDouble() - 0.5) * range);
        T[][] values = [new T[3000], new T[3000], new T[3000]];
        for (int i = 0; i < values[0].Length; i++) (values[0][i], values[1][i], values[2][i]) = (smallest * Next(1 << (i % 5)), Next(8), smallest * Next(2));
        return values;
    }

    // A third of any exponent, the others of moderate ones.
    private static T[][] Randoms<T>(string seed) where T : unmanaged, IFloatingPointIeee754<T>
    {
        Random random = new(seed.Length * 31 + seed[0]);
        T[][] values = [new T[100_000], new T[100_000], new T[100_000]];
        foreach (T[] array in values)
        {
            for (int i = 0; i < array.Length; i++)
            {
                double range = (i % 3) switch { 0 => 1, 1 => 40, _ => Math.Pow(10, random.Next(-44, 38)) };
                array[i] = T.CreateTruncating((random.NextDouble() - 0.5) * range);
            }
        }

        return values;
    }

    private static T[][] Integers<T>() where T : unmanaged, IBinaryInteger<T>, IMinMaxValue<T>
    {
        T[] special = [.. new[] { 2, 0, 1, -1, 7, -7, 100 }.Select(T.CreateTruncating), T.MaxValue, T.MinValue];
        int n = special.Length;
        T[] x = new T[n * n], y = new T[n * n], z = new T[n * n];
        for (int i = 0; i < x.Length; i++) (x[i], y[i], z[i]) = (special[i % n], special[i / n], special[(i * 2) % n]);
        return [x, y, z];
    }
}
