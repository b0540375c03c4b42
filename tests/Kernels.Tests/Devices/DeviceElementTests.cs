using Fusion.Kernels;

namespace Fusion.Tests.Devices;

/// <summary>Element kernels of devices over all kinds of operands, against plain loops in C#.</summary>
[Collection(nameof(OneDevice))]
public class DeviceElementTests
{
    private static readonly KernelSpec s_add = KernelSpec.Of(ElementOps.Add, false);

    public static TheoryData<bool> Devices => GpuDevices.Count > 0 ? [false, true] : [false];

    [Theory]
    [MemberData(nameof(Devices))]
    public void OperandsAreBroadcast(bool accelerator)
    {
        int rows = accelerator ? 301 : 5, columns = accelerator ? 233 : 7;
        using DeviceRunner runner = Runner(accelerator);
        float[] x = Values(rows * columns), row = Values(columns), column = Values(rows);
        DeviceOperand dx = runner.Array<float>(x), drow = runner.Array<float>(row), dcolumn = runner.Array<float>(column);
        DeviceOperand y = runner.Array<float>(new float[x.Length]);
        DeviceElements.Run(runner.Device, s_add, [dx, drow, y], [columns, 1, 0, 1, columns, 1], [rows, columns]);
        Assert.Equal(Each(rows, columns, (i, j) => x[(i * columns) + j] + row[j]), runner.Read<float>(y, x.Length));
        DeviceElements.Run(runner.Device, s_add, [dcolumn, drow, y], [1, 0, 0, 1, columns, 1], [rows, columns]);
        Assert.Equal(Each(rows, columns, (i, j) => column[i] + row[j]), runner.Read<float>(y, x.Length));
    }

    [Theory]
    [MemberData(nameof(Devices))]
    public void AxesRunBackwardsAndAcross(bool accelerator)
    {
        int n = accelerator ? 129 : 6;
        using DeviceRunner runner = Runner(accelerator);
        float[] x = Values(n * n * 3), z = Values(2 * n * n * 3);
        DeviceOperand dx = runner.Array<float>(x), dz = runner.Array<float>(z), y = runner.Array<float>(new float[x.Length]);
        // x transposed in its first two axes and reversed in the last; every second z, from the end.
        DeviceElements.Run(
            runner.Device, s_add, [dx with { Offset = 2 }, dz with { Offset = z.Length - 1 }, y],
            [3, n * 3, -1, -2 * n * 3, -6, -2, n * 3, 3, 1], [n, n, 3]);
        float[] expected = new float[x.Length];
        for (int i = 0; i < n; i++)
        {
            for (int j = 0; j < n; j++)
            {
                for (int k = 0; k < 3; k++)
                {
                    int flat = (((i * n) + j) * 3) + k;
                    expected[flat] = x[(((j * n) + i) * 3) + 2 - k] + z[z.Length - 1 - (2 * flat)];
                }
            }
        }

        Assert.Equal(expected, runner.Read<float>(y, x.Length));
    }

    [Theory]
    [MemberData(nameof(Devices))]
    public void OutputsMayBeStridedAndInputsThemselves(bool accelerator)
    {
        int n = accelerator ? 100_003 : 37;
        using DeviceRunner runner = Runner(accelerator);
        float[] x = Values(n), target = Values(2 * n);
        DeviceOperand dx = runner.Array<float>(x), y = runner.Array<float>(target);
        DeviceElements.Run(runner.Device, s_add, [dx, dx, y with { Offset = 1 }], [1, 1, 2], [n]);
        for (int i = 0; i < n; i++) target[(2 * i) + 1] = x[i] + x[i];
        Assert.Equal(target, runner.Read<float>(y, 2 * n));
        DeviceElements.Run(runner.Device, s_add, [dx, dx, dx], [1, 1, 1], [n]);
        Assert.Equal(x.Select(v => v + v), runner.Read<float>(dx, n));
    }

    [Theory]
    [MemberData(nameof(Devices))]
    public void NumbersComeFromTheDeviceOrTheHost(bool accelerator)
    {
        using DeviceRunner runner = Runner(accelerator);
        float[] x = Values(21);
        DeviceOperand dx = runner.Array<float>(x), one = runner.Array<float>([3.5f], 5), y = runner.Array<float>(new float[21]);
        DeviceElements.Run(runner.Device, s_add, [dx, one, y], [1, 0, 1], [21]);
        Assert.Equal(x.Select(v => v + 3.5f), runner.Read<float>(y, 21));
        DeviceElements.Run(runner.Device, s_add, [DeviceOperand.Number(0.1, DType.Float32), dx, y], [0, 1, 1], [21]);
        Assert.Equal(x.Select(v => 0.1f + v), runner.Read<float>(y, 21));
        KernelSpec where = KernelSpec.Of(ElementOps.Where, false);
        DeviceElements.Run(runner.Device, where, [DeviceOperand.Number(0, DType.Bool), dx, one, y], [0, 1, 0, 1], [21]);
        Assert.All(runner.Read<float>(y, 21), v => Assert.Equal(3.5f, v));
        DeviceElements.Run(runner.Device, where, [DeviceOperand.Number(7, DType.Bool), dx, one, y], [0, 1, 0, 1], [21]);
        Assert.Equal(x, runner.Read<float>(y, 21));
    }

