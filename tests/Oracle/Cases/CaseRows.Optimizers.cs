using System.Globalization;
using Fusion.Optim;
using Fusion.Oracle.Programs;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Fusion.Oracle.Cases;

// Twenty steps of training several arrays: backward, clipping, step, a learning rate that changes on the way.
internal static partial class CaseRows
{
    private const int Steps = 20;

    private static readonly CaseRow[] Optimizers =
    [
        new("Sgd", static c =>
        {
            (double rate, double momentum, double decay) = (c.Number(0.001, 0.2), c.Of(0, 0.5, 0.9), c.Of(0, 0.01, 0.3));
            bool nesterov = momentum > 0 && c.Flag();
            return Trained(c, $"{rate}, momentum {momentum}, decay {decay}, Nesterov: {nesterov}", p => new Fusion.Optim.Sgd(p, rate, momentum, decay, nesterov),
                p => new TheirSteps(optim.SGD(p, rate, momentum, 0, decay, nesterov)));
        }),
        new("Adam", static c =>
        {
            (double rate, double beta1, double beta2, double epsilon, double decay) = Moments(c);
            bool amsGrad = c.Flag();
            return Trained(c, $"{rate}, β {beta1} {beta2}, ε {epsilon}, decay {decay}, AMSGrad: {amsGrad}", p => new Fusion.Optim.Adam(p, rate, beta1, beta2, epsilon, decay, amsGrad),
                p => new TheirSteps(optim.Adam(p, rate, beta1, beta2, epsilon, decay, amsGrad)));
        }),
        new("AdamW", static c =>
        {
            (double rate, double beta1, double beta2, double epsilon, double decay) = Moments(c);
            bool amsGrad = c.Flag();
            return Trained(c, $"{rate}, β {beta1} {beta2}, ε {epsilon}, decay {decay}, AMSGrad: {amsGrad}", p => new Fusion.Optim.AdamW(p, rate, beta1, beta2, epsilon, decay, amsGrad),
                p => new TheirSteps(optim.AdamW(p, rate, beta1, beta2, epsilon, decay, amsGrad)));
        }),
        new("Adamax", static c =>
        {
            (double rate, double beta1, double beta2, double epsilon, double decay) = Moments(c);
            return Trained(c, $"{rate}, β {beta1} {beta2}, ε {epsilon}, decay {decay}", p => new Fusion.Optim.Adamax(p, rate, beta1, beta2, epsilon, decay),
                p => new TheirSteps(optim.Adamax(p, rate, beta1, beta2, epsilon, decay)));
        }),
        new("NAdam", static c =>
        {
            (double rate, double beta1, double beta2, double epsilon, double decay) = Moments(c);
            double momentumDecay = c.Of(0, 4e-3, 0.5);
            return Trained(c, $"{rate}, β {beta1} {beta2}, ε {epsilon}, decay {decay}, of the momentum {momentumDecay}",
                p => new Fusion.Optim.NAdam(p, rate, beta1, beta2, epsilon, decay, momentumDecay),
                p => new TheirSteps(optim.NAdam(p, rate, beta1, beta2, epsilon, decay, momentumDecay)));
        }),
        new("RAdam", static c =>
        {
            (double rate, double beta1, double beta2, double epsilon, double decay) = Moments(c);
            return Trained(c, $"{rate}, β {beta1} {beta2}, ε {epsilon}, decay {decay}", p => new Fusion.Optim.RAdam(p, rate, beta1, beta2, epsilon, decay),
                p => new TheirRAdam(p, rate, beta1, beta2, epsilon, decay));
        }),
        new("RmsProp", static c =>
        {
            (double rate, double alpha, double epsilon, double decay, double momentum, bool centered) =
                (c.Number(0.001, 0.05), c.Of(0.5, 0.9, 0.99), c.Of(1e-8, 1e-3, 0.1), c.Of(0, 0.01, 0.3), c.Of(0, 0.5, 0.9), c.Flag());
            return Trained(c, $"{rate}, α {alpha}, ε {epsilon}, decay {decay}, momentum {momentum}, centered: {centered}",
                p => new Fusion.Optim.RmsProp(p, rate, alpha, epsilon, decay, momentum, centered), p => new TheirSteps(optim.RMSProp(p, rate, alpha, epsilon, decay, momentum, centered)));
        }),
        new("AdaGrad", static c =>
        {
            (double rate, double slowing, double decay, double start, double epsilon) = (c.Number(0.001, 0.1), c.Of(0, 0.01, 0.5), c.Of(0, 0.01, 0.3), c.Of(0, 0.1, 1), c.Of(1e-10, 1e-3));
            return Trained(c, $"{rate}, decay of the rate {slowing}, decay {decay}, start {start}, ε {epsilon}", p => new Fusion.Optim.AdaGrad(p, rate, slowing, decay, start, epsilon),
                p => new TheirSteps(optim.Adagrad(p, rate, slowing, decay, start, epsilon)));
        }),
        new("AdaDelta", static c =>
        {
            (double rate, double rho, double epsilon, double decay) = (c.Number(0.1, 2), c.Of(0, 0.5, 0.9), c.Of(1e-6, 1e-3, 0.1), c.Of(0, 0.01, 0.3));
            return Trained(c, $"{rate}, ρ {rho}, ε {epsilon}, decay {decay}", p => new Fusion.Optim.AdaDelta(p, rate, rho, epsilon, decay),
                p => new TheirSteps(optim.Adadelta(p, rate, rho, epsilon, decay)));
        }),
        new("Lamb", static c =>
        {
            (double rate, double beta1, double beta2, double epsilon, double decay) = (c.Number(0.001, 0.1), c.Of(0, 0.5, 0.9), c.Of(0.5, 0.9, 0.999), c.Of(1e-6, 1e-3, 0.1), c.Of(0, 0.01, 0.3));
            return Trained(c, $"{rate}, β {beta1} {beta2}, ε {epsilon}, decay {decay}", p => new Lamb(p, rate, beta1, beta2, epsilon, decay),
                p => new TheirLamb(p, rate, beta1, beta2, epsilon, decay));
        }),
    ];

