namespace Fusion;

/// <summary>
/// A change of state that is no array: a step count, a flag. A compiled function makes it again in every call, and takes it back when the call throws.
/// </summary>
internal abstract class HostEffect
{
    /// <summary>Whose state changes.</summary>
    public abstract object Owner { get; }

    public abstract void Make();

    /// <summary>Takes back the last <see cref="Make"/>.</summary>
    public abstract void Undo();
}
