using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

/// <summary>How a loader finds out whether an element of a patch lies in the source or in its padding.</summary>
internal interface IPatchCheck
{
    /// <summary>Where a patch of the first plane begins; may lie in the padding.</summary>
    static abstract PatchEntry Place(PatchGrid grid, PatchPhase phase, int pixel);

    /// <summary>Where a tap's element is, from the begin of a patch, in the first plane.</summary>
    static abstract PatchEntry Element(PatchGrid grid, PatchPhase phase, int tap);

    /// <summary>A patch, or an element, that lies outside for all its partners.</summary>
    static abstract PatchEntry Nowhere { get; }

    static abstract bool Contains(PatchGrid grid, PatchEntry patch, PatchEntry element);
}

/// <summary>Windows of any size: coordinates are added and compared.</summary>
internal readonly struct PatchCoordinates : IPatchCheck
{
    public static PatchEntry Nowhere
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get
        {
            PatchEntry entry = default;
            entry.C = 1 << 30;
            return entry;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static PatchEntry Place(PatchGrid grid, PatchPhase phase, int pixel)
    {
        int line = pixel / grid.GridX, z = line / grid.GridY;
        PatchEntry place = default;
        place.A = z * grid.StepZ + phase.Z;
        place.B = (line - z * grid.GridY) * grid.StepY + phase.Y;
        place.C = (pixel - line * grid.GridX) * grid.StepX + phase.X;
        place.Offset = grid.Offset(place.A, place.B, place.C);
        return place;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static PatchEntry Element(PatchGrid grid, PatchPhase phase, int tap)
    {
        int line = tap / phase.TapsX, z = line / phase.TapsY;
        PatchEntry element = default;
        element.A = z * grid.TapZ;
        element.B = (line - z * phase.TapsY) * grid.TapY;
        element.C = (tap - line * phase.TapsX) * grid.TapX;
        element.Offset = grid.Offset(element.A, element.B, element.C);
        return element;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Contains(PatchGrid grid, PatchEntry patch, PatchEntry element) =>
        grid.Contains(patch.A + element.A, patch.B + element.B, patch.C + element.C);
}

/// <summary>
/// Windows of at most <see cref="MaxTaps"/> taps: a patch has one bit for every tap that lies in the source, an element has the bit of its tap.
/// </summary>
internal readonly struct PatchBits : IPatchCheck
{
    public const int MaxTaps = 64;

    public static PatchEntry Nowhere
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => default;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static PatchEntry Place(PatchGrid grid, PatchPhase phase, int pixel)
    {
        PatchEntry first = PatchCoordinates.Place(grid, phase, pixel), place = default;
        place.Offset = first.Offset;
        int bit = 1;
        for (int tap = 0, z = 0; z < phase.TapsZ; z++)
        {
            for (int y = 0; y < phase.TapsY; y++)
            {
                for (int x = 0; x < phase.TapsX; x++, tap++, bit = bit << 1 | (int)((uint)bit >> 31))
                {
                    int valid = grid.Contains(first.A + z * grid.TapZ, first.B + y * grid.TapY, first.C + x * grid.TapX) ? bit : 0;
                    place.A |= tap < 32 ? valid : 0;
                    place.B |= tap < 32 ? 0 : valid;
                }
            }
        }

        return place;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static PatchEntry Element(PatchGrid grid, PatchPhase phase, int tap)
    {
        PatchEntry element = default;
        element.Offset = PatchCoordinates.Element(grid, phase, tap).Offset;
        element.A = tap < 32 ? 1 << tap : 0;
        element.B = tap < 32 ? 0 : 1 << (tap - 32);
        return element;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Contains(PatchGrid grid, PatchEntry patch, PatchEntry element) => ((patch.A & element.A) | (patch.B & element.B)) != 0;
}
