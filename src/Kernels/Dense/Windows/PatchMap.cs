namespace Fusion.Kernels;

/// <summary>
/// Where the elements of patches lie in memory. Planes that need padding, or are stepped over, are first copied ("staged") with the padding in place and
/// split into their phases, (z, y, x) mod Step, each a plane of its own: then the elements that a tap meets along a row of the grid are contiguous, and the
/// rows of the grid follow each other at the same distance for every tap.
/// </summary>
internal unsafe partial struct PatchMap
{
    public PatchAxis Z;
    public PatchAxis Y;
    public PatchAxis X;

    /// <summary>The source cannot be read as it is.</summary>
    public bool Staged;

    /// <summary>Elements of one row of a plane, or of a phase of it.</summary>
    public nint RowLength;

    /// <summary>Elements of one layer (rows × columns) of a plane, or of a phase of it.</summary>
    public nint LayerSize;

    /// <summary>Elements from one phase of a plane to the next.</summary>
    public nint PhaseSize;

    /// <summary>Elements of one plane as it is read.</summary>
    public nint PlaneSize;

    /// <summary>Elements between two positions of the grid along y.</summary>
    public nint StepY;

    /// <summary>Elements between two positions of the grid along z.</summary>
    public nint StepZ;

    /// <param name="z">The depth.</param>
    /// <param name="y">The height.</param>
    /// <param name="x">The width.</param>
    /// <param name="staged">Stage the planes in any case.</param>
    public PatchMap(PatchAxis z, PatchAxis y, PatchAxis x, bool staged = false)
    {
        if (x.Grid == 1) x.Step = 1;
        (Z, Y, X) = (z, y, x);
        Staged = staged || x.Step != 1 || !Inside(z) || !Inside(y) || !Inside(x);
        if (!Staged)
        {
            RowLength = x.Source;
            LayerSize = RowLength * y.Source;
            PhaseSize = PlaneSize = LayerSize * z.Source;
            (StepY, StepZ) = (y.Step * RowLength, z.Step * LayerSize);
            return;
        }

        RowLength = x.Cells;
        LayerSize = RowLength * y.Cells;
        PhaseSize = LayerSize * z.Cells;
        if (z.Step * y.Step * x.Step > 1) PhaseSize += StageSlack;
        (StepY, StepZ) = (RowLength, LayerSize);

        // An odd number of 64-byte lines: planes of a power of two would meet in few sets of the cache.
        PlaneSize = (PhaseSize * z.Step * y.Step * x.Step + 15) / 16 | 1;
        PlaneSize *= 16;
    }

    public readonly nint Taps => (nint)Z.Taps * Y.Taps * X.Taps;

    /// <summary>Windows of 3 × 3 in one layer, each row of which meets rows that its neighbours meet.</summary>
    public readonly bool HasAdjacentRows => Z.Taps == 1 && Y is { Taps: 3, Step: 1, Increment: 1 or -1 } && X is { Taps: 3, Step: 1 };

    /// <summary>Positions of the grid.</summary>
    public readonly nint Pixels => (nint)Z.Grid * Y.Grid * X.Grid;

    /// <summary>Elements from the first position of the grid to the last, as a plane is read, both included.</summary>
    public readonly nint FlatSize => (Z.Grid - 1) * StepZ + (Y.Grid - 1) * StepY + X.Grid;

    /// <summary>Writes, for every tap, the distance from the start of a plane to the element that the tap meets at position 0.</summary>
    public readonly void WriteTapOffsets(nint* offsets)
    {
        for (var z = 0; z < Z.Taps; z++)
        {
            for (var y = 0; y < Y.Taps; y++)
            {
                for (var x = 0; x < X.Taps; x++) *offsets++ = Offset(Z.First + z * Z.Increment, Y.First + y * Y.Increment, X.First + x * X.Increment);
            }
        }
    }

    /// <summary>The distance from the start of a plane to an element of the source, the padding counted.</summary>
    private readonly nint Offset(int z, int y, int x)
    {
        if (!Staged) return z * LayerSize + y * RowLength + x;
        var (cellZ, phaseZ) = Math.DivRem(z - Z.Low, Z.Step);
        var (cellY, phaseY) = Math.DivRem(y - Y.Low, Y.Step);
        var (cellX, phaseX) = Math.DivRem(x - X.Low, X.Step);
        return ((phaseZ * Y.Step + phaseY) * X.Step + phaseX) * PhaseSize + cellZ * LayerSize + cellY * RowLength + cellX;
    }

    private static bool Inside(in PatchAxis axis) => axis.Low >= 0 && axis.Low + axis.Span <= axis.Source;
}
