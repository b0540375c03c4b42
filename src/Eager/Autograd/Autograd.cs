namespace Fusion;

/// <summary>
/// Automatic differentiation in the manner of <c>mxnet.autograd</c>: operators called inside <see cref="Record"/> are put on a tape, and
/// <see cref="Backward(NDArray, NDArray?, bool, bool?)"/> or <c>Grad</c> walks it. All state is per thread.
/// </summary>
public static partial class Autograd
{
    /// <summary>Operators are put on the tape. False on a new thread.</summary>
    public static bool IsRecording => ExecutionState.Current.Recording;

    /// <summary>Layers such as dropout behave as in training. False on a new thread.</summary>
    public static bool IsTraining
    {
        get
        {
            ExecutionState state = ExecutionState.Current;
            state.Tracer?.ReadTraining();
            return state.Training;
        }
    }

    /// <summary>Sets the recording flag and returns the previous one.</summary>
    public static bool SetRecording(bool value)
    {
        ExecutionState state = ExecutionState.Current;
        (bool previous, state.Recording) = (state.Recording, value);
        return previous;
    }

    /// <summary>Sets the training flag and returns the previous one.</summary>
    public static bool SetTraining(bool value)
    {
        ExecutionState state = ExecutionState.Current;
        (bool previous, state.Training) = (state.Training, value);
        return previous;
    }

    /// <summary>A scope in which operators are recorded, by default in training mode.</summary>
    public static RecordScope Record(bool trainMode = true) => new(true, trainMode);

    /// <summary>A scope in which operators are not recorded, by default in prediction mode.</summary>
    public static RecordScope Pause(bool trainMode = false) => new(false, trainMode);

    /// <summary>A scope in training mode; recording stays as it is.</summary>
    public static RecordScope TrainMode() => new(null, true);

    /// <summary>A scope in prediction mode; recording stays as it is.</summary>
    public static RecordScope PredictMode() => new(null, false);

    /// <summary>Makes an array a variable with this gradient buffer.</summary>
    /// <exception cref="ShapeException">The buffer's shape differs from the variable's.</exception>
    /// <exception cref="DTypeException">The variable or the buffer is not floating point.</exception>
    public static void MarkVariables(NDArray variable, NDArray gradient, GradReq gradReq = GradReq.Write) =>
        MarkVariables([variable], [gradient], [gradReq]);

    /// <summary>Makes arrays variables with these gradient buffers and one request for all.</summary>
    public static void MarkVariables(IReadOnlyList<NDArray> variables, IReadOnlyList<NDArray> gradients, GradReq gradReq = GradReq.Write)
    {
        ArgumentNullException.ThrowIfNull(variables);
        GradReq[] requests = new GradReq[variables.Count];
        Array.Fill(requests, gradReq);
        MarkVariables(variables, gradients, requests);
    }

    /// <summary>Makes arrays variables with these gradient buffers and requests.</summary>
    /// <remarks>Everything is checked before anything is marked.</remarks>
    /// <exception cref="ArgumentException">The lists differ in length.</exception>
    /// <exception cref="ShapeException">A buffer's shape differs from its variable's.</exception>
    /// <exception cref="DTypeException">A variable or a buffer is not floating point.</exception>
    public static void MarkVariables(IReadOnlyList<NDArray> variables, IReadOnlyList<NDArray> gradients, IReadOnlyList<GradReq> gradReqs)
    {
        ArgumentNullException.ThrowIfNull(variables);
        ArgumentNullException.ThrowIfNull(gradients);
        ArgumentNullException.ThrowIfNull(gradReqs);
        if (variables.Count != gradients.Count || variables.Count != gradReqs.Count)
            throw new ArgumentException($"MarkVariables: {variables.Count} variables, {gradients.Count} gradients and {gradReqs.Count} requests; the lists must have one length.");
        for (int i = 0; i < variables.Count; i++)
        {
            ArgumentNullException.ThrowIfNull(variables[i], nameof(variables));
            ArgumentNullException.ThrowIfNull(gradients[i], nameof(gradients));
            variables[i].ThrowIfUnattachable("MarkVariables");
            gradients[i].ThrowIfUnattachable("MarkVariables");
            gradReqs[i].ThrowIfUndefined("MarkVariables");
            if (variables[i].Shape != gradients[i].Shape)
                throw new ShapeException($"MarkVariables: the gradient buffer {gradients[i].Shape} must have the variable's shape {variables[i].Shape}.");
        }

        for (int i = 0; i < variables.Count; i++)
        {
            ExecutionState.Current.Tracer?.ReadMark(variables[i]);
            if (gradReqs[i] == GradReq.Null) variables[i].DropGrad();
            else variables[i].Mark(gradients[i], gradReqs[i]);
        }
    }

    /// <summary>
    /// Computes the gradients of <c>sum(head · headGradient)</c> with respect to every variable that the head depends on and delivers them to their
    /// buffers as their <see cref="GradReq"/> says. Variables that are not reached keep their buffers and <see cref="NDArray.FreshGrad"/> as they are.
    /// </summary>
    /// <param name="head">What to differentiate.</param>
    /// <param name="headGradient">Of the head's shape; ones when null.</param>
    /// <param name="retainGraph">Keep the saved values, so that a second backward is possible.</param>
    /// <param name="trainMode">The training flag during backward; null: as it was recorded.</param>
    /// <exception cref="AutogradException">The head has no graph: never recorded, no input requires a gradient, released, or detached.</exception>
    public static void Backward(NDArray head, NDArray? headGradient = null, bool retainGraph = false, bool? trainMode = null)
    {
        ArgumentNullException.ThrowIfNull(head);
        Backward([head], [headGradient], retainGraph, trainMode);
    }

