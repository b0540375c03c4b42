namespace Fusion;

/// <summary>Why backward cannot start at an array.</summary>
internal enum HeadEnd
{
    /// <summary>It can.</summary>
    None,

    /// <summary>It was recorded, and no gradient flows through it.</summary>
    WithoutGradient,

    /// <summary>It was computed outside of any recording, or from nothing.</summary>
    NeverRecorded,

    /// <summary>It was detached.</summary>
    Detached,

    /// <summary>A backward has released its graph.</summary>
    Released,
}
