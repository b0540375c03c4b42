using Fusion.NN;

namespace Fusion.Tests;

/// <summary>A cell is one step of the layer of its kind, to the bit.</summary>
public sealed class RecurrentCellTests
{
    private const int Time = 4, Batch = 5, Input = 3, Hidden = 6;

    public static TheoryData<string, DType, bool> Cells
    {
        get
        {
            TheoryData<string, DType, bool> data = [];
            foreach (string name in new[] { "tanh", "relu", "lstm", "gru" })
                foreach (DType dtype in new[] { DType.Float32, DType.Float64, DType.Float16 })
                    foreach (bool bias in new[] { true, false }) data.Add(name, dtype, bias);
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Cells))]
    public void StepsOfACellAreThoseOfItsLayer(string name, DType dtype, bool bias)
    {
        (RecurrentLayer layer, CellLayer cell) = Pair(name, dtype, bias);
        NDArray x = Samples.Normal((Time, Batch, Input), 1, dtype), output = layer.Forward(x);
        NDArray[] states = Zeros(cell, dtype);
        for (int t = 0; t < Time; t++)
        {
            states = Step(cell, x[t], states);
            if (t == 0) Assert.Equal(Samples.Values(output[0]), Samples.Values(cell.Forward(x[0])));
            if (dtype == DType.Float16) Assert.True(Nd.AllClose(output[t], states[0], 0, 1e-2));
            else Assert.Equal(Samples.Values(output[t]), Samples.Values(states[0]));
        }

        Assert.Equal((dtype, new Shape(Batch, Hidden)), (states[0].DType, states[0].Shape));
    }

    [Theory]
    [MemberData(nameof(Cells))]
    public void ParametersAreThoseOfTheLayerWithoutTheSuffix(string name, DType dtype, bool bias)
    {
        (RecurrentLayer layer, CellLayer cell) = Pair(name, dtype, bias);
        Assert.Equal(layer.Parameters.Keys, cell.Parameters.Keys.Select(key => key + "_l0"));
        Assert.Equal(layer.Parameters.Values.Select(p => p.Shape), cell.Parameters.Values.Select(p => p.Shape));
        Assert.Equal(bias, cell.InputBias is not null && cell.HiddenBias is not null);
        double bound = 1 / Math.Sqrt(Hidden) + 1e-3;
        foreach (NDArray parameter in cell.Parameters.Values) Assert.True(Nd.Max(Nd.Abs(parameter)).AsType(DType.Float64).Item<double>() <= bound);
    }

    [Theory]
    [InlineData("tanh")]
    [InlineData("relu")]
    [InlineData("lstm")]
    [InlineData("gru")]
    public void ASequenceOfStepsHasTheSameBitsCompiled(string name)
    {
        (_, CellLayer cell) = Pair(name, DType.Float32, true);
        Func<NDArray, NDArray> steps = x =>
        {
            NDArray[] states = Zeros(cell, DType.Float32);
            List<NDArray> outputs = [];
            for (int t = 0; t < Time; t++) outputs.Add((states = Step(cell, x[t], states))[0]);
            return Nd.Stack(outputs);
        };
        HybridFunction<Func<NDArray, NDArray>> compiled = steps.Hybridize();
        NDArray[] eager = Both(steps), later = Both(compiled.Invoke), again = Both(compiled.Invoke);
        Assert.False(compiled.Report.FellBack, compiled.Report.FallbackReason);
        for (int i = 0; i < eager.Length; i++)
        {
            Assert.Equal(Samples.Values(eager[i]), Samples.Values(later[i]));
            Assert.Equal(Samples.Values(eager[i]), Samples.Values(again[i]));
        }

        NDArray[] Both(Func<NDArray, NDArray> f)
        {
            NDArray x = Samples.Normal((Time, Batch, Input), 1, DType.Float32), y;
            x.AttachGrad();
            using (Autograd.Record()) y = f(x);
            y.Backward(Samples.Normal(y.Shape, 2, DType.Float32));
            return [y, x.Grad!, .. cell.Parameters.Values.Select(p => p.Grad!.Copy())];
        }
    }

    [Theory]
    [InlineData("tanh")]
    [InlineData("lstm")]
    [InlineData("gru")]
    public void AHybridizedCellGivesTheSame(string name)
    {
        (_, CellLayer cell) = Pair(name, DType.Float32, true);
        NDArray x = Samples.Normal((Batch, Input), 1, DType.Float32);
        double[] eager = Samples.Values(cell.Forward(x));
        cell.Hybridize();
        for (int call = 0; call < 3; call++) Assert.Equal(eager, Samples.Values(cell.Forward(x)));
    }

    [Theory]
    [InlineData("tanh")]
    [InlineData("lstm")]
    [InlineData("gru")]
    public void StatesAndInputsHaveGradientsOfBothOrders(string name)
    {
        (_, CellLayer cell) = Pair(name, DType.Float64, true);
        NDArray[] inputs = [Samples.Normal((2, Input), 1), .. Enumerable.Range(2, name == "lstm" ? 2 : 1).Select(i => Samples.Normal((2, Hidden), i))];
        Samples.PassesGradientCheck(v => Step(cell, v[0], [.. v.Skip(1)]).Aggregate(static (a, b) => a * b), inputs, name);
        Samples.PassesGradientCheck(v => Step(cell, v[0][0], [.. v.Skip(1).Select(s => s[1])])[^1], inputs, name + ", one sample");
    }

    [Fact]
    public void OneSampleNeedsNoBatch()
    {
        foreach (string name in new[] { "relu", "lstm", "gru" })
        {
            (_, CellLayer cell) = Pair(name, DType.Float64, true);
            NDArray x = Samples.Normal((Batch, Input), 1);
            NDArray[] states = [.. Zeros(cell, DType.Float64).Select(s => s + 0.5)], all = Step(cell, x, states), one = Step(cell, x[2], [.. states.Select(s => s[2])]);
            for (int i = 0; i < all.Length; i++)
            {
                Assert.Equal(new Shape(Hidden), one[i].Shape);
                Samples.Close(Samples.Values(all[i][2]), one[i]);
            }

            Assert.Equal(new Shape(Hidden), cell.Forward(x[0]).Shape);
            Assert.Equal(new Shape(0, Hidden), cell.Forward(x[..0]).Shape);
        }
    }

    [Theory]
    [InlineData("tanh")]
    [InlineData("lstm")]
    [InlineData("gru")]
    public void ADeviceGivesTheSame(string name)
    {
        (_, CellLayer cell) = Pair(name, DType.Float32, true);
        NDArray x = Samples.Normal((2, Input), 1, DType.Float32);
        double[] here = Samples.Values(cell.Forward(x));
        cell.To(Device.Debug);
        Samples.Close(here, cell.Forward(x.To(Device.Debug)).To(Device.Cpu));
    }

    [Fact]
    public void ALoopCompilesACell()
    {
        GruCell cell = new(Hidden, Hidden);
        Func<NDArray, NDArray> f = x => Nd.ForEach((slice, state) => (cell.Forward(slice, state), cell.Forward(state, slice)), x, Nd.Zeros((2, Hidden))).Outputs;
        NDArray x = Samples.Normal((Time, 2, Hidden), 1, DType.Float32);
        Assert.Equal(Samples.Values(f(x)), Samples.Values(f.Hybridize().Invoke(x)));
    }

    private static (RecurrentLayer Layer, CellLayer Cell) Pair(string name, DType dtype, bool bias)
    {
        (RecurrentLayer, CellLayer) pair = name switch
        {
            "lstm" => (new Lstm(Input, Hidden, bias: bias, dtype: dtype), new LstmCell(Input, Hidden, bias, dtype)),
            "gru" => (new Gru(Input, Hidden, bias: bias, dtype: dtype), new GruCell(Input, Hidden, bias, dtype)),
            _ => (new Rnn(Input, Hidden, 1, name == "relu", bias, dtype: dtype), new RnnCell(Input, Hidden, name == "relu", bias, dtype)),
        };
        foreach ((string key, NDArray parameter) in pair.Item2.Parameters) parameter.Assign(pair.Item1.Parameters[key + "_l0"]);
        return pair;
    }

    private static NDArray[] Zeros(CellLayer cell, DType dtype) => [.. Enumerable.Range(0, cell is LstmCell ? 2 : 1).Select(_ => Nd.Zeros((Batch, Hidden), dtype))];

    private static NDArray[] Step(CellLayer cell, NDArray x, NDArray[] states)
    {
        switch (cell)
        {
            case LstmCell lstm:
                (NDArray hidden, NDArray memory) = lstm.Forward(x, states[0], states[1]);
                return [hidden, memory];
            case GruCell gru:
                return [gru.Forward(x, states[0])];
            default:
                return [((RnnCell)cell).Forward(x, states[0])];
        }
    }
}
