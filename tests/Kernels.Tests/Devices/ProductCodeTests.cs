using Fusion.Kernels;

namespace Fusion.Tests.Devices;

/// <summary>Kernels on the elements of a product where they are finished, against the product and the kernel one after the other: the same bits.</summary>
[Collection(nameof(OneDevice))]
public sealed class ProductCodeTests
{
    // Inputs: the product, one element a column, one a row (of four that repeat), one an element, a mask, a number of the host, one element for all.
    private static readonly KernelSpec s_long = Spec(ElementOps.GeluTanh), s_short = Spec(ElementOps.Relu);

    [Theory]
    [InlineData(3, 5, 4, 1)]
    [InlineData(4, 8, 3, 2)]
    public void OnTheDebugDevice(int m, int n, int k, int batch)
    {
        Check(GpuDevices.Debug, s_long, m, n, k, batch);
        Check(GpuDevices.Debug, s_short, m, n, k, batch, shift: 1);
    }

    [AcceleratorFact]
    public void BySmallTilesThinSumsAndPieces()
    {
        GpuDevice device = GpuDevices.Open(0);
        Check(device, s_long, 96, 68, 70, 1);
        Check(device, s_short, 72, 67, 70, 1);
        Check(device, s_short, 200, 5, 40, 1);
        Check(device, s_short, 64, 64, 512, 1);
    }

    [AcceleratorTheory(whole: true)]
    [InlineData(1280, 1280, 16, 1)]
    [InlineData(1280, 1284, 40, 1)]
    [InlineData(1281, 1283, 17, 1)]
    [InlineData(300, 200, 600, 12)]
    [InlineData(7, 900, 2000, 2)]
    [InlineData(40, 40, 10, 3)]
    public void ByEveryKindOfTile(int m, int n, int k, int batch)
    {
        foreach (KernelSpec spec in new[] { s_short, s_long })
            for (int shift = 0; shift < 2; shift++) Check(GpuDevices.Open(0), spec, m, n, k, batch, shift);
    }

    [Fact]
    public void OfConvolutionsOnTheDebugDevice() => CheckConvolution(GpuDevices.Debug, s_long);

    [AcceleratorFact]
    public void OfConvolutions() => CheckConvolution(GpuDevices.Open(0), s_short);

    private static KernelSpec Spec(ElementOp op) => new(
        false,
        [new(), new(), new(), new(), new(IsMask: true), new(), new(IsScalar: true)],
        [
            KernelStep.Of(ElementOps.Add, 0, 1), KernelStep.Of(ElementOps.Multiply, 7, 2), KernelStep.Of(op, 8), KernelStep.Of(ElementOps.Add, 9, 3),
            KernelStep.Of(0.5), KernelStep.Of(ElementOps.Where, 4, 10, 11), KernelStep.Of(ElementOps.Multiply, 12, 5), KernelStep.Of(ElementOps.Subtract, 13, 6),
            KernelStep.Of(ElementOps.Greater, 14, 0),
        ],
        [14, 15]);

    private static void Check(GpuDevice device, KernelSpec spec, int m, int n, int k, int batch, int shift = 0)
    {
        using DeviceRunner runner = new(device);
        DeviceOperand a = Values(runner, batch * m * k, 1), b = Values(runner, batch * k * n, 2);
        DeviceMatrix left = new(a.Block!, 0, k, m * k), right = new(b.Block!, 0, n, k * n);
        Compare(runner, spec, batch * m, n, shift, $"{m} × {n} × {k}, {batch}, {shift}", (product, work) =>
        {
            DeviceMatrix c = new(product.Block!, product.Offset, n, m * n);
            if (work.IsNone) DeviceGemm.Run<float>(device, false, false, m, n, k, left, right, c, batch);
            else work.Code<float>().Product(device, false, false, m, n, k, left, right, c, batch, null, work.Bind(0, batch * m * n, c.Block));
        });
    }

