using System.Numerics;

namespace Fusion.Kernels;

/// <summary>
/// Where in a page memory begins that kernels use together. The place chooses the sets of the first-level cache, eight ways of which are a page each, and the loads that
/// have to wait for an earlier store to what looks like their address: where a result begins 64 or 128 bytes behind an operand, an addition takes 1.7 or 1.2 times as
/// long, and rows of a page that all begin at one place drive each other from the cache. Places are far enough apart, and as many as kernels of rows have operands.
/// </summary>
internal static class PagePlaces
{
    public const int Page = 4096, Distance = 512, Count = Page / Distance;

    /// <summary>Bytes that <see cref="Next"/> may skip.</summary>
    public const int Room = 2 * Page;

    /// <summary>The places at which these begin, or behind which, a bit each.</summary>
    public static uint Of(ReadOnlySpan<nint> pointers)
    {
        uint used = 0;
        foreach (nint pointer in pointers) used |= 1u << (int)(pointer / Distance % Count);
        return used;
    }

    /// <summary>An address behind <paramref name="from"/>, within <see cref="Room"/>, at a place that is not used; it is used from then on. Any, if all are.</summary>
    public static unsafe byte* Next(byte* from, ref uint used)
    {
        int place = BitOperations.TrailingZeroCount(~used) % Count;
        used |= 1u << place;
        return (byte*)(((nint)from + Page - 1) & ~(Page - 1)) + place * Distance;
    }
}
