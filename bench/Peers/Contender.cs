namespace Fusion.Peers;

/// <summary>One side of a comparison: what is timed, and its result, so that sides are compared before they are timed.</summary>
/// <param name="Name">One of the names below.</param>
/// <param name="Run">One call.</param>
/// <param name="Result">Elements of the result of one more call; null: nothing to compare.</param>
internal sealed record Contender(string Name, Action Run, Func<double[]>? Result)
{
    public const string Eager = "eager", Hybridized = "hybridized", Torch = "LibTorch", Onnx = "ONNX Runtime", HandWritten = "hand-written",
        Primitives = "TensorPrimitives";

    /// <summary>All names, in the order of the tables' columns.</summary>
    public static readonly string[] Names = [Hybridized, Eager, Torch, Onnx, HandWritten, Primitives];

    /// <summary>A contender of Fusion.</summary>
    public bool IsOurs => Name is Eager or Hybridized;

    /// <summary>Why a hybridized function runs eagerly after all; null when it is compiled.</summary>
    public Func<string?>? Fallback { get; init; }
}

/// <summary>A comparison: inputs are made once, by <see cref="Prepare"/>, and are the same for all sides.</summary>
/// <param name="Area">The part of the report that it belongs to.</param>
/// <param name="Name">What is computed, with sizes.</param>
/// <param name="Prepare">Makes the contenders; whatever they own is garbage afterwards.</param>
internal sealed record PeerCase(string Area, string Name, Func<Contender[]> Prepare)
{
    /// <summary>Part of <c>--quick</c>.</summary>
    public bool IsQuick { get; init; } = true;

    /// <summary>The largest relative difference of results that is still the same computation.</summary>
    public double Tolerance { get; init; } = 1e-3;

    /// <summary>What must be done at least: the floor of the time is what the machine needs for it.</summary>
    public Work Work { get; init; }

    /// <summary>The same result by LibTorch in double precision: who is right when sides differ.</summary>
    public Func<double[]>? Exact { get; init; }

    /// <summary>One of several sizes of the same thing, whose cost should grow in proportion.</summary>
    public Growth? Growth { get; init; }
}

/// <summary>A size among several.</summary>
/// <param name="Family">What grows: operators of a tape, nodes of a graph, tensors.</param>
/// <param name="Count">How many there are.</param>
internal sealed record Growth(string Family, long Count);
