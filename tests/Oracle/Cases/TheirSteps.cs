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

/// <summary>LAMB as its paper has it, of LibTorch's arrays: TorchSharp has none.</summary>
internal sealed class TheirLamb(IReadOnlyList<Parameter> parameters, double rate, double beta1, double beta2, double epsilon, double decay) : ITheirSteps
{
    private readonly Tensor[] _first = [.. parameters.Select(static p => zeros_like(p).detach())], _second = [.. parameters.Select(static p => zeros_like(p).detach())];
    private int _steps;

    public double Rate { get; set; } = rate;

    public void Step()
    {
        using IDisposable pause = no_grad();
        _steps++;
        for (int i = 0; i < parameters.Count; i++)
        {
            Tensor g = parameters[i].grad!;
            _first[i] = (beta1 * _first[i]) + ((1 - beta1) * g);
            _second[i] = (beta2 * _second[i]) + ((1 - beta2) * g * g);
            Tensor u = (_first[i] / (1 - Math.Pow(beta1, _steps)) / ((_second[i] / (1 - Math.Pow(beta2, _steps))).sqrt() + epsilon)) + (decay * parameters[i]);
            double size = parameters[i].square().sum().sqrt().item<double>(), length = u.square().sum().sqrt().item<double>();
            parameters[i].sub_(Rate * (size > 0 && length > 0 ? size / length : 1) * u);
        }
    }
}

/// <summary>RAdam as PyTorch has it, of LibTorch's arrays: TorchSharp 0.107 departs from it where the rate is rectified.</summary>
internal sealed class TheirRAdam(IReadOnlyList<Parameter> parameters, double rate, double beta1, double beta2, double epsilon, double decay) : ITheirSteps
{
    private readonly Tensor[] _first = [.. parameters.Select(static p => zeros_like(p).detach())], _second = [.. parameters.Select(static p => zeros_like(p).detach())];
    private int _steps;

    public double Rate { get; set; } = rate;

    public void Step()
    {
        using IDisposable pause = no_grad();
        _steps++;
        double second = 1 - Math.Pow(beta2, _steps), limit = (2 / (1 - beta2)) - 1, length = limit - (2 * _steps * Math.Pow(beta2, _steps) / second);
        double rectified = length > 5 ? Math.Sqrt((length - 4) * (length - 2) * limit / ((limit - 4) * (limit - 2) * length) * second) : 0;
        for (int i = 0; i < parameters.Count; i++)
        {
            Tensor g = parameters[i].grad! + (decay * parameters[i]);
            _first[i] = (beta1 * _first[i]) + ((1 - beta1) * g);
            _second[i] = (beta2 * _second[i]) + ((1 - beta2) * g * g);
            Tensor m = _first[i] / (1 - Math.Pow(beta1, _steps));
            parameters[i].sub_(Rate * (rectified > 0 ? m * rectified / (_second[i].sqrt() + epsilon) : m));
        }
    }
}
