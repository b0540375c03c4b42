using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

/// <summary>
/// Where a patch begins, or where one of its elements is from there: the distance in memory, and what tells whether the element lies in the source, see
/// <see cref="IPatchCheck"/>. 16 bytes, which a thread reads at once.
/// </summary>
internal struct PatchEntry
{
    public int Offset;
    public int A;
    public int B;
    public int C;
}

/// <summary>The patches of a phase: where the first begins, how many taps each has, and how many elements (channels times taps).</summary>
internal struct PatchPhase
{
    public int Z;
    public int Y;
    public int X;
    public int Depth;
    public int TapsZ;
    public int TapsY;
    public int TapsX;
    public int Taps;
}

/// <summary>The patches of an image: their grid, the steps from one to the next and from one tap to the next, and the source.</summary>
internal readonly struct PatchGrid
{
    public required int GridZ { get; init; }

    public required int GridY { get; init; }

    public required int GridX { get; init; }

    public required int StepZ { get; init; }

    public required int StepY { get; init; }

    public required int StepX { get; init; }

    public required int SourceZ { get; init; }

    public required int SourceY { get; init; }

    public required int SourceX { get; init; }

    public required int TapZ { get; init; }

    public required int TapY { get; init; }

    public required int TapX { get; init; }

    /// <summary>Patches of an image.</summary>
    public int Pixels => GridZ * GridY * GridX;

    /// <summary>Elements of a channel of the source.</summary>
    public int Plane => SourceZ * SourceY * SourceX;

    /// <summary>The distance in memory.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Offset(int z, int y, int x) => (z * SourceY + y) * SourceX + x;

    /// <summary>A position lies in the source, not in its padding.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool Contains(int z, int y, int x) => ((uint)z < (uint)SourceZ) & ((uint)y < (uint)SourceY) & ((uint)x < (uint)SourceX);
}
