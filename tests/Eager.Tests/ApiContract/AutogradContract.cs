namespace Fusion.Tests.ApiContract;

/// <summary>Uses all of <c>Autograd</c> with its promised names and argument names.</summary>
public sealed class AutogradContract
{
    [Fact]
    public void ScopesAndFlags()
    {
        bool recording = Autograd.SetRecording(value: false), training = Autograd.SetTraining(value: false);
        using (RecordScope scope = Autograd.Record(trainMode: true))
        using (RecordScope pause = Autograd.Pause(trainMode: false))
        using (Autograd.TrainMode())
        using (Autograd.PredictMode())
            Assert.Equal((false, false), (Autograd.IsRecording, Autograd.IsTraining));
        Assert.Equal((false, false), (recording, training));
    }

    [Fact]
    public void Variables()
    {
        NDArray x = Nd.Ones(1), y = Nd.Ones(1), dx = Nd.Zeros(1), dy = Nd.Zeros(1);
        Autograd.MarkVariables(variable: x, gradient: dx, gradReq: GradReq.Write);
        Autograd.MarkVariables(x, dx);
        Autograd.MarkVariables(variables: [x, y], gradients: [dx, dy], gradReq: GradReq.Add);
        Autograd.MarkVariables([x, y], [dx, dy]);
        Autograd.MarkVariables(variables: [x, y], gradients: [dx, dy], gradReqs: [GradReq.Write, GradReq.Add]);
        Assert.Equal(GradReq.Add, y.GradReq);
    }

    [Fact]
    public void BackwardAndGrad()
    {
        NDArray x = Leaf.Of(2), w = Leaf.Of(3);
        NDArray y;
        using (Autograd.Record()) y = x * x * w;
        Autograd.Backward(head: y, headGradient: null, retainGraph: true, trainMode: null);
        Autograd.Backward(y, retainGraph: true);
        Autograd.Backward(heads: [y], headGradients: [null], retainGraph: true, trainMode: true);
        Autograd.Backward([y], retainGraph: true);
        NDArray one = Autograd.Grad(head: y, variable: x, headGradient: null, retainGraph: true, createGraph: true, trainMode: null);
        NDArray[] many = Autograd.Grad(heads: [y], variables: [x, w], headGradients: null, retainGraph: true, createGraph: false, trainMode: false, allowUnused: true);
        NDArray dx = Autograd.Grad(y, x, createGraph: true);
        Assert.Equal((12f, 2, 12f), (one.Item<float>(), many.Length, dx.Item<float>()));
    }

    [Fact]
    public void Inspection()
    {
        NDArray x = Leaf.Of(2);
        Symbol symbol;
        using (Autograd.Record()) symbol = Autograd.GetSymbol(head: x * x);
        IReadOnlyList<string> arguments = symbol.ListArguments();
        IReadOnlyList<SymbolNode> nodes = symbol.Nodes;
        Assert.Equal((1, 2), (arguments.Count, nodes.Count));
        Assert.NotEqual(symbol.ToString(), symbol.ToDot());
        GradientCheckReport report = Autograd.CheckGradients(f: static i => i[0].Exp(), inputs: [x], order: 1);
        (bool passed, double error) = (report.Passed, report.MaxRelativeError);
        Assert.True(passed && error < 1e-5, report.ToString());
        NDArray y;
        using (Autograd.Record()) y = Autograd.Checkpoint(f: static a => a * a, x: x);
        Assert.Equal(4, y.Item<float>());
    }

    [Fact]
    public void CustomFunctions()
    {
        Sigmoid sigmoid = new();
        NDArray x = Leaf.Of(0);
        IReadOnlyList<NDArray> y, list;
        using (Autograd.Record())
        {
            y = sigmoid.Apply(x);
            list = sigmoid.Apply([x]);
        }

        Autograd.Backward([y[0], list[0]]);
        Expect.Elements(x.Grad, 0.5);
    }

    private sealed class Sigmoid : Autograd.Function
    {
        protected override IReadOnlyList<NDArray> Forward(IReadOnlyList<NDArray> inputs)
        {
            NDArray y = 1 / (1 + Nd.Exp(-inputs[0]));
            SaveForBackward(y);
            return [y];
        }

        protected override IReadOnlyList<NDArray?> Backward(IReadOnlyList<NDArray> outputGradients)
        {
            NDArray y = SavedArrays[0];
            return [outputGradients[0] * y * (1 - y)];
        }
    }
}
