using System.Numerics;
using System.Runtime.CompilerServices;
using ILGPU;

namespace Fusion.Kernels;

/// <summary>The three axes of patches.</summary>
internal readonly struct PatchRule
{
    public required PatchAxisRule Z { get; init; }

    public required PatchAxisRule Y { get; init; }

    public required PatchAxisRule X { get; init; }

    public int Phases => Z.Phases * Y.Phases * X.Phases;

    public int MaxTaps => Z.MaxTaps * Y.MaxTaps * X.MaxTaps;

    /// <summary>The patches of a phase; its numbers count along the last axis first.</summary>
    /// <param name="phase">The phase.</param>
    /// <param name="channels">Channels of a patch.</param>
    /// <param name="firstTap">The first tap of the window that this phase meets.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public PatchPhase Phase(int phase, int channels, out PatchTap firstTap)
    {
        int line = phase / X.Phases, phaseX = phase - line * X.Phases, phaseZ = line / Y.Phases, phaseY = line - phaseZ * Y.Phases;
        firstTap = default;
        firstTap.Z = Z.FirstTap(phaseZ);
        firstTap.Y = Y.FirstTap(phaseY);
        firstTap.X = X.FirstTap(phaseX);
        PatchPhase result = default;
        result.Z = Z.First(phaseZ, firstTap.Z);
        result.Y = Y.First(phaseY, firstTap.Y);
        result.X = X.First(phaseX, firstTap.X);
        result.TapsZ = Z.Taps(firstTap.Z);
        result.TapsY = Y.Taps(firstTap.Y);
        result.TapsX = X.Taps(firstTap.X);
        result.Taps = result.TapsZ * result.TapsY * result.TapsX;
        result.Depth = channels * result.Taps;
        return result;
    }
}

/// <summary>A tap of a window.</summary>
internal struct PatchTap
{
    public int Z;
    public int Y;
    public int X;
}

/// <summary>
/// Tables that the loaders of patches read instead of dividing. They are written anew by small kernels for every convolution: some microseconds, and nothing
/// to keep.
/// </summary>
internal static class PatchTables
{
    /// <summary>
    /// The elements (channel, tap) of the patches of every phase; phases are <paramref name="pitch"/> entries apart, and filled up with elements that are
    /// nowhere.
    /// </summary>
    public static void Taps<TCheck>(
        ArrayView<PatchEntry> entries, ArrayView<PatchPhase> phases, PatchRule rule, PatchGrid grid, int channels, int pitch, int count)
        where TCheck : struct, IPatchCheck
    {
        int i = Grid.IdxX * Group.DimX + Group.IdxX;
        if (i >= count) return;
        int number = i / pitch, k = i - number * pitch;
        PatchPhase phase = rule.Phase(number, channels, out _);
        PatchEntry entry = TCheck.Nowhere;
        if (k < phase.Depth)
        {
            int channel = k / phase.Taps;
            entry = TCheck.Element(grid, phase, k - channel * phase.Taps);
            entry.Offset += channel * grid.Plane;
        }

        entries[i] = entry;
        if (k == 0) phases[number] = phase;
    }

    /// <summary>The filters of every phase as [phase, group, in channel, (out channel, tap)], filled up with zeros.</summary>
    public static void Turn<T>(ArrayView<T> filters, ArrayView<T> turned, PatchRule rule, int groups, int inChannels, int outChannels, int pitch, int count)
        where T : unmanaged, INumber<T>
    {
        int i = Grid.IdxX * Group.DimX + Group.IdxX;
        if (i >= count) return;
        int row = i / pitch, k = i - row * pitch, outer = row / inChannels, channel = row - outer * inChannels;
        int number = outer / groups, group = outer - number * groups;
        PatchPhase phase = rule.Phase(number, outChannels, out PatchTap first);
        T value = T.Zero;
        if (k < phase.Depth)
        {
            int output = k / phase.Taps, tap = k - output * phase.Taps, line = tap / phase.TapsX, z = line / phase.TapsY;
            int y = line - z * phase.TapsY, x = tap - line * phase.TapsX, filter = (group * outChannels + output) * inChannels + channel;
            int lineOfFilter = (filter * rule.Z.Kernel + first.Z + z * rule.Z.TapStep) * rule.Y.Kernel + first.Y + y * rule.Y.TapStep;
            value = filters[lineOfFilter * rule.X.Kernel + first.X + x * rule.X.TapStep];
        }

        turned[i] = value;
    }

    /// <summary>Where the patch of every output of an image begins in its source.</summary>
    public static void Pixels<TCheck>(ArrayView<PatchEntry> entries, PatchGrid grid, PatchPhase phase, int count)
        where TCheck : struct, IPatchCheck
    {
        int i = Grid.IdxX * Group.DimX + Group.IdxX;
        if (i < count) entries[i] = TCheck.Place(grid, phase, i);
    }
}
