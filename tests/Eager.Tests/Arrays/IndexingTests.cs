namespace Fusion.Tests;

/// <summary>Reading through indices: against a naive walk over all positions, errors, gradients.</summary>
public sealed class IndexingTests
{
    private static readonly Range All = ..;

    public static TheoryData<AxisIndex[], string> Cases => new()
    {
        { [], "(2, 3, 4)" },
        { [0], "(3, 4)" },
        { [-1], "(3, 4)" },
        { [^2], "(3, 4)" },
        { [1, 2], "(4,)" },
        { [1, -1, ^1], "()" },
        { [0..1], "(1, 3, 4)" },
        { [All, 1..], "(2, 2, 4)" },
        { [All, All, ^3..^1], "(2, 3, 2)" },
        { [All, 1], "(2, 4)" },
        { [All, All, 0], "(2, 3)" },
        { [1..2, All, 0], "(1, 3)" },
        { [1..1], "(0, 3, 4)" },
        { [2..2, 0], "(0, 4)" },
        { [AxisIndex.Ellipsis], "(2, 3, 4)" },
        { [AxisIndex.Ellipsis, 0], "(2, 3)" },
        { [0, AxisIndex.Ellipsis, 1..3], "(3, 2)" },
        { [0, 1, 2, AxisIndex.Ellipsis], "()" },
        { [AxisIndex.NewAxis], "(1, 2, 3, 4)" },
        { [All, AxisIndex.NewAxis, 1], "(2, 1, 4)" },
        { [AxisIndex.Ellipsis, AxisIndex.NewAxis], "(2, 3, 4, 1)" },
        { [AxisIndex.NewAxis, 0, AxisIndex.Ellipsis, 1, AxisIndex.NewAxis], "(1, 3, 1)" },
    };

    private static NDArray Cube => Nd.Arange(0, 24, 1, DType.Int32).Reshape(2, 3, 4);

