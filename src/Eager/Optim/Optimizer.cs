namespace Fusion.Optim;

/// <summary>Changes parameters, in place, by their gradients.</summary>
/// <remarks>Momentum and moments that have faded below the least normal number of their type are kept as zeros: a processor is slow with such numbers.</remarks>
public abstract partial class Optimizer
{
    private readonly NDArray[] _parameters;
    private readonly string[]? _names;
    private readonly long[] _updates;
    private readonly bool[] _fresh;
    private long _stepCount;
    private bool _ignoreStale;

    /// <summary>An optimizer of arrays that have gradients attached.</summary>
    /// <exception cref="ArgumentException">No parameters, or one of them twice.</exception>
    protected Optimizer(IEnumerable<NDArray> parameters, double learningRate)
    {
        ArgumentNullException.ThrowIfNull(parameters);
        _parameters = [.. parameters];
        if (_parameters.Length == 0) throw new ArgumentException($"{GetType().Name}: there are no parameters to optimize.", nameof(parameters));
        HashSet<NDArray> seen = new(ReferenceEqualityComparer.Instance);
        for (int i = 0; i < _parameters.Length; i++)
        {
            ArgumentNullException.ThrowIfNull(_parameters[i], nameof(parameters));
            if (!seen.Add(_parameters[i])) throw new ArgumentException($"{GetType().Name}: parameter {i}, {_parameters[i].Shape}, is in the list twice and would be updated twice a step.", nameof(parameters));
        }

        _updates = new long[_parameters.Length];
        _fresh = new bool[_parameters.Length];
        LearningRate = learningRate;
    }

    /// <summary>An optimizer of named parameters, such as those of a module; error messages then use the names.</summary>
    /// <exception cref="ArgumentException">No parameters, or one of them twice.</exception>
    protected Optimizer(IReadOnlyDictionary<string, NDArray> parameters, double learningRate)
        : this((parameters ?? throw new ArgumentNullException(nameof(parameters))).Values, learningRate) => _names = [.. parameters.Keys];

    /// <summary>The parameters.</summary>
    public IReadOnlyList<NDArray> Parameters => _parameters;

    /// <summary>The step size; may be changed between steps, also by a schedule. A compiled step reads it at every call.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Negative or not a number.</exception>
    public double LearningRate
    {
        get
        {
            // What the caller makes of it is unknown: a constant of the trace, which holds as long as the rate is the same.
            if (ExecutionState.Current.Tracer is { } tracer) GuardRate(tracer);
            return Rate;
        }
        set
        {
            if (ExecutionState.Current.Tracer is { } tracer) throw tracer.SideEffect($"Setting {GetType().Name}.LearningRate");
            SetRate(value);
        }
    }

    /// <summary>The learning rate, for numbers that are read at every update.</summary>
    private protected double Rate { get; private set; }

    /// <summary>The learning rate as it is, also while a function is traced.</summary>
    internal double CurrentRate => Rate;

    /// <summary>Stands for the learning rate among the state that a traced function changes.</summary>
    internal object RateOwner { get; } = new();

    /// <summary>The steps made so far.</summary>
    public long StepCount
    {
        get
        {
            if (ExecutionState.Current.Tracer is { } tracer) throw tracer.ValueRead($"{GetType().Name}.StepCount");
            return _stepCount;
        }
    }

    /// <summary>Leave parameters whose gradient no backward has written since the last step as they are, instead of refusing the step.</summary>
    public bool IgnoreStaleGradients
    {
        get
        {
            if (ExecutionState.Current.Tracer is { } tracer) GuardStaleness(tracer);
            return _ignoreStale;
        }
        set => _ignoreStale = value;
    }

    /// <summary>
    /// Updates every parameter and marks its gradient as consumed. Nothing is changed when one of them is refused. Frozen parameters, those on which
    /// <see cref="NDArray.DropGrad"/> was called, stay as they are, and so does what is kept of them; after <see cref="NDArray.AttachGrad"/> they go on.
    /// </summary>
    /// <exception cref="AutogradException">
    /// A gradient was never attached to a parameter, or it is stale and <see cref="IgnoreStaleGradients"/> is not set.
    /// </exception>
    public void Step()
    {
        bool ignore = IgnoreStaleGradients;
        for (int i = 0; i < _parameters.Length; i++)
        {
            if (_parameters[i].IsDisposed) throw Errors.Disposed($"{GetType().Name}.Step: {NameOf(i)}");
            if (_parameters[i].Grad is null)
            {
                if (!_parameters[i].IsFrozen)
                    throw new AutogradException($"{GetType().Name}.Step: {NameOf(i)}, has no gradient. Call AttachGrad() on it before recording, or DropGrad() to leave it as it is.");
                _fresh[i] = false;
                continue;
            }

            _fresh[i] = _parameters[i].FreshGrad;
            if (!ignore && !_fresh[i])
                throw new AutogradException(
                    $"{GetType().Name}.Step: the gradient of {NameOf(i)}, has not been updated by backward since the last step. The loss does not depend on it, or Backward was not called; "
                    + "set IgnoreStaleGradients to leave such parameters as they are.");
        }

        if (ExecutionState.Current.Tracer is { } tracer) tracer.Effect(new StepEffect(this, [.. _fresh]));
        else Count(_fresh, 1);
        using RecordScope scope = Autograd.Pause();
        for (int i = 0; i < _parameters.Length; i++)
        {
            NDArray parameter = _parameters[i];
            if (!_fresh[i]) continue;
            Update(i, parameter, parameter.Grad!);
            parameter.FreshGrad = false;
        }
    }

