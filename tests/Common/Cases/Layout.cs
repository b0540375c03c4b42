namespace Fusion.Tests;

/// <summary>How an array lies in memory. Each makes an array of the given shape from a contiguous one; the values stay unless it says otherwise.</summary>
internal sealed record Layout(string Name, Func<NDArray, NDArray> Apply)
{
    public static Layout Contiguous { get; } = new("contiguous", static x => x);

    /// <summary>The axes lie in reverse order.</summary>
    public static Layout Transposed { get; } = new("transposed", static x => x.Rank < 2 ? x : x.Transpose().Copy().Transpose());

    /// <summary>Every second element of a longer array, which begins somewhere in the middle.</summary>
    public static Layout Sliced { get; } = new("sliced", static x =>
        x.Rank == 0 ? x : Nd.Concat([Nd.Slice(x, -1, 0, 1), Nd.Repeat(x, 2, -1)], -1).Slice(-1, Math.Min(1, x.Shape[-1]), null, 2));

    /// <summary>From back to front.</summary>
    public static Layout Reversed { get; } = new("reversed", static x => x.Rank == 0 ? x : x.Flip(0).Copy().Flip(0));

    /// <summary>One slice of the first axis again and again: other values.</summary>
    public static Layout Stretched { get; } = new("stretched", static x => x.Rank == 0 || x.Shape[0] == 0 ? x : x.Slice(0, 0, 1).BroadcastTo(x.Shape));

    public static IReadOnlyList<Layout> All { get; } = [Contiguous, Transposed, Sliced, Reversed, Stretched];

    public override string ToString() => Name;
}
