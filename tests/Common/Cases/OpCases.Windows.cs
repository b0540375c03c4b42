namespace Fusion.Tests;

// Convolutions and poolings.
internal static partial class OpCases
{
    private static readonly Shape[][] s_images = [[[1, 2, 4, 3]], [[2, 3, 9, 40]], [[0, 2, 4, 4]]];

    internal static readonly OpCase[] WindowCases =
    [
        Case(OpTable.Conv, "", static x => Nd.Conv2D(x[0], x[1], stride: (1, 2), padding: 1), static x => Conv(x, [1, 2], 1),
            [[[1, 2, 3, 3], [2, 2, 2, 2]], [[3, 3, 9, 40], [5, 3, 3, 3]], [[1, 2, 24, 50], [9, 2, 1, 1]], [[0, 2, 4, 4], [3, 2, 2, 2]]]) with
        {
            Scale = 128,
            Large = [[8, 6, 30, 30], [20, 6, 3, 3]],
            Rejects =
            [
                Rejection.Of<ShapeException>("other channels", static () => Nd.Conv2D(Nd.Ones((2, 3, 8, 8)), Nd.Ones((4, 2, 3, 3))), "Conv2D", "(2, 3, 8, 8)",
                    "3 channels", "(4, 2, 3, 3)"),
                Rejection.Of<ShapeException>("a kernel that does not fit", static () => Nd.Conv2D(Nd.Ones((1, 1, 2, 2)), Nd.Ones((1, 1, 3, 3))), "Conv2D",
                    "3 elements", "axis 2", "Pad more"),
                Rejection.Of<DTypeException>("integers",
                    static () => OpTable.Conv.Apply(Nd.Ones((1, 1, 2, 2), DType.Int32), Nd.Ones((1, 1, 2, 2), DType.Int32), Plane(2, 2, 1, 0)), "Conv2D",
                    "Int32", "AsType"),
            ],
        },
        Case(OpTable.Conv, "depthwise", static x => Nd.Conv2D(x[0], x[1], stride: 2, padding: 1, groups: ShapeOf(x[0])[1]),
            static x => Conv(x, [2, 2], 1, x[0].Shape[1]), [[[1, 2, 3, 3], [2, 1, 2, 2]], [[2, 5, 9, 70], [5, 1, 3, 3]], [[2, 21, 7, 8], [21, 1, 3, 3]]]) with
        {
            Scale = 32,
            Large = [[4, 40, 30, 30], [40, 1, 3, 3]],
        },
        Case(OpTable.Conv, "depthwise, volumes", static x => Nd.Conv3D(x[0], x[1], padding: 1, groups: ShapeOf(x[0])[1]),
            static x => Conv(x, [1, 1, 1], 1, x[0].Shape[1]), [[[1, 9, 2, 3, 2], [9, 1, 2, 2, 2]], [[2, 17, 3, 4, 5], [17, 1, 3, 3, 3]]]) with { Scale = 32 },
        Case(OpTable.Conv, "1-D with groups", static x => Nd.Conv1D(x[0], x[1], stride: 2, dilation: 2, groups: 2), static x => Conv(x, [2], 0, 2, 2),
            [[[2, 2, 5], [2, 1, 2]], [[2, 4, 800], [6, 2, 3]]]) with { Scale = 32 },
        Case(OpTable.ConvBias, "", static x => Nd.Conv2D(x[0], x[1], x[2], padding: 1), static x => PlusChannels(Conv(x, [1, 1], 1), x[2]),
            [[[1, 2, 3, 2], [2, 2, 2, 2], [2]], [[2, 3, 9, 40], [5, 3, 3, 3], [5]], [[2, 3, 9, 9], [3, 3, 1, 1], [3]]]) with
        {
            Scale = 128,
            Optional = [2],
            Rejects = [Rejection.Of<ShapeException>("a bias that does not fit",
                static () => Nd.Conv2D(Nd.Ones((2, 3, 8, 8)), Nd.Ones((4, 3, 3, 3)), Nd.Ones(3)), "Conv2D", "(4,)", "(3,)")],
        },
        Case(OpTable.ConvInputGradient, "", static x => Nd.ConvTranspose2D(x[0], x[1], stride: 2, padding: 1), static x => ConvTranspose(x, 2, 1),
            [[[1, 2, 2, 3], [2, 2, 3, 2]], [[2, 3, 9, 20], [3, 5, 3, 3]], [[0, 3, 2, 2], [3, 2, 3, 3]]]) with
        {
            Scale = 128,
            Large = [[8, 20, 15, 15], [20, 6, 3, 3]],
            Rejects = [Rejection.Of<ShapeException>("other channels", static () => Nd.ConvTranspose2D(Nd.Ones((2, 3, 8, 8)), Nd.Ones((4, 3, 3, 3))),
                "ConvTranspose2D", "3 channels", "swap")],
        },
        Case(OpTable.ConvWeightGradient, "", static x => OpTable.ConvWeightGradient.Apply(x[0], x[1], Plane(ShapeOf(x[0])[2], ShapeOf(x[0])[3], 2, 1)),
            static x => WeightGradient(x), [[[2, 2, 2, 1], [2, 2, 3, 2]], [[3, 2, 9, 40], [3, 5, 10, 41]], [[2, 2, 20, 20], [2, 3, 21, 21]]]) with
        {
            Domains = [Real(-1, 1)],
            Scale = 1000,
        },
        Case(OpTable.MaxPool, "", static x => Nd.MaxPool2D(x[0], (3, 2), 2, (1, 0)), static x => Pool(x[0], [3, 2], [2, 2], [1, 0], static w => w.Max()),
            s_images) with
        {
            Domains = [Domain.Distinct(-3, 3)],
            Large = [[40, 4, 30, 30]],
            Rejects = [Rejection.Of<ShapeException>("a padding as large as the kernel", static () => Nd.MaxPool2D(Nd.Ones((1, 1, 8, 8)), 2, padding: 2),
                "MaxPool2D", "less than the kernel 2")],
        },
        Case(OpTable.MaxPoolIndices, "", static x => OpTable.MaxPoolIndices.Apply(x[0], PoolOf(x[0])), static x => MaxIndices(x[0]), s_images) with
        {
            Domains = [Domain.Distinct(-3, 3)],
            Result = static dtype => dtype == DType.Float64 ? DType.Int64 : DType.Int32,
            Order = 0,
        },
        Case(OpTable.SumPool, "", static x => Nd.AvgPool2D(x[0], (3, 2), (2, 1), (1, 1)),
            static x => Pool(x[0], [3, 2], [2, 1], [1, 1], static w => w.Sum() / 6), s_images) with
        {
            Scale = 2,
            Large = [[40, 4, 30, 30]],
            Rejects = [Rejection.Of<ShapeException>("another rank", static () => Nd.AvgPool2D(Nd.Ones((1, 8, 8))), "AvgPool2D", "(1, 8, 8)", "ExpandDims")],
        },
        Case(OpTable.SumPool, "without padding", static x => Nd.AvgPool2D(x[0], 3, 2, 1, countIncludePad: false),
            static x => Pool(x[0], [3, 3], [2, 2], [1, 1], static w => w.Average()), s_images[..2]) with { Scale = 2 },
        Case(OpTable.SumPoolGradient, "", static x => OpTable.SumPoolGradient.Apply(x[0], Plane(2 * ShapeOf(x[0])[2], 2 * ShapeOf(x[0])[3] - 1, 3, 1, 2)),
            static x => Unpool(x[0]), [[[1, 2, 2, 3]], [[2, 2, 5, 40]]]) with { Scale = 8 },
    ];

