using Fusion.NN;

namespace Fusion.Tests;

/// <summary>A layer over a sequence is one node of the tape; its gradients are those of its steps.</summary>
public sealed class RecurrentNodeTests
{
    private const int Time = 5, Batch = 6, Input = 3, Hidden = 70;

    public static TheoryData<string, DType> Layers
    {
        get
        {
            TheoryData<string, DType> data = [];
            foreach (string name in new[] { "tanh", "relu", "lstm", "gru" })
                foreach (DType dtype in new[] { DType.Float32, DType.Float64 }) data.Add(name, dtype);
            return data;
        }
    }

    private static RecurrentLayer Make(string name, DType dtype, bool bias = true) => name switch
    {
        "lstm" => new Lstm(Input, Hidden, 2, bias, bidirectional: true, dtype: dtype),
        "gru" => new Gru(Input, Hidden, 2, bias, bidirectional: true, dtype: dtype),
        _ => new Rnn(Input, Hidden, 2, name == "relu", bias, bidirectional: true, dtype: dtype),
    };

    /// <summary>Gradients that are differentiated again go through the steps.</summary>
    [Theory]
    [MemberData(nameof(Layers))]
    public void GradientsAreThoseOfTheSteps(string name, DType dtype)
    {
        foreach (bool bias in new[] { true, false })
        {
            RecurrentLayer layer = Make(name, dtype, bias);
            NDArray x = Samples.Normal((Time, Batch, Input), 1, dtype), weights = Samples.Normal((Time, Batch, 2 * Hidden), 2, dtype);
            x.AttachGrad();
            NDArray[] variables = [x, .. layer.Parameters.Values];
            NDArray[] whole = Gradients(createGraph: false), steps = Gradients(createGraph: true);
            for (int i = 0; i < variables.Length; i++) Samples.Close(Samples.Values(steps[i]), whole[i], $"{name}, gradient {i}");

            NDArray[] Gradients(bool createGraph)
            {
                NDArray head;
                using (Autograd.Record()) head = (layer.Forward(x) * weights).Sum();
                return Autograd.Grad([head], variables, createGraph: createGraph);
            }
        }
    }

    /// <summary>Values do not depend on whether a gradient will be asked for, nor on how samples come together.</summary>
    [Theory]
    [MemberData(nameof(Layers))]
    public void ValuesAreTheSameWithAndWithoutATape(string name, DType dtype)
    {
        RecurrentLayer layer = Make(name, dtype);
        NDArray x = Samples.Normal((Time, 90, Input), 1, dtype), recorded, plain = layer.Forward(x);
        using (Autograd.Record()) recorded = layer.Forward(x);
        Assert.Equal(Samples.Values(plain), Samples.Values(recorded));
        Assert.Equal(Samples.Values(plain.Slice(1, 50, 90)), Samples.Values(layer.Forward(x.Slice(1, 50, 90))));
    }

    [Theory]
    [InlineData("lstm")]
    [InlineData("gru")]
    public void GradientsOfFirstAndLastStatesAreDifferentiableTwice(string name)
    {
        NDArray x = Samples.Normal((3, 2, 2), 1), hidden = Samples.Normal((2, 2, 2), 2), cell = Samples.Normal((2, 2, 2), 3);
        Lstm lstm = new(2, 2, bidirectional: true, dtype: DType.Float64);
        Gru gru = new(2, 2, bidirectional: true, dtype: DType.Float64);
        if (name == "lstm")
        {
            Samples.PassesGradientCheck(v =>
            {
                (NDArray output, NDArray h, NDArray c) = lstm.Forward(v[0], v[1], v[2]);
                return Nd.Sum(output * output) + Nd.Sum(h * c);
            }, [x, hidden, cell], name);
            Samples.PassesGradientCheck(v => lstm.Forward(x, hidden, v[0]).Cell, [cell], "the last cell state alone");
        }
        else
        {
            Samples.PassesGradientCheck(v =>
            {
                (NDArray output, NDArray h) = gru.Forward(v[0], v[1]);
                return Nd.Sum(output * output) + Nd.Sum(h * h * h);
            }, [x, hidden], name);
        }
    }

    [Fact]
    public void ALayerIsOneNodeAndTheStepsComeWhenTheyAreAskedFor()
    {
        Lstm layer = new(Input, 4);
        NDArray x = Samples.Normal((Time, Batch, Input), 1, DType.Float32), head;
        x.AttachGrad();
        using (Autograd.Record()) head = layer.Forward(x).Sum();
        Assert.Single(Autograd.GetSymbol(head).Nodes, static n => n.Op == "Lstm");
        Assert.InRange(Autograd.GetSymbol(head).Nodes.Count(static n => n.Op is not null), 2, 3);
        NDArray first = Autograd.Grad(head, x, retainGraph: true), recorded = Autograd.Grad(head, x, createGraph: true), again = Autograd.Grad(head, x);
        Samples.Close(Samples.Values(first), recorded);
        Samples.Close(Samples.Values(first), again);
    }

    [Fact]
    public void AWeightThatWasOverwrittenIsNamed()
    {
        Lstm layer = new(Input, 4);
        NDArray x = Samples.Normal((Time, Batch, Input), 1, DType.Float32), head;
        using (Autograd.Record()) head = layer.Forward(x).Sum();
        layer.Parameters["weight_hh_l0"].Fill(0);
        AutogradException error = Assert.Throws<AutogradException>(() => head.Backward());
        Assert.Contains("Lstm", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("lstm")]
    [InlineData("gru")]
    [InlineData("relu")]
    public void AcceleratorsTakeTheSteps(string name)
    {
        RecurrentLayer layer = Make(name, DType.Float32), moved = Make(name, DType.Float32);
        foreach ((string key, NDArray parameter) in moved.Parameters) parameter.Assign(layer.Parameters[key]);
        moved.To(Device.Debug);
        NDArray x = Samples.Normal((2, 2, Input), 1, DType.Float32);
        Samples.Close(Samples.Values(layer.Forward(x)), moved.Forward(x.To(Device.Debug)).To(Device.Cpu));
    }
}
