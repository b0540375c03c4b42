using Fusion.Kernels;

namespace Fusion.Tests.Devices;

/// <summary>What row programs can do besides the library's own, against plain loops in C#.</summary>
[Collection(nameof(OneDevice))]
public class DeviceRowSpecTests
{
    public static TheoryData<bool> Devices => GpuDevices.Count > 0 ? [false, true] : [false];

    [Theory]
    [MemberData(nameof(Devices))]
    public void MasksAndOutputsOfAllKinds(bool accelerator)
    {
        // The largest element where the mask is set: itself, where it is, and how far the others are from it.
        RowSpecBuilder builder = new(is64: false);
        RowValue x = builder.Elements(), mask = builder.Elements(mask: true);
        RowValue masked = builder.Apply(ElementOps.Where, mask, x, builder.Constant(double.NegativeInfinity));
        RowValue max = builder.Reduce(RowReduction.Max, masked);
        RowValue count = builder.Reduce(RowReduction.Sum, builder.Apply(ElementOps.MaskToValue, mask));
        builder.Output(max);
        builder.Output(builder.Apply(ElementOps.Equal, masked, max));
        builder.Output(max - x);
        builder.Output(count / builder.Length());
        RowSpec spec = builder.Build();
        foreach ((int rows, int length) in accelerator ? [(70, 12), (41, 301), (3, 20_000)] : new[] { (3, 12), (2, 67) })
        {
            using DeviceRunner runner = Runner(accelerator);
            float[] values = Values(rows * length);
            byte[] bytes = [.. Enumerable.Range(0, rows * length).Select(i => (byte)(i % 5 < 3 ? i % 5 : 0))];
            DeviceOperand largest = runner.Array<float>(new float[rows]), where = runner.Mask(new byte[rows * length]);
            DeviceOperand distance = runner.Array<float>(new float[rows * length]), share = runner.Array<float>(new float[rows]);
            DeviceRows.Run(
                runner.Device, spec,
                [
                    new(runner.Array<float>(values), length), new(runner.Mask(bytes), length),
                    new(largest, 1), new(where, length), new(distance, length), new(share, 1),
                ],
                rows, length);
            float Largest(int row) => Enumerable.Range(row * length, length).Max(i => bytes[i] != 0 ? values[i] : float.NegativeInfinity);
            float Share(int row) => (float)Enumerable.Range(row * length, length).Count(i => bytes[i] != 0) / length;
            float[] expected = [.. Enumerable.Range(0, rows).Select(Largest)];
            Assert.Equal(expected, runner.Read<float>(largest, rows));
            Assert.Equal(values.Select((v, i) => (byte)(bytes[i] != 0 && v == expected[i / length] ? 1 : 0)), runner.Read<byte>(where, values.Length));
            Assert.Equal(values.Select((v, i) => expected[i / length] - v), runner.Read<float>(distance, values.Length));
            Assert.Equal(Enumerable.Range(0, rows).Select(Share), runner.Read<float>(share, rows));
        }
    }

    [Theory]
    [MemberData(nameof(Devices))]
    public void RowsOfOperandsRepeat(bool accelerator)
    {
        const int Rows = 24, Length = 20;
        RowSpecBuilder builder = new(is64: true);
        RowValue x = builder.Elements(), y = builder.Elements(), scale = builder.PerRow();
        builder.Output((x - builder.Reduce(RowReduction.Min, x)) * scale + y);
        RowSpec spec = builder.Build();
        using DeviceRunner runner = Runner(accelerator);
        double[] values = [.. Values(Rows * Length).Select(v => (double)v)], few = [.. Values(4 * Length).Select(v => (double)v)];
        double[] scales = [2, 3, 5, 7, 11, 13];
        DeviceOperand result = runner.Array<double>(new double[Rows * Length]);
        // y has a row for each of four in turn, and the scales one for every four rows.
        DeviceRows.Run(
            runner.Device, spec,
            [
                new(runner.Array<double>(values), Length), new(runner.Array<double>(few), Length, 1, 4),
                new(runner.Array<double>(scales), 1, 4), new(result, Length),
            ],
            Rows, Length);
        double Min(int row) => values.AsSpan(row * Length, Length).ToArray().Min();
        Assert.Equal(
            values.Select((v, i) => (v - Min(i / Length)) * scales[i / Length / 4] + few[(i / Length % 4 * Length) + (i % Length)]),
            runner.Read<double>(result, values.Length));
    }

