using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

/// <summary>A distribution as a kernel sees that makes its random numbers itself: any part of a draw, into memory that is in the cache.</summary>
internal abstract unsafe class NumberSource
{
    /// <summary>Parts begin at a multiple of so many elements.</summary>
    public const int Grain = Philox.GroupWords;

    /// <summary>Bytes of an element.</summary>
    public abstract int ElementSize { get; }

    /// <summary>Blocks of the stream that a draw uses up.</summary>
    public abstract ulong Blocks(long count);

    /// <summary>The elements [start, start + count) of the draw at <paramref name="origin"/>, and up to <see cref="Grain"/> − 1 behind them.</summary>
    public abstract void Fill(RandomOrigin origin, long start, int count, byte* output);
}

/// <inheritdoc/>
internal sealed unsafe class NumberSource<TDistribution, T>(TDistribution distribution) : NumberSource
    where TDistribution : unmanaged, IDistribution<T>
    where T : unmanaged
{
    private const int TileGroups = 16;

    private readonly TDistribution _distribution = distribution;

    public override int ElementSize => sizeof(T);

    public override ulong Blocks(long count) => RandomFill.BlocksFor<TDistribution, T>(count);

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Fill(RandomOrigin origin, long start, int count, byte* output)
    {
        uint* words = stackalloc uint[TileGroups * Philox.GroupWords];
        int perGroup = Philox.GroupWords / TDistribution.WordsPerElement;
        int groups = (count + perGroup - 1) / perGroup;
        ulong block = unchecked(origin.Block + ((ulong)(start / perGroup) * Philox.GroupBlocks));
        TDistribution distribution = _distribution;
        for (int group = 0; group < groups; group += TileGroups)
        {
            int some = Math.Min(TileGroups, groups - group);
            Philox.Fill(origin.Key, unchecked(block + ((ulong)group * Philox.GroupBlocks)), words, some);
            distribution.Transform(words, (T*)output + (group * perGroup), some);
        }
    }
}
