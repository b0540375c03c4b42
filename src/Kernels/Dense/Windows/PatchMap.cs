using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Fusion.Kernels;

/// <summary>
/// Where the elements of patches lie in memory. Planes that need padding, or are stepped over, are first copied ("staged") with the padding in place and
/// split into their phases, (z, y, x) mod Step, each a plane of its own: then the elements that a tap meets along a row of the grid are contiguous, and the
/// rows of the grid follow each other at the same distance for every tap.
/// </summary>
internal unsafe struct PatchMap
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
        (StepY, StepZ) = (RowLength, LayerSize);

        // An odd number of 64-byte lines: planes of a power of two would meet in few sets of the cache.
        PlaneSize = (PhaseSize * z.Step * y.Step * x.Step + 15) / 16 | 1;
        PlaneSize *= 16;
    }

    public readonly nint Taps => (nint)Z.Taps * Y.Taps * X.Taps;

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

    /// <summary>Copies one plane of the source to its staged form.</summary>
    public readonly void Stage<T>(T* source, T* staged, T padding)
        where T : unmanaged
        => Stage(source, staged, padding, 0, Y.Cells);

    /// <summary>As above, of every phase only the rows from <paramref name="row0"/> to <paramref name="row1"/>.</summary>
    public readonly void Stage<T>(T* source, T* staged, T padding, int row0, int row1)
        where T : unmanaged
    {
        int firstY = row0 * Y.Step, endY = Math.Min(row1, Y.Cells) * Y.Step;
        if (X.Step == 1 && Y.Step == 1 && Z.Step == 1)
        {
            for (var z = 0; z < Z.Cells; z++)
            {
                var fromZ = Z.Low + z;
                StageRows((uint)fromZ < (uint)Z.Source ? source + (nint)fromZ * Y.Source * X.Source : null, staged + z * LayerSize, padding, firstY, endY);
            }

            return;
        }

        for (var z = 0; z < Z.Cells * Z.Step; z++)
        {
            var fromZ = Z.Low + z;
            var insideZ = (uint)fromZ < (uint)Z.Source;
            for (var y = firstY; y < endY; y++)
            {
                var fromY = Y.Low + y;
                var inside = insideZ && (uint)fromY < (uint)Y.Source;
                T* row = inside ? source + ((nint)fromZ * Y.Source + fromY) * X.Source : null;
                StageRow(row, staged + Offset(fromZ, fromY, X.Low), padding);
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

    /// <summary>Rows of a layer (null: all padding) that are not stepped over, by whole registers: what spills over a row's end is overwritten by the next row.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly void StageRows<T>(T* layer, T* staged, T padding, int row0, int row1)
        where T : unmanaged
    {
        nint length = RowLength, width = X.Source, low = X.Low, left = Math.Clamp(-low, 0, length), first = Math.Max(0, low);
        nint bytes = Math.Clamp(width - first, 0, length - left) * sizeof(T), right = left + bytes / sizeof(T);
        T* to = staged + row0 * length;
        for (var y = row0; y < row1; y++, to += length)
        {
            var fromY = Y.Low + y;
            if (layer == null || (uint)fromY >= (uint)Y.Source)
            {
                for (nint x = 0; x < length; x++) to[x] = padding;
                continue;
            }

            for (nint x = 0; x < left; x++) to[x] = padding;
            byte* s = (byte*)(layer + fromY * width + first), d = (byte*)(to + left);
            for (nint i = 0; i < bytes; i += 64) Vector512.Store(Vector512.Load(s + i), d + i);
            for (var x = right; x < length; x++) to[x] = padding;
        }
    }

    /// <summary>Splits a row of the source (null: all padding) into its phases.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly void StageRow<T>(T* source, T* staged, T padding)
        where T : unmanaged
    {
        var length = (int)RowLength;
        for (var phase = 0; phase < X.Step; phase++, staged += PhaseSize)
        {
            if (source == null)
            {
                new Span<T>(staged, length).Fill(padding);
                continue;
            }

            // Cell c holds the source's x = low + phase + c·Step: padding, then the source from one cell on, then padding.
            var first = X.Low + phase;
            var from = first >= 0 ? 0 : Math.Min(length, (-first + X.Step - 1) / X.Step);
            var to = Math.Max(from, first >= X.Source ? 0 : Math.Min(length, (X.Source - first + X.Step - 1) / X.Step));
            for (var c = 0; c < from; c++) staged[c] = padding;
            if (X.Step == 1) new ReadOnlySpan<T>(source + first + from, to - from).CopyTo(new Span<T>(staged + from, to - from));
            else Gather(source + first + (nint)from * X.Step, staged + from, to - from, X.Step);
            for (var c = to; c < length; c++) staged[c] = padding;
        }
    }

    /// <summary>Every step-th element. The halves of 64-bit words are every second one of 32 bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Gather<T>(T* source, T* destination, nint count, nint step)
        where T : unmanaged
    {
        nint i = 0;
        if (step == 2 && sizeof(T) == 4)
        {
            for (; i + 16 <= count; i += 16)
                Vector512.Narrow(Vector512.Load((ulong*)(source + 2 * i)), Vector512.Load((ulong*)(source + 2 * i + 16))).Store((uint*)(destination + i));
        }

        for (; i < count; i++) destination[i] = source[i * step];
    }

    private static bool Inside(in PatchAxis axis) => axis.Low >= 0 && axis.Low + axis.Span <= axis.Source;
}