    [Theory]
    [MemberData(nameof(Devices))]
    public void EveryLengthAndAlignmentIsCovered(bool accelerator)
    {
        using DeviceRunner runner = Runner(accelerator);
        KernelSpec greater = KernelSpec.Of(ElementOps.Greater, false);
        foreach (int offset in new[] { 0, 1, 4 })
        {
            for (int n = 1; n <= 19; n++)
            {
                float[] x = Values(n), z = Values(n + 1)[1..];
                byte[] canary = [.. Enumerable.Repeat((byte)9, n + 8)];
                DeviceOperand dx = runner.Array<float>(x, offset), dz = runner.Array<float>(z, offset), y = runner.Mask(canary, offset);
                DeviceElements.Run(runner.Device, greater, [dx, dz, y], [1, 1, 1], [n]);
                byte[] expected = [.. x.Zip(z, (a, b) => a > b ? (byte)1 : (byte)0), .. canary[n..]];
                Assert.Equal(expected, runner.Read<byte>(y, n + 8));
            }
        }
    }

    [Theory]
    [MemberData(nameof(Devices))]
    public void SeveralOutputsAndMasks(bool accelerator)
    {
        int n = accelerator ? 50_001 : 41;
        using DeviceRunner runner = Runner(accelerator);
        float[] x = Values(n), z = [.. Values(n).Reverse()];
        byte[] mask = [.. Enumerable.Range(0, n).Select(i => (byte)(i % 3 * 64))];
        // x > z and mask; max(x, z) where that is, else −x; the mask as a number.
        KernelSpec spec = new(
            false, [new(), new(), new(IsMask: true)],
            [
                KernelStep.Of(ElementOps.Greater, 0, 1), KernelStep.Of(ElementOps.LogicalAnd, 3, 2), KernelStep.Of(ElementOps.Maximum, 0, 1),
                KernelStep.Of(ElementOps.Negate, 0), KernelStep.Of(ElementOps.Where, 4, 5, 6), KernelStep.Of(ElementOps.MaskToValue, 2),
            ],
            [4, 7, 8]);
        DeviceOperand truth = runner.Mask(new byte[n]), number = runner.Array<float>(new float[n]), asNumber = runner.Array<float>(new float[n]);
        DeviceElements.Run(
            runner.Device, spec, [runner.Array<float>(x), runner.Array<float>(z), runner.Mask(mask), truth, number, asNumber], [1, 1, 1, 1, 1, 1], [n]);
        bool Both(int i) => x[i] > z[i] && mask[i] != 0;
        Assert.Equal(Enumerable.Range(0, n).Select(i => (byte)(Both(i) ? 1 : 0)), runner.Read<byte>(truth, n));
        Assert.Equal(Enumerable.Range(0, n).Select(i => Both(i) ? Math.Max(x[i], z[i]) : -x[i]), runner.Read<float>(number, n));
        Assert.Equal(mask.Select(m => m != 0 ? 1f : 0f), runner.Read<float>(asNumber, n));
    }

    [Fact]
    public void ManyOperandsFitOneKernel()
    {
        using DeviceRunner runner = new(DeviceRunner.Debug);
        const int Inputs = 24, Outputs = 8, N = 9;
        List<KernelStep> steps = [KernelStep.Of(ElementOps.Add, 0, 1)];
        for (int k = 2; k < Inputs; k++) steps.Add(KernelStep.Of(ElementOps.Add, Inputs + steps.Count - 1, k));
        int[] outputs = [.. Enumerable.Range(Inputs + steps.Count - Outputs, Outputs)];
        KernelSpec spec = new(false, new KernelInput[Inputs], [.. steps], outputs);
        float[][] inputs = [.. Enumerable.Range(0, Inputs).Select(_ => Values(N))];
        DeviceOperand[] operands = [.. inputs.Select(v => runner.Array<float>(v)), .. outputs.Select(_ => runner.Array<float>(new float[N]))];
        DeviceElements.Run(runner.Device, spec, operands, [.. operands.Select(_ => 1L)], [N]);
        float[] sum = inputs.Aggregate((a, b) => [.. a.Zip(b, (x, y) => x + y)]);
        Assert.Equal(sum, runner.Read<float>(operands[^1], N));
        // Strided, all of them: backwards.
        DeviceElements.Run(
            runner.Device, spec, [.. operands.Select(o => o with { Offset = N - 1 })], [.. operands.Select(_ => -1L)], [N]);
        Assert.Equal(sum, runner.Read<float>(operands[^1], N));
    }

