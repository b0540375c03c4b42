namespace Fusion.NN;

/// <summary>
/// A function of an array with named parameters. Derived classes register parameters, buffers and child modules in their constructor (or in their first call, where
/// sizes follow from the input: a hybridized module makes that call eagerly) and override
/// <see cref="ForwardCore"/>; training or inference is the training flag of <see cref="Autograd"/>, not a property.
/// </summary>
/// <example>
/// <code>
/// sealed class Residual : Module
/// {
///     private readonly Linear _inner;
///
///     public Residual(int size) => _inner = Child("inner", new Linear(size, size));
///
///     protected override NDArray ForwardCore(NDArray x) => x + _inner.Forward(x).Relu();
/// }
/// </code>
/// </example>
public abstract partial class Module
{
    private readonly Dictionary<string, NDArray> _own = [];
    private readonly Dictionary<string, NDArray> _ownBuffers = [];
    private readonly Dictionary<string, Module> _children = [];

    // Those that nobody has any more are forgotten: a module may be a part of many that are made for one call.
    private readonly List<WeakReference<Module>> _parents = [];
    private int _parentsToSweep = 8;

    /// <summary>What runs instead of <see cref="ForwardCore"/>: the seam of the graph compiler.</summary>
    internal Func<NDArray, NDArray>? ForwardHook { get; set; }

    /// <summary>Called when a parameter, buffer or child is registered here or in a module inside: what was compiled is out of date.</summary>
    internal Action? StructureChanged { get; set; }

    /// <summary>All parameters by dotted name, such as <c>0.weight</c>, in the order of registration; children after the module's own.</summary>
    public IReadOnlyDictionary<string, NDArray> Parameters => Collect(static m => m._own);

    /// <summary>All arrays that are part of the state but not trained, such as running statistics, by dotted name.</summary>
    public IReadOnlyDictionary<string, NDArray> Buffers => Collect(static m => m._ownBuffers);

    /// <summary>The child modules by name, in the order of registration.</summary>
    public IReadOnlyDictionary<string, Module> Children => _children;

    /// <summary>The value of the function at <paramref name="x"/>.</summary>
    public NDArray Forward(NDArray x)
    {
        ArgumentNullException.ThrowIfNull(x);
        return ForwardHook is { } hook ? hook(x) : Value(x);
    }

    /// <summary>Computes the module's value with differentiable functions.</summary>
    protected internal abstract NDArray ForwardCore(NDArray x);

    /// <summary>What <see cref="ForwardCore"/> gives, which must not be null.</summary>
    internal NDArray Value(NDArray x) =>
        ForwardCore(x) ?? throw new InvalidOperationException($"{GetType().Name}.ForwardCore returned null; return the module's value.");

    /// <summary>Moves all parameters, their gradients and the buffers to a device.</summary>
    internal void MoveTo(Device device)
    {
        foreach (NDArray array in Parameters.Values.Concat(Buffers.Values)) array.MoveTo(device);
        Changed();
    }

    /// <summary>Registers a parameter, attaches a gradient to it unless it has one or is frozen, and returns it.</summary>
    /// <exception cref="ArgumentException">The name is empty, has a dot, or is taken.</exception>
    protected NDArray Parameter(string name, NDArray value)
    {
        ArgumentNullException.ThrowIfNull(value);
        Check(name, value);
        if (value.Grad is null && !value.IsFrozen) value.AttachGrad();
        _own.Add(name, value);
        Changed();
        return value;
    }

    /// <summary>Registers an array that belongs to the state but is not trained, and returns it.</summary>
    /// <exception cref="ArgumentException">The name is empty, has a dot, or is taken.</exception>
    protected NDArray Buffer(string name, NDArray value)
    {
        ArgumentNullException.ThrowIfNull(value);
        Check(name, value);
        _ownBuffers.Add(name, value);
        Changed();
        return value;
    }

    /// <summary>Registers a child module and returns it.</summary>
    /// <exception cref="ArgumentException">The name is empty, has a dot, or is taken; or the module contains this one.</exception>
    protected TModule Child<TModule>(string name, TModule module)
        where TModule : Module
    {
        ArgumentNullException.ThrowIfNull(module);
        Check(name);
        if (module.Contains(this)) throw new ArgumentException($"{GetType().Name}: the module would be a part of itself.", nameof(module));
        _children.Add(name, module);
        module.AddParent(this);
        Changed();
        return module;
    }

    private bool Contains(Module module) => ReferenceEquals(this, module) || _children.Values.Any(child => child.Contains(module));

    private void Changed()
    {
        StructureChanged?.Invoke();
        foreach (WeakReference<Module> reference in _parents)
            if (reference.TryGetTarget(out Module? parent)) parent.Changed();
    }

    private void AddParent(Module parent)
    {
        if (_parents.Count >= _parentsToSweep)
        {
            _parents.RemoveAll(static p => !p.TryGetTarget(out _));
            _parentsToSweep = Math.Max(8, 2 * _parents.Count);
        }

        _parents.Add(new WeakReference<Module>(parent));
    }

    // The value that a trace gives to what outlives it is that of one call, or none.
    private void Check(string name, NDArray value)
    {
        Check(name);
        if (value.IsSymbolic && ExecutionState.Current.Tracer is { } tracer) throw tracer.Postpone($"{GetType().Name} makes its '{name}' at every call. Make it once");
    }

    private void Check(string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        if (name.Contains('.', StringComparison.Ordinal))
            throw new ArgumentException($"{GetType().Name}: the name '{name}' has a dot, which separates a child's name from its parameter's.", nameof(name));
        if (_own.ContainsKey(name) || _ownBuffers.ContainsKey(name) || _children.ContainsKey(name))
            throw new ArgumentException($"{GetType().Name}: the name '{name}' is taken.", nameof(name));
    }

    // A parameter that is shared by several modules appears once, under its first name.
    private Dictionary<string, NDArray> Collect(Func<Module, Dictionary<string, NDArray>> own)
    {
        Dictionary<string, NDArray> all = [];
        HashSet<NDArray> seen = new(ReferenceEqualityComparer.Instance);
        Visit(this, string.Empty);
        return all;

        void Visit(Module module, string prefix)
        {
            foreach ((string name, NDArray array) in own(module))
                if (seen.Add(array)) all.Add(prefix + name, array);
            foreach ((string name, Module child) in module._children) Visit(child, $"{prefix}{name}.");
        }
    }
}
