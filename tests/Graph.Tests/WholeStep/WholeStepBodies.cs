using Fusion.NN;
using Fusion.Optim;

namespace Fusion.Tests;

/// <summary>Training steps, each with something else inside.</summary>
internal static class WholeStepBodies
{
    public static IReadOnlyDictionary<string, Func<Module, Optimizer, Func<NDArray, NDArray, NDArray>>> All { get; } =
        new Dictionary<string, Func<Module, Optimizer, Func<NDArray, NDArray, NDArray>>>
        {
            ["plain"] = StepTwins.PlainStep,
            ["clipped"] = StepTwins.ClippedStep,
            ["clipping that does not bite"] = Step((n, x, y) => Loss.SoftmaxCrossEntropy(n.Forward(x), y), static (_, o) => o.ClipGradNorm(1e6)),
            ["zeroed before"] = (network, optimizer) => Before(network, optimizer, o => o.ZeroGrad()),
            ["zeroed after"] = (network, optimizer) =>
            {
                Func<NDArray, NDArray, NDArray> step = StepTwins.PlainStep(network, optimizer);
                return (x, y) =>
                {
                    NDArray loss = step(x, y);
                    optimizer.ZeroGrad();
                    return loss;
                };
            },
            ["no update"] = (network, _) => (x, y) =>
            {
                NDArray loss;
                using (Autograd.Record()) loss = Loss.SoftmaxCrossEntropy(network.Forward(x), y);
                loss.Backward();
                return loss;
            },
            ["two backward passes"] = (network, optimizer) => (x, y) =>
            {
                NDArray loss;
                using (Autograd.Record()) loss = Loss.SoftmaxCrossEntropy(network.Forward(x), y);
                loss.Backward(retainGraph: true);
                loss.Backward();
                optimizer.Step();
                return loss;
            },
            ["two steps"] = (network, optimizer) =>
            {
                Func<NDArray, NDArray, NDArray> step = StepTwins.PlainStep(network, optimizer);
                return (x, y) => step(x, y) + step(x, y);
            },
            ["gradients read and replaced"] = Step((n, x, y) => Loss.SoftmaxCrossEntropy(n.Forward(x), y), static (network, _) =>
            {
                foreach (NDArray parameter in network.Parameters.Values) parameter.Grad!.Assign(Nd.Sign(parameter.Grad) + 0.1 * parameter);
            }),
            ["weights projected"] = (network, optimizer) =>
            {
                Func<NDArray, NDArray, NDArray> step = StepTwins.PlainStep(network, optimizer);
                return (x, y) =>
                {
                    NDArray loss = step(x, y);
                    foreach (NDArray parameter in network.Parameters.Values)
                    {
                        parameter.Assign(Nd.Clip(parameter, -0.3, 0.3));
                        parameter[0] = 0.5 * parameter[-1];
                        parameter.SetValue(0.25, 1);
                    }

                    return loss;
                };
            },
            ["summed loss"] = Step((n, x, y) => Loss.SoftmaxCrossEntropy(n.Forward(x), y, Reduction.Sum), static (_, o) => o.ClipGradNorm(1)),
            ["dropout"] = Step((n, x, y) => Loss.SoftmaxCrossEntropy(n.Forward(Nd.Dropout(x, 0.3)), y)),
            ["checkpoint"] = Step((n, x, y) => Loss.SoftmaxCrossEntropy(Autograd.Checkpoint(n.Forward, x), y)),
            ["custom function"] = Step((n, x, y) => Loss.SoftmaxCrossEntropy(new Doubler().Apply(n.Forward(x))[0], y)),
            ["gradient penalty"] = Step((n, x, y) =>
            {
                NDArray at = x.Detach();
                at.AttachGrad();
                NDArray loss = Loss.SoftmaxCrossEntropy(n.Forward(at), y);
                NDArray slope = Autograd.Grad(loss, at, createGraph: true);
                return loss + Nd.Sum(Nd.Square(slope));
            }),
            ["returned weights"] = (network, optimizer) =>
            {
                Func<NDArray, NDArray, NDArray> step = StepTwins.PlainStep(network, optimizer);
                NDArray weight = network.Parameters["0.weight"];
                return (x, y) =>
                {
                    NDArray before = weight.Copy();
                    step(x, y);
                    return Nd.Stack([before, weight]);
                };
            },
        };

    private static Func<Module, Optimizer, Func<NDArray, NDArray, NDArray>> Step(Func<Module, NDArray, NDArray, NDArray> loss, Action<Module, Optimizer>? beforeUpdate = null) =>
        (network, optimizer) => (x, y) =>
        {
            NDArray value;
            using (Autograd.Record()) value = loss(network, x, y);
            value.Backward();
            beforeUpdate?.Invoke(network, optimizer);
            optimizer.Step();
            return value;
        };

    private static Func<NDArray, NDArray, NDArray> Before(Module network, Optimizer optimizer, Action<Optimizer> first)
    {
        Func<NDArray, NDArray, NDArray> step = StepTwins.PlainStep(network, optimizer);
        return (x, y) =>
        {
            first(optimizer);
            return step(x, y);
        };
    }

    private sealed class Doubler : Autograd.Function
    {
        protected override IReadOnlyList<NDArray> Forward(IReadOnlyList<NDArray> inputs)
        {
            SaveForBackward(inputs[0]);
            return [inputs[0] * 2 + Nd.Sin(inputs[0])];
        }

        protected override IReadOnlyList<NDArray?> Backward(IReadOnlyList<NDArray> outputGradients) =>
            [outputGradients[0] * 2 + outputGradients[0] * Nd.Cos(SavedArrays[0])];
    }
}