    [Theory]
    [MemberData(nameof(Devices))]
    public void OtherSizesStridesAndNumbersCompileNothing(bool accelerator)
    {
        using DeviceRunner runner = Runner(accelerator);
        KernelSpec spec = KernelSpec.Of(ElementOps.Lerp, false);
        DeviceOperand x = runner.Array<float>(Values(500)), y = runner.Array<float>(new float[500]);
        DeviceElements.Run(runner.Device, spec, [x, x, DeviceOperand.Number(0.5, DType.Float32), y], [4, 2, 1, 2, 0, 0, 8, 1], [5, 4]);
        int compiled = DeviceElements.CompileCount;
        long launched = runner.Device.LaunchCount;
        DeviceElements.Run(runner.Device, spec, [x, x with { Offset = 90 }, DeviceOperand.Number(0.25, DType.Float32), y], [8, 1, -9, -1, 0, 0, 8, 1], [10, 7]);
        DeviceElements.Run(runner.Device, spec, [x, x, DeviceOperand.Number(0.25, DType.Float32), y], [8, 1, 9, 1, 0, 0, 8, 1], [0, 7]);
        Assert.Equal((0, 1L), (DeviceElements.CompileCount - compiled, runner.Device.LaunchCount - launched));
    }

    [AcceleratorFact]
    public void ALaunchAllocatesNothing()
    {
        using DeviceRunner runner = Runner(true);
        DeviceOperand x = runner.Array<float>(Values(64)), y = runner.Array<float>(new float[64]);
        DeviceOperand[] operands = [x, x, y];
        long[] strides = [1, 1, 1];
        int[] shape = [64];
        for (int i = 0; i < 5; i++) DeviceElements.Run(runner.Device, s_add, operands, strides, shape);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 10; i++) DeviceElements.Run(runner.Device, s_add, operands, strides, shape);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void MistakesAreNamed()
    {
        using DeviceRunner runner = new(DeviceRunner.Debug);
        DeviceOperand x = runner.Array<float>(Values(4)), n = runner.Array<int>([1, 2, 3, 4]);
        Assert.Contains("Operand 1", Assert.Throws<ArgumentException>(() => DeviceElements.Run(runner.Device, s_add, [x, n, x], [1, 1, 1], [4])).Message);
        Assert.Contains("strides", Assert.Throws<ArgumentException>(() => DeviceElements.Run(runner.Device, s_add, [x, x, x], [1, 1], [4])).Message);
        KernelSpec exp = KernelSpec.Of(ElementOps.Exp, false);
        Assert.Contains("Exp", Assert.Throws<DTypeException>(() => DeviceElements.Run(runner.Device, exp, DType.Int32, [n, n], [1, 1], [4])).Message);
    }

    [Fact]
    public void DivisionByMultiplicationIsExact()
    {
        Random random = new(5);
        for (int round = 0; round < 200_000; round++)
        {
            int divisor = round < 3000 ? round + 2 : 2 + (random.Next() >> random.Next(30));
            if (divisor < 2) divisor = int.MaxValue;
            DeviceDivisor d = new(divisor);
            int i = random.Next() >> random.Next(31);
            foreach (int value in new[] { i, int.MaxValue, int.MaxValue - i, i / divisor * divisor, Math.Max(0, (i / divisor * divisor) - 1) })
            {
                Assert.Equal(value / divisor, DeviceMemory.Quotient(value, (int)d.Multiplier, d.Shift - 32));
                Assert.Equal(value / divisor, DeviceDivisor.Divide(value, d));
                Assert.Equal(value, DeviceDivisor.Divide(value, new DeviceDivisor(1)));
                Assert.Equal(0, DeviceDivisor.Divide(value, DeviceDivisor.Infinite));
            }
        }
    }

    private static DeviceRunner Runner(bool accelerator) => new(accelerator ? DeviceRunner.Accelerator! : DeviceRunner.Debug);

    private static float[] Values(int n)
    {
        Random random = new(n);
        return [.. Enumerable.Range(0, n).Select(_ => (float)(random.NextDouble() * 8) - 4)];
    }

    private static float[] Each(int rows, int columns, Func<int, int, float> value) =>
        [.. Enumerable.Range(0, rows * columns).Select(k => value(k / columns, k % columns))];
}
