namespace Fusion.Tests.ApiContract;

/// <summary>Uses the public names of arrays as they are promised, arguments by name: a rename does not compile. Values are tested elsewhere.</summary>
public sealed class ArraysContract
{
    [Fact]
    public void ShapesConvertFromEverythingThatLooksLikeOne()
    {
        Shape a = [2, 3];
        Shape b = (2, 3);
        Shape c = new[] { 2, 3 };
        Shape d = 6;
        int rank = a.Rank;
        long size = a.Size;
        ReadOnlySpan<int> dimensions = a.Dimensions;
        Assert.IsAssignableFrom<IEquatable<Shape>>(a);
        Assert.True(a.Equals(b) && a == c && a != d);
        Assert.Equal((2, 6L, 3, 2), (rank, size, a[-1], dimensions.Length));
        Assert.Equal(["(2, 3)", "(6,)", "()"], [a.ToString(), d.ToString(), default(Shape).ToString()]);
    }

    [Fact]
    public void ShapesAreIndexedAndSlicedFromTheEndToo()
    {
        Shape a = (2, 3, 4), scalar = [];
        Assert.Equal((4, 2, 2), (a[^1], a[^3], a[-3]));
        Assert.Equal([(3, 4), (2, 3), a, [], 3], [a[1..], a[..^1], a[..], scalar[..], a[1..2]]);
        (int n, int rows, int columns) = a;
        Assert.Equal((2, 3, 4), (n, rows, columns));
        (int first, int second) = a[1..];
        (int w, int x, int y, int z) = (Shape)(5, 6, 7, 8);
        (int _, int _, int _, int _, int last) = (Shape)(5, 6, 7, 8, 9);
        Assert.Equal((3, 4, 26, 9), (first, second, w + x + y + z, last));
        Assert.Contains("(2, 3, 4) has 3 axes", Assert.Throws<ShapeException>(() => (first, second) = a).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => a[^0]);
        Assert.Throws<ArgumentOutOfRangeException>(() => a[^4]);
        Assert.Throws<ArgumentOutOfRangeException>(() => a[2..1]);
        Assert.Throws<ArgumentOutOfRangeException>(() => a[..4]);
        Assert.Throws<ArgumentOutOfRangeException>(() => scalar[^1]);
    }

    [Fact]
    public void ElementTypesAndRequests()
    {
        Assert.Equal([DType.Float32, DType.Float64, DType.Int32, DType.Int64, DType.UInt8, DType.Bool], Enum.GetValues<DType>()[..6]);
        Assert.Equal([GradReq.Null, GradReq.Write, GradReq.Add], Enum.GetValues<GradReq>());
    }

    [Fact]
    public void MembersOfAnArray()
    {
        NDArray x = Nd.Array<float>(values: [1, 2, 3, 4, 5, 6], shape: [2, 3]);
        (Shape shape, int rank, long size, DType dtype, Device device) = (x.Shape, x.Rank, x.Size, x.DType, x.Device);
        Assert.Equal((new Shape(2, 3), 2, 6L, DType.Float32, Device.Cpu), (shape, rank, size, dtype, device));
        float item = x[0, 0].Item<float>();
        float[] copy = x.ToArray<float>();
        ReadOnlySpan<float> span = x.AsSpan<float>();
        Assert.Equal((1f, 6, 6), (item, copy.Length, span.Length));
        x.CopyFrom<float>(values: [6, 5, 4, 3, 2, 1]);
        x.Fill(value: 2);
        x.Assign(source: Nd.Ones((2, 3)));
        NDArray own = x.Copy(), converted = x.AsType(dtype: DType.Float64), moved = x.To(device: Device.Cpu);
        Assert.Equal((x.Shape, DType.Float64, Device.Cpu), (own.Shape, converted.DType, moved.Device));
        Assert.StartsWith("[[1. 1. 1.]", x.ToString(), StringComparison.Ordinal);
        Assert.IsAssignableFrom<IDisposable>(own);
        own.Dispose();
    }

    [Fact]
    public void Indexing()
    {
        NDArray x = Nd.Arange(start: 0, stop: 24, step: 1).Reshape(2, 3, 4);
        Assert.Equal(new Shape(3, 4), x[0].Shape);
        Assert.Equal(new Shape(3, 4), x[^1].Shape);
        Assert.Equal(new Shape(3, 4), x[-1].Shape);
        Assert.Equal(new Shape(1, 3), x[1..2, .., 0].Shape);
        Assert.Equal(new Shape(2, 3), x[AxisIndex.Ellipsis, 0].Shape);
        Assert.Equal(new Shape(1, 2, 3, 4), x[AxisIndex.NewAxis].Shape);
        x[0, 1..3] = Nd.Zeros(4);
        x[1, ^1, -1] = Nd.Scalar(7);
        Assert.Equal(7, x[1, 2, 3].Item<float>());
    }

