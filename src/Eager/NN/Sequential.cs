using System.Globalization;

namespace Fusion.NN;

/// <summary>Modules one after the other; they are named 0, 1, 2, ….</summary>
public sealed class Sequential : Module
{
    private readonly List<Module> _modules = [];

    /// <summary>The modules in the order of their execution.</summary>
    public Sequential(params IReadOnlyList<Module> modules)
    {
        ArgumentNullException.ThrowIfNull(modules);
        foreach (Module module in modules) Add(module);
    }

    /// <summary>The number of modules.</summary>
    public int Count => _modules.Count;

    /// <summary>The module at a position.</summary>
    public Module this[int index] => _modules[index];

    /// <summary>Appends a module and returns this.</summary>
    public Sequential Add(Module module)
    {
        _modules.Add(Child(_modules.Count.ToString(CultureInfo.InvariantCulture), module));
        return this;
    }

    /// <inheritdoc/>
    protected internal override NDArray ForwardCore(NDArray x)
    {
        foreach (Module module in _modules) x = module.Forward(x);
        return x;
    }
}
