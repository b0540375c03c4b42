using static Fusion.Tests.FunctionChecks;

namespace Fusion.Tests;

public sealed class IndexWriteTests
{
    private static readonly NDArray s_indices = Nd.Array([2, 0, -1, 2]);

    public static TheoryData<ScatterReduction, int> Reductions
    {
        get
        {
            TheoryData<ScatterReduction, int> data = [];
            foreach (ScatterReduction reduction in Enum.GetValues<ScatterReduction>())
                for (int axis = 0; axis < 3; axis++) data.Add(reduction, axis);
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Reductions))]
    public void ValuesAreJoinedAsInALoop(ScatterReduction reduction, int axis)
    {
        NDArray x = Random((4, 4, 4)), values = Random((4, 4, 4), 2);
        NDArray expected = x.MoveAxis(axis, 0).Copy(), source = values.MoveAxis(axis, 0), counts = Nd.Ones(4);
        int[] index = s_indices.ToArray<int>();
        for (int i = 0; i < index.Length; i++)
        {
            NDArray old = expected[index[i]], value = source[i];
            counts[index[i]] = counts[index[i]] + 1;
            expected[index[i]] = reduction switch { ScatterReduction.Max => Nd.Maximum(old, value), ScatterReduction.Min => Nd.Minimum(old, value), _ => old + value };
        }

        if (reduction == ScatterReduction.Mean) expected /= counts.Reshape(4, 1, 1);
        Close(expected.MoveAxis(0, axis), Nd.IndexReduce(x, s_indices, values, reduction, axis));
        Gradients(i => Nd.IndexReduce(i[0], s_indices, i[1], reduction, axis: 1), Random((2, 3)), Random((2, 4), 2));
    }

    [Fact]
    public void TiesShareTheGradient()
    {
        NDArray x = Doubles(1, 5), values = Doubles(1, 1, 0);
        x.AttachGrad();
        values.AttachGrad();
        NDArray y;
        using (Autograd.Record()) y = Nd.IndexReduce(x, Nd.Array([0, 0, 1]), values, ScatterReduction.Max);
        y.Backward(Doubles(3, 10));
        Close([1, 10], x.Grad!);
        Close([1, 1, 0], values.Grad!);
    }

    [Fact]
    public void TheLastValueStays()
    {
        NDArray x = Random((3, 2)), values = Random((4, 2), 2);
        Close(Nd.Stack([values[1], x[1], values[3]]), Nd.IndexUpdate(x, s_indices, values));
        Close(x, Nd.IndexUpdate(x, Nd.Zeros(0, DType.Int32), Nd.Zeros((0, 2), DType.Float64)));
        Gradients(i => Nd.IndexUpdate(i[0], s_indices, i[1]), x, values);
        Gradients(i => Nd.IndexUpdate(i[0], Nd.Array([1, 1]), i[1], axis: 1), x, Random((3, 2), 5));
        Close(x + Nd.Stack([values[1], values[0] * 0, values[0] + values[2] + values[3]]), Nd.IndexAdd(x, s_indices, values));
    }

    [Fact]
    public void ScatterWritesWhereGatherReads()
    {
        NDArray x = Random((3, 4)), indices = Nd.Array([0, 2, 0, 1, 3, 1], (2, 3)), values = Doubles(10, 20, 30);
        NDArray updated = Nd.ScatterUpdate(x, indices, values), added = Nd.ScatterAdd(x, indices, values);
        Close([30.0, 20.0], Nd.Stack([updated[0, 1], updated[2, 3]]));
        Close([40 + x[0, 1].Item<double>(), 20 + x[2, 3].Item<double>()], Nd.Stack([added[0, 1], added[2, 3]]));
        Close(Nd.Gather(x, indices).Shape, [30, 20, 30], Nd.Gather(updated, indices));
        Gradients(i => Nd.ScatterUpdate(i[0], indices, i[1]), x, values);
        Gradients(i => Nd.ScatterAdd(i[0], indices, i[1]), x, values);
        Assert.Throws<ShapeException>(() => Nd.ScatterUpdate(x, indices, Nd.Ones(2)));
    }

    [Fact]
    public void MasksSelectWhatIsWritten()
    {
        NDArray x = Random((2, 3)), mask = Nd.Array([true, false, true, false, false, true], (2, 3));
        double[] old = x.Values();
        Close((2, 3), [9, old[1], 9, old[3], old[4], 9], Nd.MaskedFill(x, mask, 9));
        Close((2, 3), [1, old[1], 2, old[3], old[4], 3], Nd.MaskedAssign(x, mask, Doubles(1, 2, 3)));
        Gradients(i => Nd.MaskedAssign(i[0], mask, i[1]), x, Doubles(1, 2, 3));
        Close(x, Nd.MaskedAssign(x, Nd.Zeros((2, 3), DType.Bool), Nd.Zeros(0, DType.Float64)));
        Assert.Equal("values", Assert.Throws<ArgumentOutOfRangeException>(() => Nd.MaskedAssign(x, mask, Doubles(1, 2))).ParamName);
        Assert.Throws<ArgumentOutOfRangeException>(() => Nd.MaskedAssign(x, mask, Nd.Zeros(0)));
        Assert.Throws<ShapeException>(() => Nd.MaskedAssign(x, mask[0], Doubles(1)));
    }

    [Fact]
    public void BadIndicesAreNamed()
    {
        NDArray x = Nd.Ones((3, 2));
        foreach (Func<NDArray, NDArray, NDArray> write in (Func<NDArray, NDArray, NDArray>[])
            [(i, v) => Nd.IndexAdd(x, i, v), (i, v) => Nd.IndexUpdate(x, i, v), (i, v) => Nd.IndexReduce(x, i, v, ScatterReduction.Max)])
        {
            Assert.Throws<ArgumentOutOfRangeException>(() => write(Nd.Array([3]), Nd.Ones((1, 2))));
            Assert.Throws<ArgumentOutOfRangeException>(() => write(Nd.Array([-4]), Nd.Ones((1, 2))));
            Assert.Throws<ShapeException>(() => write(Nd.Array([0]), Nd.Ones((2, 2))));
            Assert.Throws<ShapeException>(() => write(Nd.Array([0], (1, 1)), Nd.Ones((1, 2))));
            Assert.Throws<DTypeException>(() => write(Nd.Array([0f]), Nd.Ones((1, 2))));
        }
    }
}
