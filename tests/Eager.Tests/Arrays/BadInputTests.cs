using Fusion.Data;
using Fusion.NN;
using Fusion.Optim;

namespace Fusion.Tests;

/// <summary>Bad input is refused where it is given: by type, with operator, shapes and remedy, and without a trace in arrays or flags.</summary>
public sealed class BadInputTests
{
    private static readonly NDArray s_x = Nd.Arange(0, 6).Reshape(2, 3);
    private static readonly NDArray s_indices = Nd.Array([0, 5]);

    public static TheoryData<string> ShapeCases => [.. s_shapes.Keys];

    public static TheoryData<string> RangeCases => [.. s_ranges.Keys];

    public static TheoryData<string> NullCases => [.. s_nulls.Keys];

    private static readonly Dictionary<string, (Action Act, string[] Parts)> s_shapes = new()
    {
        ["add"] = (static () => _ = s_x + Nd.Ones(2), ["Add", "(2, 3)", "(2,)", "Reshape"]),
        ["where"] = (static () => Nd.Where(s_x > 0, s_x, Nd.Ones((3, 3))), ["Where", "(2, 3)", "(3, 3)"]),
        ["matmul"] = (static () => Nd.MatMul(s_x, Nd.Ones((2, 4))), ["MatMul: inner dimensions differ: (2, 3) × (2, 4), 3 ≠ 2", "Transpose"]),
        ["matmul batch"] = (static () => Nd.MatMul(Nd.Ones((2, 1, 1)), Nd.Ones((3, 1, 1))), ["MatMul", "(2, 1, 1)", "(3, 1, 1)"]),
        ["matmul vector"] = (static () => Nd.MatMul(s_x, Nd.Ones(2)), ["MatMul", "3 ≠ 2"]),
        ["matmul scalar"] = (static () => Nd.MatMul(s_x, Nd.Scalar(1)), ["MatMul", "*"]),
        ["dot"] = (static () => Nd.Dot(s_x, s_x), ["Dot: inner dimensions differ: (2, 3) × (2, 3), 3 ≠ 2"]),
        ["fully connected"] = (static () => Nd.FullyConnected(s_x, Nd.Ones((5, 4))), ["FullyConnected", "3 ≠ 4"]),
        ["fully connected bias"] = (static () => Nd.FullyConnected(s_x, Nd.Ones((5, 3)), Nd.Ones(4)), ["FullyConnected", "(4,)"]),
        ["reshape"] = (static () => s_x.Reshape(4), ["Reshape", "(2, 3)", "6 elements", "−1"]),
        ["reshape unknown"] = (static () => s_x.Reshape(-1, 4), ["Reshape", "(-1, 4)"]),
        ["reshape two unknown"] = (static () => s_x.Reshape(-1, -1), ["Reshape", "only one size"]),
        ["reshape unknown beside zero"] = (static () => Nd.Zeros((0, 3)).Reshape(-1, 0), ["Reshape", "(-1, 0)", "any size"]),
        ["reshape unknown of an empty batch"] = (static () => Nd.Zeros((0, 3, 4)).Reshape(0, -1), ["Reshape", "(0, -1)", "any size"]),
        ["reshape some to none"] = (static () => s_x.Reshape(-1, 0), ["Reshape", "6 elements", "(-1, 0)"]),
        ["reshape negative"] = (static () => s_x.Reshape(-2, -3), ["Reshape", "(-2, -3)", "negative"]),
        ["broadcast"] = (static () => s_x.BroadcastTo((3, 3)), ["BroadcastTo", "(2, 3)", "(3, 3)"]),
        ["squeeze"] = (static () => s_x.Squeeze(0), ["Squeeze", "axis 0", "size 2"]),
        ["squeeze twice"] = (static () => Nd.Ones((1, 2)).Squeeze(0, -2), ["Squeeze", "axis 0", "twice"]),
        ["transpose"] = (static () => s_x.Transpose(0, 0), ["Transpose", "(0, 0)", "permutation"]),
        ["transpose rank"] = (static () => s_x.Transpose(1), ["Transpose", "1 axes"]),
        ["concat"] = (static () => Nd.Concat([s_x, Nd.Ones((2, 4))]), ["Concat", "(2, 3)", "(2, 4)"]),
        ["concat ranks"] = (static () => Nd.Concat([s_x, Nd.Ones(3)]), ["Concat", "(3,)"]),
        ["concat nothing"] = (static () => Nd.Concat([]), ["Concat", "empty"]),
        ["stack"] = (static () => Nd.Stack([s_x, Nd.Ones(3)]), ["Stack", "(3,)"]),
        ["stack nothing"] = (static () => Nd.Stack([]), ["Stack", "empty"]),
        ["split"] = (static () => s_x.Split(2, axis: 1), ["Split", "size 3", "2 equal parts"]),
        ["split into none"] = (static () => s_x.Split(0), ["Split"]),
        ["pad"] = (static () => s_x.Pad([(1, 1)]), ["Pad", "1 pairs"]),
        ["pad negative"] = (static () => s_x.Pad([(0, 0), (-1, 0)]), ["Pad", "axis 1", "Slice"]),
        ["pick"] = (static () => s_x.Pick(Nd.Array([0, 0, 0])), ["Pick", "(2,)", "(3,)"]),
        ["mask"] = (static () => s_x.BooleanMask(Nd.Array([true, false, true])), ["BooleanMask", "(3,)", "(2, 3)", "axis 0"]),
        ["mask of too many axes"] = (static () => s_x.BooleanMask(s_x > 0, axis: 1), ["BooleanMask", "(2, 3)", "axis 1"]),
        ["take along axis"] = (static () => s_x.TakeAlongAxis(s_indices), ["TakeAlongAxis", "rank"]),
        ["max of nothing"] = (static () => Nd.Zeros((0, 2)).Max(0), ["Max", "empty"]),
        ["argmin of nothing"] = (static () => Nd.Zeros(0).ArgMin(), ["ArgMin", "empty"]),
        ["too many axes"] = (static () => Nd.Zeros(new int[65]), ["65 axes", "64 at most"]),
        ["too many axes of a product"] = (static () => Nd.Kron(Nd.Ones(Ones(33)), Nd.Ones(Ones(33))), ["66 axes", "64 at most"]),
        ["negative size"] = (static () => Nd.Zeros((2, -1)), ["negative", "(2, -1)"]),
        ["too many elements"] = (static () => Nd.Zeros(new[] { int.MaxValue, int.MaxValue, int.MaxValue }), ["2^63"]),
        ["values"] = (static () => Nd.Array<float>([1, 2, 3], (2, 2)), ["Array", "3 values", "(2, 2)"]),
        ["item of many"] = (static () => s_x.Item<float>(), ["Item", "(2, 3)", "6 elements", "ToArray"]),
        ["span of a view"] = (static () => _ = s_x.Transpose().AsSpan<float>().Length, ["AsSpan", "Copy()"]),
        ["copy from"] = (static () => s_x.CopyFrom<float>([1]), ["CopyFrom", "1 values", "6 elements"]),
        ["assign"] = (static () => s_x.Assign(Nd.Ones(2)), ["Assign", "(2,)", "(2, 3)"]),
        ["set"] = (static () => s_x[0] = Nd.Ones(2), ["(2,)", "(3,)"]),
        ["trace of a vector"] = (static () => Nd.Ones(3).Trace(), ["Trace: (3,)", "ExpandDims"]),
        ["bias of a transposed convolution"] = (static () => Nd.Ones((1, 2, 4, 4)).ConvTranspose2D(Nd.Ones((2, 3, 3, 3)), Nd.Ones(2)), ["ConvTranspose2D: bias must be (3,)", "(2,)"]),
        ["cross entropy"] = (static () => Nd.SoftmaxCrossEntropy(s_x, Nd.Array([0, 1, 2])), ["SoftmaxCrossEntropy", "(2, 3)", "(3,)"]),
        ["einsum rank"] = (static () => Nd.Einsum("ijk->i", s_x), ["Einsum", "(2, 3)"]),
        ["einsum of too many"] = (static () => Nd.Einsum("ijk,ijk->k", Nd.Zeros((70_000, 70_000, 0)), Nd.Zeros((70_000, 70_000, 0))), ["Einsum", "4900000000"]),
        ["singular vectors too many"] = (static () => Nd.Zeros((0, 50_000, 50_000)).Svd(), ["Svd", "5000050000"]),
        ["einsum sizes"] = (static () => Nd.Einsum("ij,ij->i", s_x, Nd.Ones((2, 4))), ["Einsum", "3", "4"]),
        ["diag off the axis"] = (static () => Nd.Ones(3).Diag(int.MinValue), ["Diag", "axis"]),
        ["repeat too often"] = (static () => s_x.Repeat(int.MaxValue, 0), ["Repeat", "4294967294"]),
        ["tile too often"] = (static () => s_x.Tile(int.MaxValue), ["Tile", "6442450941"]),
        ["pad too wide"] = (static () => s_x.Pad([(0, 0), (int.MaxValue, 1)]), ["Pad", "2147483651"]),
        ["pad edges too wide"] = (static () => s_x.Pad([(0, 0), (0, int.MaxValue)], PadMode.Edge), ["Pad", "2147483650"]),
        ["flatten too long"] = (static () => Nd.Scalar(1).BroadcastTo((2, 1 << 16, 1 << 16)).Flatten(), ["Flatten", "4294967296"]),
        ["kron too long"] = (static () => Nd.Kron(Nd.Scalar(1).BroadcastTo(1 << 16), Nd.Scalar(1).BroadcastTo(1 << 16)), ["Kron", "4294967296"]),
        ["fold"] = (static () => Nd.Ones((1, 4, 9)).Fold(int.MaxValue, int.MaxValue, (2, 2)), ["Fold"]),
        ["unfold"] = (static () => Nd.Ones((1, 1, 3, 3)).Unfold((2, 2), dilation: int.MaxValue), ["Unfold", "does not fit"]),
        ["depth to space"] = (static () => Nd.Ones((1, 4, 2, 2)).DepthToSpace(1 << 16), ["DepthToSpace", "4294967296"]),
        ["adaptive pooling"] = (static () => Nd.Ones((1, 1, 4, 4)).AdaptiveAvgPool(int.MaxValue), ["AdaptiveAvgPool"]),
        ["convolution of padding"] = (static () => Nd.Conv3D(Nd.Ones((1, 1, 2, 2, 2)), Nd.Ones((1, 1, 2, 2, 2)), padding: Padding.Same, dilation: 1 << 20), ["Conv3D", "padding"]),
        ["dilation"] = (static () => Nd.Conv2D(Nd.Ones((1, 1, 3, 3)), Nd.Ones((1, 1, 3, 3)), dilation: int.MaxValue), ["Conv2D"]),
        ["scatter before its indices"] = (static () => s_x.ScatterUpdate(Nd.Array(new[,] { { 5 } }), Nd.Ones(2)), ["ScatterUpdate", "(1, 3)", "(2,)"]),
        ["scatter of types"] = (static () => Nd.Ones(2).Scatter(Nd.Array(new[,] { { 5 } }), (2, 3)), ["Scatter", "(1, 3)", "(2,)"]),
        ["least squares"] = (static () => s_x.Lstsq(Nd.Ones((3, 1))), ["Lstsq", "(2, 3)", "2 rows", "(3, 1)"]),
        ["recurrent layer too wide"] = (static () => _ = new Lstm(2, int.MaxValue), ["Lstm", "8589934588"]),
        ["histogram"] = (static () => s_x.Histogram(int.MaxValue, 0, 1), ["Histogram", "2147483648"]),
        ["take along another axis"] = (static () => Nd.Ones((3, 4)).TakeAlongAxis(Nd.Zeros((3, 2), DType.Int64), 0), ["TakeAlongAxis: axis 1 of (3, 4)", "(3, 2)", "axis 0"]),
        ["softmax of a scalar"] = (static () => Nd.Scalar(1).Softmax(), ["Softmax", "scalar", "ExpandDims"]),
    };