    [Theory]
    [MemberData(nameof(Devices))]
    public void ReductionsTreatNanAsTheirNamesSay(bool accelerator)
    {
        RowSpecBuilder builder = new(is64: false);
        RowValue x = builder.Elements();
        foreach (RowReduction reduction in new[] { RowReduction.Max, RowReduction.Min, RowReduction.Prod, RowReduction.MaxNumber })
            builder.Output(builder.Reduce(reduction, x));
        using DeviceRunner runner = Runner(accelerator);
        float[] values = [1, 2, -3, 4, 5, float.NaN, 7, 8, float.NaN, float.NaN, float.NaN, float.NaN];
        DeviceOperand[] outputs = [.. Enumerable.Range(0, 4).Select(_ => runner.Array<float>(new float[3]))];
        DeviceRows.Run(runner.Device, builder.Build(), [new(runner.Array<float>(values), 4), .. outputs.Select(o => new DeviceRowOperand(o, 1))], 3, 4);
        Assert.Equal([4, float.NaN, float.NaN], runner.Read<float>(outputs[0], 3));
        Assert.Equal([-3, float.NaN, float.NaN], runner.Read<float>(outputs[1], 3));
        Assert.Equal([-24, float.NaN, float.NaN], runner.Read<float>(outputs[2], 3));
        Assert.Equal([4, 8, float.NegativeInfinity], runner.Read<float>(outputs[3], 3));
    }

    [Theory]
    [MemberData(nameof(Devices))]
    public void ALabelThatIsNoColumnIsNoElement(bool accelerator)
    {
        using DeviceRunner runner = Runner(accelerator);
        DeviceOperand x = runner.Array<float>([1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3]);
        DeviceOperand losses = runner.Array<float>(new float[4]), dx = runner.Array<float>(new float[12]);
        DeviceOperand labels = runner.Array<long>([-1, 3, 1L << 32, 2]), g = runner.Array<float>([1, 1, 1, 1]);
        DeviceRowKernels.CrossEntropy(runner.Device, x, labels, losses, 4, 3);
        float[] loss = runner.Read<float>(losses, 4);
        Assert.All(loss[..3], l => Assert.True(float.IsNaN(l)));
        Assert.Equal(0.40760598f, loss[3], 1e-6f);
        DeviceRowKernels.CrossEntropyGradient(runner.Device, x, labels, g, dx, 4, 3);
        float[] gradient = runner.Read<float>(dx, 12);
        Assert.Equal(gradient[..3], gradient[6..9]);
        Assert.Equal(1, gradient[..3].Sum(), 1e-6f);
        Assert.Equal(0, gradient[9..].Sum(), 1e-6f);
    }

    [Theory]
    [MemberData(nameof(Devices))]
    public void EntryPointsTakeTheOperandsInOrder(bool accelerator)
    {
        using DeviceRunner runner = Runner(accelerator);
        float[] x = Values(30), gamma = Values(10), beta = Values(11)[..10];
        DeviceOperand dx = runner.Array<float>(x, 4), dgamma = runner.Array<float>(gamma), dbeta = runner.Array<float>(beta);
        DeviceOperand y = runner.Array<float>(new float[30]);
        float[] Normalized(float[]? scale, float[]? shift) => [.. x.Select((v, i) =>
        {
            float[] row = x[(i / 10 * 10)..((i / 10 * 10) + 10)];
            double mean = row.Average(), variance = row.Average(e => (e - mean) * (e - mean));
            return (float)(((v - mean) / Math.Sqrt(variance + 0.5) * (scale?[i % 10] ?? 1)) + (shift?[i % 10] ?? 0));
        })];
        foreach ((bool hasGamma, bool hasBeta) in new[] { (true, true), (true, false), (false, true), (false, false) })
        {
            DeviceRowKernels.Normalize(runner.Device, dx, hasGamma ? dgamma : null, hasBeta ? dbeta : null, y, 3, 10, 0.5, centered: true);
            float[] expected = Normalized(hasGamma ? gamma : null, hasBeta ? beta : null);
            Assert.All(runner.Read<float>(y, 30).Zip(expected), p => Assert.Equal(p.Second, p.First, 2e-5f));
        }

    }

    [Theory]
    [MemberData(nameof(Devices))]
    public void OtherRowsAndNumbersCompileNothing(bool accelerator)
    {
        using DeviceRunner runner = Runner(accelerator);
        DeviceOperand x = runner.Array<float>(Values(600)), y = runner.Array<float>(new float[600]);
        DeviceRowKernels.Normalize(runner.Device, x, null, null, y, 5, 100, 1e-5, false);
        int compiled = DeviceRows.CompileCount;
        long launched = runner.Device.LaunchCount;
        DeviceRowKernels.Normalize(runner.Device, x, null, null, y, 4, 120, 1e-3, false);
        DeviceRowKernels.Normalize(runner.Device, x, null, null, y, 0, 120, 1e-3, false);
        DeviceRowKernels.Normalize(runner.Device, x, null, null, y, 4, 0, 1e-3, false);
        Assert.Equal((0, 1L), (DeviceRows.CompileCount - compiled, runner.Device.LaunchCount - launched));
    }

