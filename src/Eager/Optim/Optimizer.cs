namespace Fusion.Optim;

/// <summary>Changes parameters, in place, by their gradients.</summary>
public abstract class Optimizer
{
    private readonly NDArray[] _parameters;
    private readonly string[]? _names;

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

        LearningRate = learningRate;
    }

    /// <summary>An optimizer of named parameters, such as those of a module; error messages then use the names.</summary>
    /// <exception cref="ArgumentException">No parameters, or one of them twice.</exception>
    protected Optimizer(IReadOnlyDictionary<string, NDArray> parameters, double learningRate)
        : this((parameters ?? throw new ArgumentNullException(nameof(parameters))).Values, learningRate) => _names = [.. parameters.Keys];

    /// <summary>The parameters.</summary>
    public IReadOnlyList<NDArray> Parameters => _parameters;

    /// <summary>The step size; may be changed between steps, also by a schedule.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Negative or not a number.</exception>
    public double LearningRate
    {
        get;
        set
        {
            if (!(value >= 0)) throw new ArgumentOutOfRangeException(nameof(value), value, $"{GetType().Name}: the learning rate is negative or not a number.");
            field = value;
        }
    }

    /// <summary>The steps made so far.</summary>
    public long StepCount { get; private set; }

    /// <summary>Leave parameters whose gradient no backward has written since the last step as they are, instead of refusing the step.</summary>
    public bool IgnoreStaleGradients { get; set; }

    /// <summary>Updates every parameter and marks its gradient as consumed. Nothing is changed when one of them is refused.</summary>
    /// <exception cref="AutogradException">A parameter has no gradient, or a stale one and <see cref="IgnoreStaleGradients"/> is not set.</exception>
    public void Step()
    {
        for (int i = 0; i < _parameters.Length; i++)
        {
            if (_parameters[i].Grad is null)
                throw new AutogradException($"{GetType().Name}.Step: {NameOf(i)} has no gradient. Call AttachGrad() on it before recording.");
            if (!IgnoreStaleGradients && !_parameters[i].FreshGrad)
                throw new AutogradException(
                    $"{GetType().Name}.Step: the gradient of {NameOf(i)} has not been updated by backward since the last step. The loss does not depend on it, or Backward was not called; "
                    + "set IgnoreStaleGradients to leave such parameters as they are.");
        }

        StepCount++;
        using RecordScope scope = Autograd.Pause();
        for (int i = 0; i < _parameters.Length; i++)
        {
            NDArray parameter = _parameters[i];
            if (!parameter.FreshGrad) continue;
            Update(i, parameter, parameter.Grad!);
            parameter.FreshGrad = false;
        }
    }

    /// <summary>Sets all gradients to zero: needed with <see cref="GradReq.Add"/> only.</summary>
    public void ZeroGrad()
    {
        foreach (NDArray parameter in _parameters) parameter.ZeroGrad();
    }

    /// <summary>Scales all gradients by one factor so that the norm of all of them together is at most <paramref name="maxNorm"/>; returns the norm before.</summary>
    /// <remarks>Pascanu et al., "On the difficulty of training recurrent neural networks", ICML 2013; the factor is maxNorm/(norm + 10⁻⁶), as in PyTorch.</remarks>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="maxNorm"/> is not positive.</exception>
    public double ClipGradNorm(double maxNorm)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxNorm);
        using RecordScope scope = Autograd.Pause();
        double sum = 0;
        foreach (NDArray parameter in _parameters)
            if (parameter.Grad is { } gradient) sum += Nd.Sum(Nd.Square(gradient)).AsType(DType.Float64).Item<double>();
        double norm = Math.Sqrt(sum);
        if (norm > maxNorm)
        {
            foreach (NDArray parameter in _parameters)
                if (parameter.Grad is { } gradient) gradient.Assign(gradient * (maxNorm / (norm + 1e-6)));
        }

        return norm;
    }

    /// <summary>Changes one parameter in place.</summary>
    /// <param name="index">Its position in <see cref="Parameters"/>, for state that belongs to it.</param>
    /// <param name="parameter">The parameter.</param>
    /// <param name="gradient">Its gradient, which is only read.</param>
    protected abstract void Update(int index, NDArray parameter, NDArray gradient);

    private string NameOf(int i) => _names is null ? $"parameter {i}, {_parameters[i].Shape}," : $"'{_names[i]}', {_parameters[i].Shape},";
}