    // The rate, the βs, ε and the decay of Adam's relatives.
    private static (double, double, double, double, double) Moments(CaseDraw c) =>
        (c.Number(0.001, 0.1), c.Of(0, 0.5, 0.9), c.Of(0.5, 0.9, 0.999), c.Of(1e-8, 1e-3, 0.1), c.Of(0, 0.01, 0.3));

    // Σ k·sin(1.3·p + t): gradients of all signs, different at every step.
    private static RandomCase Trained(CaseDraw c, string options, Func<IEnumerable<NDArray>, Optimizer> ours, Func<Parameter[], ITheirSteps> theirs)
    {
        Shape[] shapes = [.. Enumerable.Range(0, c.Int(1, 4)).Select(_ => (Shape)c.Sizes(c.Int(4), 1, 5))];
        NDArray[] inputs = [.. shapes.Select(s => c.Real(s)), .. shapes.Select(s => c.Real(s, 0.2, 2))];
        double? clip = c.Flag() ? c.Number(0.1, 3) : null;
        string text = string.Create(CultureInfo.InvariantCulture, $"{options}, clipped at {clip?.ToString(CultureInfo.InvariantCulture) ?? "nothing"}");
        return new RandomCase(text, inputs,
            compiled => new OurSide(
                x =>
                {
                    NDArray[] p = [.. x.Take(shapes.Length).Select(static v => v.Copy())];
                    foreach (NDArray parameter in p) parameter.AttachGrad();
                    Optimizer optimizer = ours(p);
                    Func<NDArray, NDArray> step = time =>
                    {
                        NDArray loss = Nd.Scalar(0, c.DType);
                        using (Autograd.Record())
                            for (int i = 0; i < p.Length; i++) loss += (x[shapes.Length + i] * ((p[i] * 1.3) + time).Sin()).Sum();
                        loss.Backward();
                        NDArray norm = clip is { } most ? optimizer.ClipGradNorm(most).Array : Nd.Scalar(0);
                        optimizer.Step();
                        return loss + (norm * 0).AsType(c.DType);
                    };
                    if (compiled) step = step.Hybridize(RandomCase.NoFallback).Invoke;
                    List<NDArray> losses = [];
                    for (int t = 0; t < Steps; t++)
                    {
                        if (t == Steps / 2) optimizer.LearningRate *= 0.5;
                        losses.Add(step(Nd.Scalar(t, c.DType)));
                    }

                    return [.. p.Select(static v => v.Detach()), Nd.Stack([.. losses.Select(static l => l.Detach())])];
                },
                []),
            t =>
            {
                Parameter[] p = [.. t.Take(shapes.Length).Select(static v => new Parameter(v.clone()))];
                ITheirSteps optimizer = theirs(p);
                List<Tensor> losses = [];
                for (int at = 0; at < Steps; at++)
                {
                    if (at == Steps / 2) optimizer.Rate *= 0.5;
                    foreach (Parameter parameter in p) parameter.grad?.zero_();
                    Tensor loss = tensor(0.0);
                    for (int i = 0; i < p.Length; i++) loss += (t[shapes.Length + i] * ((p[i] * 1.3) + at).sin()).sum();
                    loss.backward();
                    if (clip is { } most) nn.utils.clip_grad_norm_(p, most);
                    optimizer.Step();
                    losses.Add(loss.detach());
                }

                return new TheirSide([.. p.Select(static v => v.detach()), stack(losses)]);
            })
        { HasGradient = false, Slack = 200 };
    }
}
