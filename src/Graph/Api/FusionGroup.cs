namespace Fusion;

/// <summary>One launch of a compiled function.</summary>
/// <param name="Ops">The operators in it, in order.</param>
/// <param name="Kind">
/// <c>Elementwise</c> (a fused kernel), <c>MatMul</c> (a product or convolution with a kernel on its result), <c>Rows</c> (kernels and library calls on the same rows, a few
/// at a time), <c>Reduce</c> (a kernel with sums of its results), <c>Library</c> or <c>View</c>.
/// </param>
/// <param name="Reason">Why the group ends where it does.</param>
public sealed record FusionGroup(IReadOnlyList<string> Ops, string Kind, string Reason)
{
    /// <summary>Part of the backward function.</summary>
    public bool IsBackward { get; init; }

    /// <summary>Bytes that fusion keeps from being written to memory: results that only operators of the group read.</summary>
    public long BytesSaved { get; init; }

    /// <summary>Bytes of the arrays that the launch reads and writes, once each.</summary>
    public long BytesMoved { get; init; }

    /// <summary>The shortest time of the launch; null unless <see cref="HybridOptions.Profile"/> has it measured.</summary>
    public TimeSpan? Time { get; init; }

    /// <summary>GB/s: <see cref="BytesMoved"/> in the shortest time; null where that is not measured.</summary>
    public double? Bandwidth { get; init; }

    /// <summary>
    /// GB/s by the cost model, which takes the slower of memory and arithmetic: the copy bandwidth where memory decides, less where arithmetic does. Null without
    /// <see cref="HybridOptions.Profile"/> and on accelerators.
    /// </summary>
    public double? PredictedBandwidth { get; init; }

    /// <summary>GB/s of a copy that reads and writes as many bytes on as many threads, measured by the report; null where nothing is predicted.</summary>
    public double? CopyBandwidth { get; init; }

    /// <summary>The shape that the kernel runs over.</summary>
    public Shape Shape { get; init; }
}
