namespace Fusion;

/// <summary>The value of a traced array: it has a type, and no elements yet. The tracer's own subclass says what computes it.</summary>
internal abstract class SymbolicValue;

/// <summary>Writes the numbers of one update, read from the state of the host (learning rate, step count), for the parameter at an index.</summary>
internal delegate void HostNumbers(int index, Span<double> numbers);

/// <summary>The seam through which the graph compiler sees operator calls and changes of state. Eager knows nothing else of it.</summary>
internal abstract class Tracer
{
    /// <summary>Where the traced function's arrays are.</summary>
    public virtual Device Device => Device.Cpu;

    /// <summary>Adds an operator call to the graph and fills <paramref name="outputs"/> with symbolic arrays.</summary>
    public abstract void Apply(Op op, ReadOnlySpan<NDArray> inputs, object? attributes, Span<NDArray> outputs);

    /// <summary>The user's code wants a value: a trace has none.</summary>
    public abstract Exception ValueRead(string operation);

    /// <summary>
    /// The user's code wants the values of an array that the trace does not compute, such as a captured mask. Whether it may have them: the trace then holds for as
    /// long as nobody writes to the array.
    /// </summary>
    public virtual bool Freeze(NDArray array) => false;

    /// <summary>The user's code chooses between two ways by a condition of one element: whether it holds. The trace goes that way.</summary>
    public virtual bool Decide(NDArray condition, string operation) => throw ValueRead(operation);

    /// <summary>The user's code makes what later calls need, which a trace cannot: this call is made eagerly, the next one traced.</summary>
    public virtual Exception Postpone(string reason) => SideEffect(reason);

    /// <summary>The user's code changes something that the tracer cannot express.</summary>
    public abstract Exception SideEffect(string operation);

    /// <summary>From here on the value of <paramref name="target"/> is that of <paramref name="value"/>, which has its type.</summary>
    public virtual void Write(NDArray target, NDArray value) => throw SideEffect("A write in place");

    /// <summary>What is written is not written again by a checkpoint that computes its values again, such as running statistics.</summary>
    public bool WritesOnce { get; set; }

    /// <summary>The traced code asks for the gradient buffer of an array, or whether it has one.</summary>
    public virtual void ReadMark(NDArray array)
    {
    }

    /// <summary>The traced code asks whether it runs in training mode.</summary>
    public virtual void ReadTraining()
    {
    }

    /// <summary>
    /// Gradients with respect to these places of the tape are computed of a head that depends on an array that stands for another one, or on one that was recorded
    /// outside: they flow through what lies behind that one, too.
    /// </summary>
    public virtual void Pass(object through, ReadOnlySpan<(object? Source, int Index)> targets)
    {
    }

    /// <summary>A function of the user's own was given the array: gradients may arrive there, even where its value is not used.</summary>
    public virtual void Given(NDArray array)
    {
    }

    /// <summary>Another handle of the value that an array from outside of the trace has at this place of the program.</summary>
    public virtual NDArray Alias(NDArray array) => array;

    /// <summary>What is called from here on may be computed again for its gradient, whatever it costs. Returns its name.</summary>
    public virtual object? BeginCheckpoint() => null;

    /// <summary>What is called from here on is part of it no longer.</summary>
    /// <param name="checkpoint">What <see cref="BeginCheckpoint"/> returned.</param>
    /// <param name="result">What it computed; null: nothing.</param>
    public virtual void EndCheckpoint(object? checkpoint, NDArray? result)
    {
    }

    /// <summary>What a checkpoint has read was written since, or it writes itself: called once more, it computes or does something else.</summary>
    /// <param name="checkpoint">What <see cref="BeginCheckpoint"/> returned.</param>
    public virtual bool IsOverwritten(object? checkpoint) => false;

    /// <summary>The gradient of a checkpoint is computed from here on. Returns what to give to <see cref="EndRepeat"/>.</summary>
    /// <param name="checkpoint">What <see cref="BeginCheckpoint"/> returned.</param>
    /// <param name="gradient">That of its result: nothing need be computed again before it is there.</param>
    public virtual object? BeginRepeat(object? checkpoint, NDArray gradient) => null;

    /// <summary>The gradient of a checkpoint has been computed.</summary>
    public virtual void EndRepeat(object? before)
    {
    }

    /// <summary>
    /// The calls of a checkpoint are traced once more from here on: they draw the numbers that they drew, and go the ways that they went. Returns what to give to
    /// <see cref="EndReplay"/>.
    /// </summary>
    /// <param name="checkpoint">What <see cref="BeginCheckpoint"/> returned.</param>
    public virtual object? BeginReplay(object? checkpoint) => null;

    /// <summary>They have been traced.</summary>
    public virtual void EndReplay(object? before)
    {
    }

    /// <summary>An array with elements was made by the traced code itself: nothing that is written to it outlives the call.</summary>
    public virtual void Created(NDArray array)
    {
    }

    /// <summary>Numbers that are state of the host, as arrays of one element: read anew, at this place of the program, in every call.</summary>
    public virtual NDArray[] Numbers(HostNumbers read, int index, int count, DType dtype) => throw SideEffect("A changing number");

    /// <summary>Makes a change of state now, to be taken back when the trace ends and made again in every call.</summary>
    public virtual void Effect(HostEffect effect) => throw SideEffect("A change of state");

    /// <summary>An effect of the trace has changed the state of <paramref name="owner"/>.</summary>
    public virtual bool HasChanged(object owner) => false;

    /// <summary>
    /// The traced code depends on a fact outside the graph, which is checked at every call; not if the trace itself has changed
    /// <paramref name="owner"/> before.
    /// </summary>
    public virtual void Guard(object? owner, Func<bool> holds) => throw SideEffect("A condition");

    /// <summary>What to do if the function turns out to be untraceable.</summary>
    public virtual void OnFailure(Action undo) => throw SideEffect("A change of state");
}