    /// <summary>Backward from several heads at once; a head that occurs twice counts twice.</summary>
    public static void Backward(IReadOnlyList<NDArray> heads, IReadOnlyList<NDArray?>? headGradients = null, bool retainGraph = false, bool? trainMode = null)
    {
        BackwardPass pass = new(createGraph: false, retainGraph, trainMode);
        pass.AddHeads(heads, headGradients);
        pass.Run(targets: null);
    }

    /// <summary>
    /// The gradient of <c>sum(head · headGradient)</c> with respect to one array, returned; <c>.Grad</c> buffers are untouched. The variable may be
    /// an intermediate result.
    /// </summary>
    /// <param name="head">What to differentiate.</param>
    /// <param name="variable">With respect to what.</param>
    /// <param name="headGradient">Of the head's shape; ones when null.</param>
    /// <param name="retainGraph">Keep the saved values; null: as <paramref name="createGraph"/>.</param>
    /// <param name="createGraph">Record the computation of the gradient, so that it can be differentiated again; if it is constant, as that of relu, with the gradient zero.</param>
    /// <param name="trainMode">The training flag during backward; null: as it was recorded.</param>
    /// <exception cref="AutogradException">The head has no graph, or does not depend on the variable.</exception>
    public static NDArray Grad(
        NDArray head, NDArray variable, NDArray? headGradient = null, bool? retainGraph = null, bool createGraph = false, bool? trainMode = null)
    {
        ArgumentNullException.ThrowIfNull(head);
        ArgumentNullException.ThrowIfNull(variable);
        return Grad([head], [variable], [headGradient], retainGraph, createGraph, trainMode)[0];
    }

    /// <summary>The gradients of several heads with respect to several arrays, in the order of <paramref name="variables"/>.</summary>
    /// <param name="heads">What to differentiate.</param>
    /// <param name="variables">With respect to what.</param>
    /// <param name="headGradients">One per head, of its shape; null (the list or an entry): ones.</param>
    /// <param name="retainGraph">Keep the saved values; null: as <paramref name="createGraph"/>.</param>
    /// <param name="createGraph">Record the computation of the gradients, so that they can be differentiated again; what is constant has the gradient zero.</param>
    /// <param name="trainMode">The training flag during backward; null: as it was recorded.</param>
    /// <param name="allowUnused">Zeros for a variable that no head depends on, instead of an exception; also where a head is constant, as the second derivative of a sum.</param>
    /// <exception cref="AutogradException">A head has no graph, or no head depends on a variable.</exception>
    public static NDArray[] Grad(
        IReadOnlyList<NDArray> heads,
        IReadOnlyList<NDArray> variables,
        IReadOnlyList<NDArray?>? headGradients = null,
        bool? retainGraph = null,
        bool createGraph = false,
        bool? trainMode = null,
        bool allowUnused = false)
    {
        ArgumentNullException.ThrowIfNull(variables);
        if (ExecutionState.Current.Tracer is { } tracer)
            foreach (NDArray? variable in variables) if (variable is not null) tracer.ReadMark(variable);
        BackwardPass pass = new(createGraph, retainGraph ?? createGraph, trainMode);
        pass.AddHeads(heads, headGradients, allowConstants: allowUnused);
        GradientTargets targets = new(variables);
        pass.Run(targets);
        NDArray[] result = new NDArray[variables.Count];
        using RecordScope scope = new(createGraph, null);
        for (int i = 0; i < result.Length; i++)
        {
            // A gradient may be the caller's own head gradient, or belong to two variables: each result is an array of its own.
            if (targets.Result(i) is { } gradient) result[i] = gradient.IsContiguous ? gradient.Alias() : gradient.Copy();
            else result[i] = allowUnused ? Nd.ZerosLike(variables[i]) : throw Errors.Unreachable(i, variables[i]);
        }

        if (createGraph) LinkConstants(result, variables);
        return result;
    }

    // A gradient that does not depend on its variable, as that of relu, has the gradient zero.
    private static void LinkConstants(NDArray[] gradients, IReadOnlyList<NDArray> variables)
    {
        List<int> open = [];
        for (int i = 0; i < gradients.Length; i++)
        {
            if (variables[i].Source is null) continue;
            bool? reaches = GradientDependence.ReachesNearby(gradients[i], variables[i]);
            if (reaches is null) open.Add(i);
            else if (reaches is false) Link(i);
        }

        foreach (int[] some in open.Chunk(GradientDependence.Most))
        {
            GradientDependence dependence = new(Array.ConvertAll(some, i => gradients[i]), Array.ConvertAll(some, i => variables[i]));
            for (int k = 0; k < some.Length; k++)
                if (!dependence.Reaches(gradients[some[k]], k)) Link(some[k]);
        }

        void Link(int i) => gradients[i] = OpTable.Constant.Apply(gradients[i], variables[i]);
    }
}