    private static readonly Dictionary<string, (Action Act, string[] Parts)> s_ranges = new()
    {
        ["reduction axis"] = (static () => s_x.Sum(2), ["Sum", "axis 2", "(2, 3)", "-2 to 1"]),
        ["reduction of a scalar"] = (static () => Nd.Scalar(1).Sum(0), ["Sum", "axis 0", "()", "none"]),
        ["take of nothing"] = (static () => Nd.Ones((2, 0)).Take(Nd.Array([0]), 1), ["Take: index 0 at position 0", "axis of size 0."]),
        ["reduction negative axis"] = (static () => s_x.Max(-3), ["Max", "axis -3"]),
        ["reduction axes"] = (static () => s_x.Mean([0, 5]), ["axis 5"]),
        ["softmax axis"] = (static () => s_x.Softmax(7), ["Softmax", "axis 7"]),
        ["concat axis"] = (static () => Nd.Concat([s_x, s_x], 2), ["Concat", "axis 2"]),
        ["stack axis"] = (static () => Nd.Stack([s_x, s_x], 4), ["axis 4"]),
        ["expand axis"] = (static () => s_x.ExpandDims(4), ["ExpandDims", "axis 4"]),
        ["swap axis"] = (static () => s_x.SwapAxes(0, 2), ["SwapAxes", "axis 2"]),
        ["transpose axis"] = (static () => s_x.Transpose(0, 2), ["Transpose", "axis 2"]),
        ["flip axis"] = (static () => s_x.Flip(2), ["axis 2"]),
        ["cumsum axis"] = (static () => s_x.CumSum(2), ["CumSum", "axis 2"]),
        ["shape axis"] = (static () => _ = s_x.Shape[2], ["(2, 3)"]),
        ["take"] = (static () => s_x.Take(s_indices), ["Take", "5", "size 2"]),
        ["embedding"] = (static () => s_x.Embedding(s_indices), ["Embedding", "5", "size 2"]),
        ["embedding of a scalar"] = (static () => Nd.Scalar(1).Embedding(s_indices), ["Embedding"]),
        ["pick"] = (static () => s_x.Pick(s_indices), ["Pick", "5"]),
        ["one hot"] = (static () => s_indices.OneHot(3), ["OneHot", "5"]),
        ["one hot depth"] = (static () => s_indices.OneHot(-1), ["OneHot: depth is -1"]),
        ["label"] = (static () => Nd.SoftmaxCrossEntropy(s_x, s_indices), ["SoftmaxCrossEntropy", "label", "5"]),
        ["topk"] = (static () => s_x.TopK(4), ["TopK", "(2, 3)"]),
        ["repeat"] = (static () => s_x.Repeat(-1, 0), ["Repeat: count is -1; it must be 0 or more"]),
        ["tile"] = (static () => s_x.Tile(-1), ["Tile: counts is -1"]),
        ["slice step"] = (static () => s_x.Slice(0, 0, 1, 0), ["Slice: step is 0"]),
        ["range"] = (static () => _ = s_x[0..3], ["0..3", "axis 0", "size 2"]),
        ["dropout"] = (static () => s_x.Dropout(1.5), ["Dropout"]),
        ["arange"] = (static () => Nd.Arange(0, 1, 0), ["Arange", "step"]),
        ["eye"] = (static () => Nd.Eye(-1), ["Eye: n is -1"]),
        ["linspace"] = (static () => Nd.Linspace(0, 1, -1), ["Linspace: count is -1"]),
        ["bins"] = (static () => Nd.Array([long.MaxValue]).BinCount(), ["BinCount", "9223372036854775807"]),
        ["batch"] = (static () => _ = new Batch(s_x, s_x)[2], ["Batch", "2 arrays"]),
        ["module"] = (static () => _ = new Sequential(new Relu())[-1], ["Sequential", "1 modules"]),
        ["pad mode"] = (static () => s_x.Pad([(1, 1), (1, 1)], (PadMode)9), ["Pad: mode is 9", "Reflect"]),
        ["resize mode"] = (static () => Nd.Ones((1, 1, 2, 2)).Resize(4, 4, (ResizeMode)9), ["Resize: mode is 9", "Bilinear"]),
        ["scatter reduction"] = (static () => s_x.IndexReduce(Nd.Array([0]), Nd.Ones((1, 3)), (ScatterReduction)9), ["IndexReduce: reduction is 9", "Mean"]),
        ["threads"] = (static () => FusionRuntime.NumThreads = 0, []),
    };

