namespace Fusion;

/// <summary>What backward does with a gradient buffer.</summary>
public enum GradReq
{
    /// <summary>No gradient is computed.</summary>
    Null,

    /// <summary>The buffer is overwritten; within one backward all paths add up.</summary>
    Write,

    /// <summary>The gradient is added to the buffer.</summary>
    Add,
}