    [Fact]
    public void GradientMembers()
    {
        NDArray x = Nd.Ones(2);
        NDArray? none = x.Grad;
        x.AttachGrad();
        x.AttachGrad(gradReq: GradReq.Add);
        GradReq request = x.GradReq;
        NDArray y;
        using (Autograd.Record()) y = x * x;
        y.Backward(headGradient: Nd.Ones(2), retainGraph: true, trainMode: true);
        y.Backward(retainGraph: true);
        y.Backward(Nd.Ones(2));
        bool fresh = x.FreshGrad;
        x.FreshGrad = false;
        x.ZeroGrad();
        NDArray detached = x.Detach();
        x.DropGrad();
        Assert.Equal((GradReq.Add, true, (NDArray?)null, (NDArray?)null, (NDArray?)null), (request, fresh, none, detached.Grad, x.Grad));
    }

    [Fact]
    public void Operators()
    {
        NDArray x = Nd.Array([1f, 2]), y = Nd.Array([3f, 4]);
        NDArray[] numbers = [x + y, x + 1, 1 + x, x - y, x - 1, 1 - x, x * y, x * 2, 2 * x, x / y, x / 2, 2 / x, x % y, x % 2, 2 % x, -x];
        NDArray[] truths = [x < y, x < 1, 1 < x, x > y, x > 1, 1 > x, x <= y, x <= 1, 1 <= x, x >= y, x >= 1, 1 >= x];
        Assert.All(numbers, static a => Assert.Equal(DType.Float32, a.DType));
        Assert.All(truths, static a => Assert.Equal(DType.Bool, a.DType));
        NDArray same = x;
        Assert.True(x == same && x != y.Copy() && x != x.Copy());
    }

    [Fact]
    public void Creation()
    {
        NDArray[] created =
        [
            Nd.Array<double>(values: [1.0, 2]), Nd.Array([1, 2]), Nd.Array([1L]), Nd.Array([(byte)1]), Nd.Array([true]),
            Nd.Array(new float[,] { { 1 }, { 2 } }),
            Nd.Array<float>((ReadOnlySpan<float>)[1, 2], (2, 1)), Nd.Scalar(v: 1.5), Nd.Scalar(v(2), dtype: DType.Int32),
            Nd.Zeros((2, 3), dtype: DType.Float64, device: Device.Cpu),
            Nd.Ones([2]), Nd.Full((2, 2), 0.5), Nd.Full(2, 0.5, dtype: DType.Float64, device: null), Nd.ZerosLike(Nd.Ones(2)), Nd.Ones(3).OnesLike(),
            Nd.Eye(n: 3),
            Nd.Arange(start: 0, stop: 1, step: 0.25), Nd.Linspace(start: 0, stop: 1, count: 5),
        ];
        DType[] types = [DType.Float64, DType.Int32, DType.Int64, DType.UInt8, DType.Bool, DType.Float32, DType.Float32, DType.Float32, DType.Int32, DType.Float64];
        Assert.Equal(types, created[..10].Select(static a => a.DType));
        Assert.All(created[10..], static a => Assert.True(a.DType is DType.Float32 or DType.Float64));

        static double v(double value) => value;
    }

    [Fact]
    public void RandomNumbers()
    {
        NDArray uniform = Nd.Random.Uniform(low: -1, high: 1, shape: (2, 3), dtype: DType.Float64);
        NDArray normal = Nd.Random.Normal(mean: 0, std: 1, shape: 4);
        NDArray integers = Nd.Random.RandInt(low: 0, high: 10, shape: [5]);
        Assert.Equal((DType.Float64, DType.Float32, DType.Int32), (uniform.DType, normal.DType, integers.DType));
        Action<ulong> seed = Nd.Random.Seed;
        Assert.NotNull(seed);
    }

    [Fact]
    public void TheRuntime()
    {
        Device.Cpu.Synchronize();
        Assert.True(FusionRuntime.NumThreads >= 1);
        FusionRuntime.NumThreads = FusionRuntime.NumThreads;
        Assert.True(FusionRuntime.PeakBytes >= 0 && FusionRuntime.LiveBytes >= 0);
        Action reset = FusionRuntime.ResetPeak;
        Assert.NotNull(reset);
    }

    [Fact]
    public void Exceptions()
    {
        InvalidOperationException autograd = new AutogradException("a");
        ArgumentException shape = new ShapeException("b"), dtype = new DTypeException("c");
        Assert.Equal(["a", "b", "c"], [autograd.Message, shape.Message, dtype.Message]);
    }
}