    private static readonly Dictionary<string, Action> s_nulls = new()
    {
        ["add"] = static () => _ = s_x + null!,
        ["add first"] = static () => _ = null! + s_x,
        ["add number"] = static () => _ = (NDArray)null! + 1,
        ["negate"] = static () => _ = -(NDArray)null!,
        ["exp"] = static () => Nd.Exp(null!),
        ["sum"] = static () => Nd.Sum(null!),
        ["shape"] = static () => Nd.Zeros((int[])null!),
        ["mean"] = static () => Nd.Mean(null!),
        ["matmul"] = static () => Nd.MatMul(s_x, null!),
        ["where"] = static () => Nd.Where(null!, s_x, s_x),
        ["clip"] = static () => Nd.Clip(null!, 0, 1),
        ["reshape"] = static () => Nd.Reshape(null!, 1),
        ["transpose axes"] = static () => s_x.Transpose(null!),
        ["concat"] = static () => Nd.Concat(null!),
        ["concat element"] = static () => Nd.Concat([s_x, null!]),
        ["stack element"] = static () => Nd.Stack([s_x, null!]),
        ["stack first"] = static () => Nd.Stack([null!, s_x]),
        ["take"] = static () => s_x.Take(null!),
        ["embedding"] = static () => Nd.Embedding(null!, s_x),
        ["cross entropy"] = static () => Nd.SoftmaxCrossEntropy(s_x, null!),
        ["values"] = static () => Nd.Array((float[])null!),
        ["matrix"] = static () => Nd.Array((float[,])null!),
        ["assign"] = static () => s_x.Assign(null!),
        ["set"] = static () => s_x[0] = null!,
        ["to"] = static () => s_x.To(null!),
        ["einsum"] = static () => Nd.Einsum(null!, s_x),
        ["einsum operand"] = static () => Nd.Einsum("i", [null!]),
        ["outer"] = static () => Nd.Outer(s_x, null!),
        ["lerp"] = static () => Nd.Lerp(s_x, null!, 0.5),
        ["pad"] = static () => s_x.Pad(null!),
        ["masked assign"] = static () => s_x.MaskedAssign(Nd.Ones(2), null!),
        ["sequence last"] = static () => Nd.Ones(3).SequenceLast(null!),
        ["tensor dot"] = static () => Nd.Ones(3).TensorDot(null!),
        ["lstm"] = static () => new Lstm(3, 2).Forward(null!, s_x, s_x),
        ["lstm state"] = static () => new Lstm(3, 2).Forward(Nd.Ones((1, 2, 3)), Nd.Ones((1, 2, 2)), null!),
        ["gru"] = static () => new Gru(3, 2).Forward(null!, s_x),
        ["rnn state"] = static () => new Rnn(3, 2).Forward(Nd.Ones((1, 2, 3)), null!),
        ["bilinear samples"] = static () => Nd.Ones((1, 1, 2, 2)).SampleBilinear(Nd.Ones(2), Nd.Ones(2), null!),
        ["dataset"] = static () => _ = new ArrayDataset(s_x, Nd.Ones(3), null!),
        ["tensor dot axes"] = static () => Nd.TensorDot(null!, s_x, [], []),
    };