    [AcceleratorFact]
    public void ALaunchAllocatesNothing()
    {
        using DeviceRunner runner = Runner(true);
        DeviceRowOperand x = new(runner.Array<float>(Values(64)), 8), y = new(runner.Array<float>(new float[64]), 8);
        DeviceRowOperand[] operands = [x, y];
        RowSpec spec = RowPrograms.Softmax(false);
        for (int i = 0; i < 5; i++) DeviceRows.Run(runner.Device, spec, operands, 8, 8);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 10; i++) DeviceRows.Run(runner.Device, spec, operands, 8, 8);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void PassesFollowFromTheReductions()
    {
        RowSpec softmax = RowPrograms.Softmax(false), gradient = RowPrograms.NormalizeGradient(false, true, true);
        Assert.Equal(2, softmax.LastPass);
        Assert.Equal([2, 2, 0], Enumerable.Range(0, 3).Select(pass => gradient.Reductions(pass).Count()));
        Assert.Equal(1, RowPrograms.CrossEntropy(false).LastPass);
        RowSpecBuilder again = new(is64: false);
        RowValue y = again.Elements(), g = again.Elements();
        again.Output(y * (g - again.Reduce(RowReduction.Sum, y * g)));
        Assert.Equal(RowPrograms.SoftmaxGradient(false), again.Build());
        Assert.NotEqual(RowPrograms.SoftmaxGradient(true), again.Build());
    }

    [Fact]
    public void WhatWasWrittenBeforeIsTheSameValue()
    {
        RowSpecBuilder builder = new(is64: false);
        RowValue x = builder.Elements(), label = builder.Label();
        builder.Output(RowFormulas.CrossEntropy(builder, x, label));
        builder.Output(RowFormulas.CrossEntropyGradient(builder, x, label, builder.Constant(1)));
        RowSpec both = builder.Build();
        // The maximum and the sum of exponentials serve both; −0 is not 0.
        Assert.Equal(2, both.Steps.ToArray().Count(static s => s.Kind == RowStepKind.Reduce));
        RowValue zero = builder.Constant(0.0), negative = builder.Constant(-0.0);
        Assert.NotEqual(zero.Id, negative.Id);
        Assert.Equal(zero.Id, builder.Constant(0.0).Id);
    }

    [Fact]
    public void MistakesAreNamed()
    {
        using DeviceRunner runner = Runner(false);
        DeviceRowOperand x = new(runner.Array<float>(Values(8)), 4), n = new(runner.Array<int>([1, 2]), 1);
        RowSpec softmax = RowPrograms.Softmax(false);
        Assert.Contains("Operand 1", Assert.Throws<ArgumentException>(() => DeviceRows.Run(runner.Device, softmax, [x, n], 2, 4)).Message);
        Assert.Contains("2 operands", Assert.Throws<ArgumentException>(() => DeviceRows.Run(runner.Device, softmax, [x], 2, 4)).Message);
        DeviceRowOperand mapped = x with { Period = 2 };
        Assert.Contains("too large", Assert.Throws<DeviceException>(() => DeviceRows.Run(runner.Device, softmax, [mapped, x], 1, DeviceRows.MaxLength + 1)).Message);
        RowSpecBuilder many = new(is64: false);
        RowValue element = many.Elements();
        for (int r = 0; r <= RowSpec.MaxReductionsPerPass; r++) many.Output(many.Reduce(RowReduction.Sum, element * many.Constant(r + 0.5)));
        DeviceRowOperand[] operands = [x, .. Enumerable.Repeat(new DeviceRowOperand(runner.Array<float>(Values(2)), 1), RowSpec.MaxReductionsPerPass + 1)];
        Assert.Contains("reductions", Assert.Throws<ArgumentException>(() => DeviceRows.Run(runner.Device, many.Build(), operands, 2, 4)).Message);
        RowSpecBuilder builder = new(is64: false);
        RowValue label = builder.Label(), value = builder.Elements();
        builder.Output(builder.Apply(ElementOps.Add, value, label));
        Assert.Contains("Add", Assert.Throws<ArgumentException>(() => builder.Build()).Message);
    }

    private static DeviceRunner Runner(bool accelerator) => new(accelerator ? DeviceRunner.Accelerator! : DeviceRunner.Debug);

    private static float[] Values(int n)
    {
        Random random = new(n);
        return [.. Enumerable.Range(0, n).Select(_ => (float)(random.NextDouble() * 8) - 4)];
    }
}
