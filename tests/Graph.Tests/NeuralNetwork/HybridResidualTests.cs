using Fusion.NN;

namespace Fusion.Tests;

/// <summary>Networks of compiled blocks around which x passes by, with state and random numbers inside: every bit as eagerly.</summary>
[Collection(nameof(ProcessState))]
public sealed class HybridResidualTests
{
    public static TheoryData<bool> Penalties => [false, true];

    [Theory]
    [MemberData(nameof(Penalties))]
    public void TrainingHasTheBitsOfTheEagerNetwork(bool penalty)
    {
        Residual[] eager = Make(), compiled = Make();
        for (int i = 0; i < eager.Length; i++)
        {
            foreach ((string key, NDArray parameter) in compiled[i].Parameters) parameter.Assign(eager[i].Parameters[key]);
            compiled[i].Body.Hybridize(Check.Strict);
        }

        for (int step = 0; step < 3; step++)
        {
            NDArray x = TestArrays.Uniform((7, 6), step);
            Check.Same(Train(eager, x, penalty), Train(compiled, x, penalty), $"step {step}, value");
        }
    }

    private static Residual[] Make() => [new(Body()), new(Body()), new(Body())];

    private static Sequential Body() => new(new Linear(6, 6), new BatchNorm(6), new Relu(), new Dropout(0.2), new Linear(6, 6));

    // The blocks in a row, the first one twice.
    private static NDArray[] Train(Residual[] blocks, NDArray x, bool penalty)
    {
        Nd.Random.Seed(5);
        x = x.Detach();
        x.AttachGrad();
        NDArray[] parameters = [.. blocks.SelectMany(static b => b.Parameters.Values)];
        using (Autograd.Record())
        {
            NDArray y = x;
            foreach (Residual block in blocks.Append(blocks[0])) y = block.Forward(y);
            NDArray loss = y.Square().Mean();
            if (penalty) loss = loss + Autograd.Grad(loss, x, createGraph: true).Square().Sum() * 10 + (y * x).Mean();
            loss.Backward();
        }

        NDArray[] result = [x.Grad!, .. parameters.Select(static p => p.Grad!.Copy())];
        new Optim.Sgd(parameters, 0.1).Step();
        return [.. result, .. parameters.Select(static p => p.Copy()), .. blocks.SelectMany(static b => b.Buffers.Values).Select(static b => b.Copy())];
    }

    private sealed class Residual : Module
    {
        public Residual(Sequential body) => Body = Child("body", body);

        public Sequential Body { get; }

        protected internal override NDArray ForwardCore(NDArray x) => x + Body.Forward(x);
    }
}