    private static int[] Ones(int rank) => [.. Enumerable.Repeat(1, rank)];

    [Theory]
    [MemberData(nameof(ShapeCases))]
    public void ShapesThatDoNotFit(string name) => Check<ShapeException>(s_shapes[name].Act, s_shapes[name].Parts);

    [Theory]
    [MemberData(nameof(RangeCases))]
    public void NumbersOutOfRange(string name) => Check<ArgumentOutOfRangeException>(s_ranges[name].Act, s_ranges[name].Parts);

    [Theory]
    [MemberData(nameof(NullCases))]
    public void Nulls(string name) => Check<ArgumentNullException>(s_nulls[name], []);

    [Fact]
    public void MessagesDoNotDependOnTheCulture()
    {
        Action[] all = [.. s_shapes.Values.Select(static c => c.Act), .. s_ranges.Values.Select(static c => c.Act), static () => s_x.Clip(0.5, -1.5), static () => _ = s_x[0, -4]];
        Assert.All(all, static act =>
        {
            (string? usual, string? odd) = OddCulture.Messages(act);
            Assert.Equal(usual, odd);
        });
    }

    [Fact]
    public void PositionsOutsideAnAxis()
    {
        Check<IndexOutOfRangeException>(static () => _ = s_x[2], ["Index 2", "axis 0 of size 2", "(2, 3)"]);
        Check<IndexOutOfRangeException>(static () => _ = s_x[0, -4], ["Index -4", "axis 1 of size 3"]);
        Check<IndexOutOfRangeException>(static () => _ = s_x[0, 0, 0], ["3 indices", "2 axes"]);
        Check<IndexOutOfRangeException>(static () => s_x[5] = Nd.Ones(3), ["Index 5"]);
        Check<IndexOutOfRangeException>(static () => _ = Nd.Scalar(1)[0], ["1 indices"]);
    }