    private static Shape ShapeOf(NDArray x) => x?.Shape ?? throw new ArgumentNullException(nameof(x));

    /// <summary>A square kernel over a plane.</summary>
    private static WindowAttributes Plane(int height, int width, int kernel, int padding, int stride = 1) =>
        WindowRules.Attributes("Plane", [height, width], [kernel, kernel], stride, null, padding);

    private static WindowAttributes PoolOf(NDArray x) => WindowRules.Attributes("Pool", ShapeOf(x).Dimensions[2..], [3, 2], (2, 2), null, (1, 0));

    private static RefArray Conv(RefArray[] x, int[] stride, int padding, int groups = 1, int dilation = 1)
    {
        WindowReference reference = new(x[0].Shape, x[1].Shape, stride, [.. stride.Select(_ => dilation)], [.. stride.Select(_ => (padding, padding))], groups);
        return new RefArray(reference.OutputShape, reference.Forward(x[0].Values, x[1].Values));
    }

    private static RefArray ConvTranspose(RefArray[] x, int stride, int padding)
    {
        int[] w = x[1].Shape;
        int[] shape = [x[0].Shape[0], w[1], .. Enumerable.Range(2, 2).Select(i => (x[0].Shape[i] - 1) * stride - 2 * padding + w[i])];
        return new RefArray(shape,
            new WindowReference(shape, w, [stride, stride], [1, 1], [(padding, padding), (padding, padding)], 1).InputGradient(x[0].Values, x[1].Values));
    }

    // Kernel 2, padding 1: the output is one larger than the input.
    private static RefArray WeightGradient(RefArray[] x)
    {
        int[] w = [x[1].Shape[1], x[0].Shape[1], 2, 2];
        return new RefArray(w, new WindowReference(x[0].Shape, w, [1, 1], [1, 1], [(1, 1), (1, 1)], 1).WeightGradient(x[0].Values, x[1].Values));
    }

    private static RefArray Pool(RefArray x, int[] kernel, int[] stride, int[] padding, Func<double[], double> join)
    {
        WindowReference reference = Planes(x.Shape, kernel, stride, padding);
        double[] values = [.. reference.Windows().Select(w => join([.. w.Select(i => x.Values[i])]))];
        return new RefArray([.. x.Shape[..2], .. reference.OutputShape[2..]], values);
    }

    private static RefArray MaxIndices(RefArray x)
    {
        WindowReference reference = Planes(x.Shape, [3, 2], [2, 2], [1, 0]);
        int plane = x.Shape[2] * x.Shape[3];
        return new RefArray([.. x.Shape[..2], .. reference.OutputShape[2..]],
            [.. reference.Windows().Select(w => (double)(w.MaxBy(i => x.Values[i]) % plane))]);
    }

    private static RefArray Unpool(RefArray g)
    {
        int[] shape = [.. g.Shape[..2], 2 * g.Shape[2], 2 * g.Shape[3] - 1];
        double[] result = new double[WindowReference.Size(shape)];
        List<int>[] windows = Planes(shape, [3, 3], [2, 2], [1, 1]).Windows();
        for (int o = 0; o < windows.Length; o++)
            foreach (int i in windows[o]) result[i] += g.Values[o];
        return new RefArray(shape, result);
    }

    private static WindowReference Planes(int[] shape, int[] kernel, int[] stride, int[] padding) =>
        new([shape[0] * shape[1], 1, .. shape[2..]], [1, 1, .. kernel], stride, [1, 1], [.. padding.Select(p => (p, p))], 1);

    private static RefArray PlusChannels(RefArray x, RefArray bias) => RefArray.Build(x.Shape, i => x[i] + bias[i[1]]);
}
