namespace Fusion;

/// <summary>
/// A change of state that is no array: a step count, a flag. A compiled function makes it again in every call, and takes it back when the call throws.
/// </summary>
internal abstract class HostEffect
{
    /// <summary>Whose state changes.</summary>
    public abstract object Owner { get; }

    /// <summary>Sets the state of its owner to a value, whatever it was: of several that follow one another, the last one is enough.</summary>
    public virtual bool Overwrites => false;

    public abstract void Make();

    /// <summary>Takes back the last <see cref="Make"/>.</summary>
    public abstract void Undo();

    /// <summary>What makes the state as it is now, however often it has been changed since, and by whom.</summary>
    public abstract Action Keep();
}