    [Fact]
    public void TypesThatDoNotFit()
    {
        Check<DTypeException>(static () => s_x.Item<double>(), ["Item", "Float32", "AsType"]);
        Check<DTypeException>(static () => s_x.Take(Nd.Ones(2)), ["Take", "Float32"]);
        Check<DTypeException>(static () => Nd.Ones(2).OneHot(3), ["OneHot", "Float32"]);
        Check<DTypeException>(static () => Nd.SoftmaxCrossEntropy(s_x, Nd.Ones(2)), ["SoftmaxCrossEntropy", "Float32"]);
        Check<DTypeException>(static () => Nd.Array([1m]), ["Decimal"]);
    }

    [Theory]
    [InlineData(99)]
    [InlineData(-1)]
    public void TypesThatDoNotExist(int number)
    {
        DType dtype = (DType)number;
        string[] parts = [$"{number} is not"];
        Check<DTypeException>(() => Nd.Zeros(2, dtype), parts);
        Check<DTypeException>(() => Nd.Scalar(2, dtype), parts);
        Check<DTypeException>(() => Nd.Arange(0, 2, 1, dtype), parts);
        Check<DTypeException>(() => s_x.AsType(dtype), parts);
        Check<DTypeException>(() => Nd.Random.Uniform(0, 1, 2, dtype), parts);
        Check<DTypeException>(() => Nd.Random.Bernoulli(0.5, 2, dtype), parts);
    }

