using System.Collections;
using System.Globalization;

namespace Fusion.NN;

/// <summary>Modules one after the other; they are named 0, 1, 2, …. A range of it, as <c>net[..^1]</c>, is a chain of the same modules.</summary>
public sealed class Sequential : Module, IEnumerable<Module>
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
    /// <exception cref="ArgumentOutOfRangeException">There is no such module.</exception>
    public Module this[int index] => (uint)index < (uint)Count
        ? _modules[index]
        : throw new ArgumentOutOfRangeException(nameof(index), index, $"Sequential: there are {Count} modules, 0 to {Count - 1}.");

    /// <summary>A chain of the same modules, from a position on: what <c>net[1..3]</c> is.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There are fewer modules, or a number is negative.</exception>
    public Sequential Slice(int start, int length)
    {
        Require.NotNegative(start);
        Require.NotNegative(length);
        if (length > Count - start)
            throw new ArgumentOutOfRangeException(nameof(length), length, $"Slice: {length} modules from position {start} on, of {Count}.");
        return new(_modules.GetRange(start, length));
    }

    /// <inheritdoc/>
    public IEnumerator<Module> GetEnumerator() => _modules.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

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
