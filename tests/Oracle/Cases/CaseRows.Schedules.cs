using Fusion.Optim;
using TorchSharp.Modules;
using static TorchSharp.torch;
using Rates = TorchSharp.torch.optim.lr_scheduler;

namespace Fusion.Oracle.Cases;

// The learning rates of thirty steps.
internal static partial class CaseRows
{
    private const int Rated = 30;

    private static readonly CaseRow[] Schedules =
    [
        new("StepSchedule", static c => (c.Int(1, 9), c.Number(0.1, 1)) is var (size, gamma)
            ? Scheduled(c, $"{size}, {gamma}", o => new StepSchedule(o, size, gamma), o => Rates.StepLR(o, size, gamma)) : null!),
        new("MultiStepSchedule", static c => (c.Sizes(c.Int(4), 1, 29).Distinct().Order().ToArray(), c.Number(0.1, 1)) is var (at, gamma)
            ? Scheduled(c, $"{CaseDraw.Text(at)}, {gamma}", o => new MultiStepSchedule(o, at.Select(static m => (long)m), gamma), o => Rates.MultiStepLR(o, at, gamma)) : null!),
        new("ExponentialSchedule", static c => c.Number(0.5, 1.1) is var gamma
            ? Scheduled(c, $"{gamma}", o => new ExponentialSchedule(o, gamma), o => Rates.ExponentialLR(o, gamma)) : null!),
        // LibTorch's rises again after the last step.
        new("CosineSchedule", static c => (c.Int(Rated, 50), c.Of(0, 0.001)) is var (steps, minimum)
            ? Scheduled(c, $"{steps}, {minimum}", o => new CosineSchedule(o, steps, minimum), o => Rates.CosineAnnealingLR(o, steps, minimum)) : null!),
        new("PolynomialSchedule", static c => (c.Int(1, 50), c.Of(1, 2, 0.5)) is var (steps, power)
            ? Scheduled(c, $"{steps}, {power}", o => new PolynomialSchedule(o, steps, power), o => Rates.PolynomialLR(o, steps, power)) : null!),
        new("WarmupSchedule", static c => c.Int(2, 50) is var steps
            ? Scheduled(c, $"{steps}", o => new WarmupSchedule(o, steps), o => Rates.LinearLR(o, 1.0 / steps, 1, steps - 1)) : null!),
        new("OneCycleSchedule", static c => (c.Int(Rated, 60), c.Number(0.1, 0.6), c.Number(2, 30), c.Number(2, 100), c.Flag()) is var (steps, rise, start, end, linear)
            ? Scheduled(c, $"{steps}, {rise}, {start}, {end}, {linear}", o => new OneCycleSchedule(o, 0.5, steps, rise, start, end, linear),
                o => Rates.OneCycleLR(o, 0.5, steps, pct_start: rise, anneal_strategy: linear ? Rates.impl.OneCycleLR.AnnealStrategy.Linear : Rates.impl.OneCycleLR.AnnealStrategy.Cos,
                    cycle_momentum: false, div_factor: start, final_div_factor: end)) : null!),
        new("LambdaSchedule", static c => c.Number(0.1, 2) is var power
            ? Scheduled(c, $"{power}", o => new LambdaSchedule(o, t => 1 / Math.Pow(t + 1, power)), o => Rates.LambdaLR(o, t => 1 / Math.Pow(t + 1, power))) : null!),
    ];

    private static RandomCase Scheduled(CaseDraw c, string options, Func<Optimizer, Schedule> ours, Func<optim.Optimizer, optim.lr_scheduler.LRScheduler> theirs)
    {
        double rate = c.Number(0.01, 1);
        return new RandomCase($"{rate}: {options}", [],
            compiled => new OurSide(
                _ =>
                {
                    NDArray p = Nd.Zeros(1, DType.Float64);
                    p.AttachGrad();
                    Fusion.Optim.Sgd optimizer = new([p], rate);
                    Schedule schedule = ours(optimizer);
                    Func<NDArray, NDArray> step = x =>
                    {
                        using (Autograd.Record()) x = (x * p).Sum();
                        x.Backward();
                        optimizer.Step();
                        schedule.Step();
                        return x;
                    };
                    if (compiled) step = step.Hybridize(RandomCase.NoFallback).Invoke;
                    double[] rates = new double[Rated];
                    for (int t = 0; t < Rated; t++)
                    {
                        rates[t] = optimizer.LearningRate;
                        step(Nd.Ones(1, DType.Float64));
                    }

                    return [Nd.Array(rates), p.Detach()];
                },
                []),
            _ =>
            {
                Parameter p = new(zeros(1));
                optim.Optimizer optimizer = optim.SGD([p], rate);
                optim.lr_scheduler.LRScheduler schedule = theirs(optimizer);
                double[] rates = new double[Rated];
                for (int t = 0; t < Rated; t++)
                {
                    rates[t] = optimizer.ParamGroups.First().LearningRate;
                    schedule.step();
                }

                return new TheirSide([tensor(rates), tensor(new[] { -rates.Sum() })]);
            })
        { HasGradient = false, Slack = 10 };
    }
}