    /// <summary>Sets all gradients to zero: needed with <see cref="GradReq.Add"/> only.</summary>
    public void ZeroGrad()
    {
        foreach (NDArray parameter in _parameters) parameter.ZeroGrad();
    }

    /// <summary>
    /// Scales all gradients by one factor so that the norm of all of them together is at most <paramref name="maxNorm"/>; returns the norm before, which
    /// converts to <see cref="double"/>. In a compiled step norm and factor are computed like everything else. A norm that is not finite clips as the formula
    /// says: an infinite one makes finite gradients 0 and infinite ones NaN, a norm that is NaN makes all gradients NaN.
    /// </summary>
    /// <remarks>Pascanu et al., "On the difficulty of training recurrent neural networks", ICML 2013; the factor is maxNorm/(norm + 10⁻⁶), as in PyTorch.</remarks>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="maxNorm"/> is not positive.</exception>
    public GradientNorm ClipGradNorm(double maxNorm)
    {
        Require.Positive(maxNorm);
        using RecordScope scope = Autograd.Pause();
        NDArray sum = Nd.Scalar(0, DType.Float64);
        foreach (NDArray parameter in _parameters)
            if (parameter.Grad is { } gradient) sum += Nd.Sum(Nd.Square(Elements.Wide(gradient))).AsType(DType.Float64);
        NDArray norm = Nd.Sqrt(sum);
        if (norm.IsSymbolic || !(norm.Item<double>() <= maxNorm))
        {
            NDArray factor = Nd.Where(norm <= maxNorm, 1, maxNorm / (norm + 1e-6)); // NaN is not below
            foreach (NDArray parameter in _parameters)
                if (parameter.Grad is { } gradient) gradient.Assign(Elements.Wide(gradient) * Elements.To(factor, Elements.WideType(gradient.DType)));
        }

        return new GradientNorm(norm);
    }

    /// <summary>How often a parameter has been updated, the update that is being made included.</summary>
    private protected long UpdateCount(int index) => _updates[index];

    /// <summary>Changes one parameter in place.</summary>
    /// <param name="index">Its position in <see cref="Parameters"/>, for state that belongs to it.</param>
    /// <param name="parameter">The parameter.</param>
    /// <param name="gradient">Its gradient, which is only read.</param>
    protected abstract void Update(int index, NDArray parameter, NDArray gradient);

    private void Count(ReadOnlySpan<bool> updated, int change)
    {
        _stepCount += change;
        for (int i = 0; i < updated.Length; i++)
            if (updated[i]) _updates[i] += change;
    }

    /// <summary>Sets the learning rate: by its property, or by the effect of a schedule.</summary>
    internal void SetRate(double learningRate)
    {
        if (!(learningRate >= 0)) throw new ArgumentOutOfRangeException(nameof(learningRate), learningRate, $"{GetType().Name}: the learning rate is negative or not a number.");
        Rate = learningRate;
    }

    private void GuardRate(Tracer tracer)
    {
        if (tracer.HasChanged(RateOwner)) throw tracer.ValueRead($"{GetType().Name}.LearningRate after a schedule's step");
        double rate = Rate;
        tracer.Guard(null, () => Rate.Equals(rate));
    }

    private void GuardStaleness(Tracer tracer)
    {
        bool value = _ignoreStale;
        tracer.Guard(null, () => _ignoreStale == value);
    }

    private string NameOf(int i) => _names is null ? $"parameter {i}, {_parameters[i].Shape}" : $"'{_names[i]}', {_parameters[i].Shape}";

    private sealed class StepEffect(Optimizer optimizer, bool[] updated) : HostEffect
    {
        public override object Owner => optimizer;

        public override void Make() => optimizer.Count(updated, 1);

        public override void Undo() => optimizer.Count(updated, -1);

        public override Action Keep()
        {
            long count = optimizer._stepCount;
            long[] updates = [.. optimizer._updates];
            return () =>
            {
                optimizer._stepCount = count;
                updates.CopyTo(optimizer._updates, 0);
            };
        }
    }
}
