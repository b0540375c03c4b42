using System.Numerics.Tensors;

namespace Fusion.Tests;

/// <summary>System.Numerics.Tensors over the elements of an array, and back.</summary>
public sealed class TensorInteropTests
{
    public static TheoryData<string> Layouts =>
        ["vector", "matrix", "transposed", "window", "stepped", "broadcast", "flipped", "rank 0", "rank 4", "empty", "ones", "large", "large transposed"];

    [Theory]
    [MemberData(nameof(Layouts))]
    public void ASpanHasTheElementsOfAnyLayout(string layout)
    {
        NDArray x = Make(layout);
        float[] expected = x.ToArray<float>();
        ReadOnlyTensorSpan<float> span = x.AsReadOnlyTensorSpan<float>();
        Assert.Equal(x.Rank == 0 ? [1] : x.Shape.Dimensions.ToArray(), span.Lengths.ToArray().Select(static n => (int)n));
        Assert.Equal(expected, Flat(span));
        Assert.Equal(expected, x.ToArray<float>());
        NDArray back = Nd.FromTensor(span);
        Assert.Equal(x.Rank == 0 ? (Shape)1 : x.Shape, back.Shape);
        Assert.Equal(expected, back.ToArray<float>());
    }

    [Theory]
    [MemberData(nameof(Layouts))]
    public void AWriteIsSeenInTheArrayAndNowhereElse(string layout)
    {
        NDArray x = Make(layout);
        NDArray other = x.Reshape(-1), copy = x.Copy();
        TensorSpan<float> span = x.AsTensorSpan<float>();
        Assert.Equal(copy.ToArray<float>(), Flat(span));
        span.Fill(-3);
        Assert.All(x.ToArray<float>(), static v => Assert.Equal(-3, v));
        Assert.Equal(copy.ToArray<float>(), other.ToArray<float>());
    }

    [Fact]
    public void NothingIsCopiedWhereStridesAllow()
    {
        NDArray x = Nd.Arange(0, 6).Reshape(2, 3);
        NDArray view = x.Transpose();
        x.AsReadOnlyTensorSpan<float>();
        Assert.Same(x.Storage, view.Storage);
        ReadOnlyTensorSpan<float> span = view.AsReadOnlyTensorSpan<float>();
        Assert.Same(x.Storage, view.Storage);
        Assert.Equal(4, span[1, 1]);
        Assert.Equal([1, 3], span.Strides.ToArray().Select(static n => (int)n));
        NDArray own = Nd.Zeros((2, 3));
        object storage = own.Storage;
        own.AsTensorSpan<float>()[1, 2] = 5;
        Assert.Same(storage, own.Storage);
        Assert.Equal(5, own[1, 2].Item<float>());
    }

    /// <summary>Of what is repeated only the elements themselves move to the managed heap: all of them would be 2³² bytes and 4096 more.</summary>
    [Fact]
    public void StretchedAxesTakeNoMemory()
    {
        ReadOnlyTensorSpan<float> span = Nd.Full(17_408, 3).BroadcastTo((61_681, 17_408)).AsReadOnlyTensorSpan<float>();
        Assert.Equal([0, 1], span.Strides.ToArray().Select(static n => (int)n));
        Assert.Equal(3, span[61_680, 17_407]);
        ShapeException error = Assert.Throws<ShapeException>(static () => Nd.Full(17_408, 3).BroadcastTo((61_681, 17_408)).AsTensorSpan<float>().Rank);
        Assert.Contains("AsTensorSpan: ", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void FunctionsOfTensorsRunOnArrays()
    {
        NDArray x = Nd.Array([1.0, 2, 3, 4]).Reshape(2, 2), y = Nd.Zeros((2, 2), DType.Float64);
        TensorSpan<double> target = y.AsTensorSpan<double>();
        Tensor.Add(x.Transpose().AsReadOnlyTensorSpan<double>(), 10.0, target);
        Expect.Elements(y, 11, 13, 12, 14);
        Tensor<int> tensor = Tensor.Create<int>([1, 2, 3, 4, 5, 6], [3, 2]);
        NDArray z = Nd.FromTensor(tensor);
        Assert.Equal((DType.Int32, (Shape)(3, 2)), (z.DType, z.Shape));
        tensor[0, 0] = 99;
        Expect.Elements(z, 1, 2, 3, 4, 5, 6);
        Expect.Elements(Nd.FromTensor(tensor.AsReadOnlyTensorSpan()[1..3, 1..2]), 4, 6);
    }

    [Fact]
    public void AWritableSpanCountsAsAWrite()
    {
        NDArray x = Nd.Ones(3);
        x.AttachGrad();
        NDArray y;
        using (Autograd.Record())
        {
            y = x * x;
            string message = Assert.Throws<AutogradException>(() => x.AsTensorSpan<float>().Fill(2)).Message;
            Assert.Contains("AsTensorSpan", message, StringComparison.Ordinal);
            Assert.Equal(1, x.AsReadOnlyTensorSpan<float>()[0]);
        }

        x.AsTensorSpan<float>().Fill(2);
        Assert.Contains("AsTensorSpan", Assert.Throws<AutogradException>(() => y.Backward()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void TheTypeMustBeThatOfTheArray()
    {
        NDArray x = Nd.Ones(3);
        Assert.Throws<DTypeException>(() => x.AsTensorSpan<double>().Clear());
        Assert.Throws<DTypeException>(() => x.AsReadOnlyTensorSpan<int>().Rank);
        Assert.Throws<DTypeException>(() => Nd.FromTensor(Tensor.Create<decimal>([1m], [1])));
        Assert.Throws<ArgumentNullException>(() => Nd.FromTensor<float>(null!));
    }

    private static float[] Flat(ReadOnlyTensorSpan<float> span)
    {
        float[] values = new float[span.FlattenedLength];
        if (values.Length > 0) span.FlattenTo(values);
        return values;
    }

    private static NDArray Make(string layout)
    {
        NDArray x = Nd.Arange(0, 24).Reshape(4, 6);
        return layout switch
        {
            "vector" => Nd.Arange(0, 7),
            "matrix" => x,
            "transposed" => x.Transpose(),
            "window" => x[1..3, 2..5],
            "stepped" => x.Slice(1, 1, null, 2),
            "broadcast" => x[1].BroadcastTo((3, 6)),
            "flipped" => x.Flip(1),
            "rank 0" => Nd.Scalar(3),
            "rank 4" => x.Reshape(2, 2, 3, 2).Transpose(3, 1, 0, 2),
            "empty" => Nd.Zeros((3, 0)),
            "ones" => x[1..2, ..].Reshape(1, 6, 1),
            "large" => Nd.Arange(0, 100_000).Reshape(1000, 100),
            _ => Nd.Arange(0, 100_000).Reshape(1000, 100).Transpose(),
        };
    }
}
