using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Fusion.Oracle.Cases;

/// <summary>An optimizer of LibTorch's side.</summary>
internal interface ITheirSteps
{
    double Rate { get; set; }

    void Step();
}

/// <summary>One that TorchSharp has.</summary>
internal sealed class TheirSteps(optim.Optimizer optimizer) : ITheirSteps
{
    public double Rate
    {
        get => optimizer.ParamGroups.First().LearningRate;
        set
        {
            foreach (var group in optimizer.ParamGroups) group.LearningRate = value;
        }
    }

    public void Step() => optimizer.step();
}

/// <summary>A relative of Adam, of LibTorch's arrays, where TorchSharp has none, or another one.</summary>
internal abstract class TheirMoments(IReadOnlyList<Parameter> parameters, double rate, double beta1, double beta2, double decayOfGradient) : ITheirSteps
{
    private readonly Tensor[] _first = [.. parameters.Select(static p => zeros_like(p).detach())], _second = [.. parameters.Select(static p => zeros_like(p).detach())];
    private int _steps;

    public double Rate { get; set; } = rate;

    protected double Beta2 => beta2;

    public void Step()
    {
        using IDisposable pause = no_grad();
        _steps++;
        for (int i = 0; i < parameters.Count; i++)
        {
            Tensor g = parameters[i].grad! + (decayOfGradient * parameters[i]);
            _first[i] = (beta1 * _first[i]) + ((1 - beta1) * g);
            _second[i] = (beta2 * _second[i]) + ((1 - beta2) * g * g);
            parameters[i].sub_(Rate * Direction(parameters[i], _first[i] / (1 - Math.Pow(beta1, _steps)), _second[i], _steps));
        }
    }

    /// <summary>What is subtracted, but for the rate.</summary>
    /// <param name="p">The parameter.</param>
    /// <param name="m">The corrected mean of the gradients.</param>
    /// <param name="v">The mean of their squares as it is.</param>
    /// <param name="t">The step, from 1.</param>
    protected abstract Tensor Direction(Tensor p, Tensor m, Tensor v, int t);
}

/// <summary>LAMB as its paper has it: TorchSharp has none.</summary>
internal sealed class TheirLamb(IReadOnlyList<Parameter> parameters, double rate, double beta1, double beta2, double epsilon, double decay)
    : TheirMoments(parameters, rate, beta1, beta2, 0)
{
    protected override Tensor Direction(Tensor p, Tensor m, Tensor v, int t)
    {
        Tensor u = (m / ((v / (1 - Math.Pow(Beta2, t))).sqrt() + epsilon)) + (decay * p);
        double size = p.square().sum().sqrt().item<double>(), length = u.square().sum().sqrt().item<double>();
        return (size > 0 && length > 0 ? size / length : 1) * u;
    }
}

/// <summary>RAdam as PyTorch has it: TorchSharp 0.107 departs from it where the rate is rectified.</summary>
internal sealed class TheirRAdam(IReadOnlyList<Parameter> parameters, double rate, double beta1, double beta2, double epsilon, double decay)
    : TheirMoments(parameters, rate, beta1, beta2, decay)
{
    protected override Tensor Direction(Tensor p, Tensor m, Tensor v, int t)
    {
        double second = 1 - Math.Pow(Beta2, t), limit = (2 / (1 - Beta2)) - 1, length = limit - (2 * t * Math.Pow(Beta2, t) / second);
        return length > 5 ? m * Math.Sqrt((length - 4) * (length - 2) * limit / ((limit - 4) * (limit - 2) * length) * second) / (v.sqrt() + epsilon) : m;
    }
}