    [Theory]
    [MemberData(nameof(Cases))]
    public void ReadsWhatTheDefinitionSays(AxisIndex[] index, string shape)
    {
        NDArray part = Cube[index];
        Assert.Equal(shape, part.Shape.ToString());
        Assert.Equal(Naive(index), part.ToArray<int>());
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void WritesWhatTheDefinitionSays(AxisIndex[] index, string shape)
    {
        NDArray x = Cube;
        x[index] = Nd.Scalar(-1, DType.Int32);
        int[] expected = Cube.ToArray<int>();
        foreach (int position in Naive(index)) expected[position] = -1;
        Assert.Equal(expected, x.ToArray<int>());

        // Element by element: the order of the written values, and the shape that they must have.
        NDArray values = Nd.Arange(100, 100 + Naive(index).Length, 1, DType.Int32).Reshape(Cube[index].Shape);
        Assert.Equal(shape, values.Shape.ToString());
        x[index] = values;
        Assert.Equal(values.ToArray<int>(), x[index].ToArray<int>());
    }

    /// <summary>As in NumPy: axes of size 1 before the others say nothing.</summary>
    [Fact]
    public void LeadingAxesOfSizeOneAreDroppedFromAnAssignedValue()
    {
        NDArray x = Cube;
        x[1] = Nd.Arange(0, 4).Reshape(1, 1, 1, 4);
        x[0, 0, 0] = Nd.Array([7]);
        Expect.Elements(x[1, 2], 0, 1, 2, 3);
        Expect.Elements(x[0, 0], 7, 1, 2, 3);
        Assert.Throws<ShapeException>(() => x[0] = Nd.Zeros((2, 1, 4)));
    }

    [Fact]
    public void PositionsOutsideAnAxisAreNamed()
    {
        NDArray x = Cube;
        Assert.Equal("Index 3 is out of range for axis 1 of size 3, shape (2, 3, 4).", Assert.Throws<IndexOutOfRangeException>(() => x[0, 3]).Message);
        Assert.Equal("Index -3 is out of range for axis 0 of size 2, shape (2, 3, 4).", Assert.Throws<IndexOutOfRangeException>(() => x[-3]).Message);
        Assert.Throws<IndexOutOfRangeException>(() => x[^0]);
        Assert.Throws<IndexOutOfRangeException>(() => Nd.Zeros(0)[0]);
        Assert.Equal("4 indices for the shape (2, 3, 4), which has 3 axes.", Assert.Throws<IndexOutOfRangeException>(() => x[0, 0, 0, 0]).Message);
        Assert.Throws<IndexOutOfRangeException>(() => Nd.Scalar(1)[0]);
        Assert.Throws<IndexOutOfRangeException>(() => x[5] = Nd.Scalar(1));
    }

    [Fact]
    public void RangesOutsideAnAxisAreNamed()
    {
        NDArray x = Cube;
        ArgumentOutOfRangeException error = Assert.Throws<ArgumentOutOfRangeException>(() => x[.., 1..5]);
        Assert.Contains("axis 1 of size 3, shape (2, 3, 4)", error.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => x[2..1]);
        Assert.Throws<ArgumentOutOfRangeException>(() => x[^3..]);
    }

    [Fact]
    public void TwoEllipsesAreAmbiguous()
    {
        ArgumentException error = Assert.Throws<ArgumentException>(() => Cube[AxisIndex.Ellipsis, AxisIndex.Ellipsis]);
        Assert.Contains("at most one", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void TheGradientOfAPartIsZeroElsewhere()
    {
        NDArray x = Nd.Arange(0, 6).Reshape(2, 3);
        x.AttachGrad();
        NDArray y;
        using (Autograd.Record()) y = x[1] * x[.., 1..][0, ^1] + x[0, 0];
        y.Backward(Nd.Ones(3));
        // y_j = x[1, j]·x[0, 2] + x[0, 0]
        Assert.Equal([3, 0, 3 + 4 + 5, 2, 2, 2], x.Grad!.ToArray<float>());
    }

    [Fact]
    public void GradientsThroughNewAxesAndEmptyParts()
    {
        NDArray x = Nd.Arange(0, 4);
        x.AttachGrad();
        NDArray y;
        using (Autograd.Record()) y = (x[.., AxisIndex.NewAxis] * x[AxisIndex.NewAxis, ..]).Sum() + x[2..2].Sum();
        y.Backward();
        Assert.Equal([12, 12, 12, 12], x.Grad!.ToArray<float>());
    }

    [Fact]
    public void StepsPastTheEndSelectOneElement()
    {
        NDArray x = Nd.Arange(0, 5);
        Assert.Equal([0], x.Slice(0, null, null, int.MaxValue).ToArray<float>());
        Assert.Equal([3], x.Slice(0, 3, 5, int.MaxValue - 1).ToArray<float>());
        Assert.Equal([4], x.Slice(0, null, null, int.MinValue).ToArray<float>());
        Assert.Equal([7, 1, 2, 3, 4], x.SliceUpdate(Nd.Scalar(7), 0, 0, 3, int.MaxValue).ToArray<float>());
        x.AttachGrad();
        using (Autograd.Record()) (x.Slice(0, 1, null, int.MaxValue) * 3).Backward();
        Assert.Equal([0, 3, 0, 0, 0], x.Grad!.ToArray<float>());
    }

    [Fact]
    public void PartsAlongTheFirstAxisAreVisited()
    {
        NDArray x = Nd.Arange(6).Reshape(3, 2).Copy();
        x.AttachGrad();
        using (Autograd.Record())
        {
            NDArray sum = Nd.Zeros(2);
            int n = 0;
            foreach (NDArray row in x) sum += row * ++n;
            sum.Backward();
        }

        Assert.Equal([1, 1, 2, 2, 3, 3], x.Grad!.ToArray<float>());
        NDArray[] rows = [.. x];
        Assert.Equal((3, new Shape(2)), (rows.Length, rows[^1].Shape));
        foreach (NDArray none in Nd.Zeros((0, 2))) Assert.Fail(none.ToString());
        Assert.Throws<ShapeException>(static () =>
        {
            foreach (NDArray part in Nd.Scalar(1)) Assert.Fail(part.ToString());
        });
    }

    // Which row-major positions of the (2, 3, 4) cube an index selects, by visiting all of them.
    private static int[] Naive(AxisIndex[] index)
    {
        int[] sizes = [2, 3, 4];
        List<AxisIndex> axes = [.. index.Where(i => i != AxisIndex.NewAxis)];
        int at = axes.IndexOf(AxisIndex.Ellipsis);
        if (at >= 0) axes.RemoveAt(at);
        else at = axes.Count;
        while (axes.Count < 3) axes.Insert(at, ..);
        List<int> positions = [];
        for (int p = 0; p < 24; p++)
        {
            int[] position = [p / 12, p / 4 % 3, p % 4];
            bool selected = true;
            for (int axis = 0; axis < 3; axis++)
            {
                (int start, int end) = axes[axis].Kind == AxisIndexKind.Position
                    ? (axes[axis].Position.GetOffset(sizes[axis]), axes[axis].Position.GetOffset(sizes[axis]) + 1)
                    : (axes[axis].Range.Start.GetOffset(sizes[axis]), axes[axis].Range.End.GetOffset(sizes[axis]));
                selected &= position[axis] >= start && position[axis] < end;
            }

            if (selected) positions.Add(p);
        }

        return [.. positions];
    }
}