    private static void CheckConvolution(GpuDevice device, KernelSpec spec)
    {
        using DeviceRunner runner = new(device);
        WindowShape s = new DenseWindow([2, 1, 4, 8], [1, 6, 6], [1, 3, 3]) { Before = [0, 1, 1] }.Shape;
        DeviceVector x = Vector(Values(runner, 2 * 4 * 36, 1)), w = Vector(Values(runner, 4 * 8 * 9, 2)), bias = Vector(Values(runner, 8, 3));
        DeviceVector dy = Vector(Values(runner, 2 * 8 * 36, 4));
        Compare(runner, spec, 16, 36, 0, "convolution", (product, work) =>
        {
            if (work.IsNone) DeviceConvolution.Forward<float>(device, s, x, w, bias, Vector(product));
            else work.Code<float>().Convolution(device, s, x, w, bias, Vector(product), work.Bind(0, 2 * 8 * 36, product.Block!));
        });
        Compare(runner, spec, 8, 36, 0, "gradient", (product, work) =>
        {
            if (work.IsNone) DeviceConvolution.InputGradient<float>(device, s, dy, w, Vector(product));
            else work.Code<float>().InputGradient(device, s, dy, w, Vector(product), work.Bind(0, 2 * 4 * 36, product.Block!));
        });

        static DeviceVector Vector(DeviceOperand operand) => new(operand.Block!, operand.Offset);
    }

    private delegate void Product(DeviceOperand product, ProductWork work);

    private static void Compare(DeviceRunner runner, KernelSpec spec, int rows, int columns, int shift, string what, Product run)
    {
        int size = rows * columns, divisor = 2, period = Math.Max(1, rows / 4);
        DeviceOperand product = runner.Array<float>(new float[size], shift), column = Values(runner, columns, 5, shift), row = Values(runner, period, 6);
        DeviceOperand own = Values(runner, size, 7, shift), mask = runner.Mask([.. Enumerable.Range(0, size).Select(static i => (byte)(i * 7 % 3))], shift);
        DeviceOperand number = DeviceOperand.Number(1.25, DType.Float32), one = Values(runner, 1, 8);
        run(product, default);

        // The same rows written out, for the kernel that reads them by strides.
        float[] perRow = runner.Read<float>(row, period);
        DeviceOperand written = runner.Array<float>([.. Enumerable.Range(0, rows).Select(r => perRow[r / divisor % period])]);
        DeviceOperand expected = runner.Array<float>(new float[size]), expectedMask = runner.Mask(new byte[size]);
        DeviceElements.Run(
            runner.Device, spec, [product, column, written, own, mask, number, one, expected, expectedMask],
            [columns, 1, 0, 1, 1, 0, columns, 1, columns, 1, 0, 0, 0, 0, columns, 1, columns, 1], [rows, columns]);

        float[] products = runner.Read<float>(product, size), results = runner.Read<float>(expected, size);
        byte[] masks = runner.Read<byte>(expectedMask, size);
        Assert.Contains((byte)1, masks);
        bool[] isProduct = [true, false, false, false, false, false, false];
        for (int keeps = 0; keeps < 2; keeps++)
        {
            DeviceOperand again = runner.Array<float>(new float[size], shift), actual = runner.Array<float>(new float[size], shift), actualMask = runner.Mask(new byte[size], shift);
            ProductSource[] sources =
            [
                new(column, false, columns, 1, 1), new(row, false, 1, divisor, period), new(own, true, columns, 1, rows), new(mask, true, columns, 1, rows),
                new(number, false, 1, 1, 1), new(one, false, 1, 1, 1), new(actual, true, 1, 1, 1), new(actualMask, true, 1, 1, 1),
            ];
            run(again, new ProductWork(spec, isProduct, sources, columns, keeps == 1));
            Same(results, runner.Read<float>(actual, size), what);
            Same(masks, runner.Read<byte>(actualMask, size), what);
            if (keeps == 1) Same(products, runner.Read<float>(again, size), what);
        }
    }

    private static void Same<T>(T[] expected, T[] actual, string what)
        where T : unmanaged
    {
        int first = expected.AsSpan().CommonPrefixLength(actual);
        if (first < expected.Length) Assert.Fail($"{what}: element {first} is {actual[first]}, not {expected[first]}");
    }

    private static DeviceOperand Values(DeviceRunner runner, int count, int seed, int shift = 0) => runner.Array<float>(DenseArrays<float>.Values(count, seed), shift);
}