    [Fact]
    public void SingularMatricesNameTheFunction()
    {
        Check<LinearAlgebraException>(static () => Nd.Ones((2, 2)).Inverse(), ["Inverse: matrix 0 of (2, 2) is singular"]);
        Check<LinearAlgebraException>(static () => Nd.Solve(Nd.Ones((2, 2)), Nd.Ones((2, 1))), ["Solve: matrix 0 of (2, 2) is singular"]);
    }

    [Fact]
    public void LimitsInTheWrongOrder() => Check<ArgumentException>(static () => s_x.Clip(1, 0), ["Clip", "low 1 exceeds high 0"]);

    [Fact]
    public void AModuleIsNoPartOfItself()
    {
        Sequential outer = new(), inner = new(outer);
        Check<ArgumentException>(() => outer.Add(outer), ["Sequential", "part of itself"]);
        Check<ArgumentException>(() => outer.Add(inner), ["Sequential", "part of itself"]);
        Assert.Empty(outer.Children);
    }

    [Fact]
    public void FunctionsThatReturnNull()
    {
        Check<InvalidOperationException>(static () => Nd.ForEach((x, s) => (null!, s), s_x, s_x), ["ForEach", "output"]);
        Check<InvalidOperationException>(static () => Nd.ForEach((x, s) => (x, null!), s_x, s_x), ["ForEach", "state 0"]);
        Check<InvalidOperationException>(static () => Nd.WhileLoop(s => s[0].Sum() > 0, s => null!, [s_x], 3), ["WhileLoop", "states"]);
        Check<InvalidOperationException>(static () => Nd.WhileLoop(s => null!, s => s, s_x, 3), ["WhileLoop", "condition"]);
        Check<InvalidOperationException>(static () => Nd.Cond(Nd.Scalar(1), () => null!, () => s_x), ["Cond"]);
        Check<InvalidOperationException>(static () => new Sequential(new Nothing()).Forward(s_x), ["Nothing.ForwardCore"]);
        Check<InvalidOperationException>(static () => new Nothing().Summary((2, 3)), ["Nothing.ForwardCore"]);
    }

    [Fact]
    public void TheArgumentIsTheOneThatTheCallerWrote()
    {
        Dictionary<string, Action[]> calls = new()
        {
            ["source"] = [static () => s_x.MoveAxis(5, 0)],
            ["destination"] = [static () => s_x.MoveAxis(0, 5)],
            ["axis1"] = [static () => s_x.SwapAxes(2, 0), static () => s_x.Rot90(1, 2, 0)],
            ["axis2"] = [static () => s_x.SwapAxes(0, 2), static () => s_x.Rot90(1, 0, 2)],
            ["axes"] = [static () => Nd.Meshgrid([Nd.Ones(2), null!]), static () => s_x.Sum([0, 5]), static () => s_x.Mean([0, 5]), static () => s_x.Std([-3, 0])],
            ["axis"] = [static () => s_x.Sum(5), static () => s_x.Mean(5), static () => s_x.Max([5])],
            ["axesB"] = [static () => Nd.TensorDot(s_x, s_x, [0], [4])],
            ["indices"] = [static () => s_x.Gather(Nd.Array(new[,] { { 5 } })), static () => Nd.Ones(3).IndexReduce(Nd.Array([5]), Nd.Ones(1), ScatterReduction.Max)],
            ["labels"] = [static () => s_x.SoftmaxCrossEntropy(s_indices), static () => s_x.Softmax().SoftmaxCrossEntropy(s_indices)],
            ["target"] = [static () => Loss.NegativeLogLikelihood(s_x, s_indices)],
            ["x"] = [static () => Nd.Array([-1]).BinCount()],
            ["regions"] = [static () => Nd.Ones((1, 1, 4, 4)).RoiAlign(Nd.Full((1, 5), 3), 2, 2)],
            ["padding"] = [static () => Nd.Ones((1, 1, 4, 4)).MaxPool2D(2, padding: -1)],
            ["k"] = [static () => Nd.Random.Gamma(-1, 1, 2)],
            ["a"] = [static () => Nd.Random.Beta(-1, 1, 2)],
            ["b"] = [static () => Nd.Random.Beta(1, double.NaN, 2)],
            ["learningRate"] = [static () => _ = new Sgd([Nd.Ones(2)], -1)],
            ["gradReq"] = [static () => Nd.Ones(2).AttachGrad((GradReq)7)],
        };
        foreach ((string argument, Action[] actions) in calls)
            Assert.All(actions, action => Assert.Equal(argument, Assert.ThrowsAny<ArgumentException>(action).ParamName));
    }

    [Fact]
    public void NumbersThatNoMachineHolds()
    {
        Check<InsufficientMemoryException>(static () => Nd.Eye(int.MaxValue), ["(2147483647,)", "bytes"]);
        Check<InsufficientMemoryException>(static () => Nd.Linspace(0, 1, int.MaxValue), ["Float64", "bytes"]);
        Check<InsufficientMemoryException>(static () => s_x.ArraySplit(int.MaxValue), ["bytes"]);
        Check<InsufficientMemoryException>(static () => Nd.Ones((1, 1, 2, 2)).Resize(int.MaxValue, 2, ResizeMode.Nearest), ["Int32", "bytes"]);
    }

    [Theory]
    [InlineData(int.MaxValue, int.MaxValue / 4)]
    [InlineData(1 << 20, 1 << 23)]
    public void ArraysThatNoMachineHoldsNameTypeShapeAndBytes(int rows, int columns) =>
        Check<InsufficientMemoryException>(() => Nd.Zeros((rows, columns)), ["Float32", $"({rows}, {columns})", "bytes"]);

    [Fact]
    public void AFailedWriteLeavesTheArrayAsItWas()
    {
        NDArray x = Nd.Array([1f, 2, 3]);
        NDArray view = x[1..];
        Action[] writes = [() => x.CopyFrom<float>([1]), () => x.CopyFrom<int>([1, 2, 3]), () => x.Assign(Nd.Ones(2)), () => x[0..2] = Nd.Ones(3), () => x[7] = Nd.Ones(1)];
        foreach (Action write in writes) Assert.True(Record.Exception(write) is ArgumentException or IndexOutOfRangeException);
        Expect.Elements(x, 1, 2, 3);
        Expect.Elements(view, 2, 3);
    }

    private sealed class Nothing : Module
    {
        protected internal override NDArray ForwardCore(NDArray x) => null!;
    }

    // Inside a recording scope, so that the tape sees the failure as well.
    private static void Check<T>(Action action, string[] parts)
        where T : Exception
    {
        double[] before = Expect.Doubles(s_x);
        Expect.Throws<T>(
            () =>
            {
                using (Autograd.Record()) action();
            },
            parts);
        Assert.Equal(before, Expect.Doubles(s_x));
    }
}
