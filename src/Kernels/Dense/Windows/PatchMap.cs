using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Fusion.Kernels;

/// <summary>
/// Where the elements of patches lie in memory. Planes that need padding, or whose width is stepped over, are first copied ("staged") with the padding in
/// place and every row split into its phases, x mod Step: then the elements that a tap meets along a row of the grid are contiguous, always.
/// </summary>
internal unsafe struct PatchMap
{
    public PatchAxis Z;
    public PatchAxis Y;
    public PatchAxis X;

    /// <summary>The source cannot be read as it is.</summary>
    public bool Staged;

    /// <summary>Elements from one phase of a row to the next.</summary>
    public nint PhaseLength;

    /// <summary>Elements of one row of a plane.</summary>
    public nint RowLength;

    /// <summary>Elements of one layer (rows × columns) of a plane.</summary>
    public nint LayerSize;

    /// <summary>Elements of one plane as it is read.</summary>
    public nint PlaneSize;

    public PatchMap(PatchAxis z, PatchAxis y, PatchAxis x)
    {
        if (x.Grid == 1) x.Step = 1;
        (Z, Y, X) = (z, y, x);
        Staged = x.Step != 1 || !Inside(z) || !Inside(y) || !Inside(x);
        PhaseLength = Staged ? (x.Span + x.Step - 1) / x.Step : x.Source;
        RowLength = Staged ? PhaseLength * x.Step : x.Source;
        LayerSize = RowLength * (Staged ? y.Span : y.Source);
        PlaneSize = LayerSize * (Staged ? z.Span : z.Source);
    }

    public readonly nint Taps => (nint)Z.Taps * Y.Taps * X.Taps;

    /// <summary>Positions of the grid.</summary>
    public readonly nint Pixels => (nint)Z.Grid * Y.Grid * X.Grid;

    /// <summary>Elements between two positions of the grid along z.</summary>
    public readonly nint StepZ => Z.Step * LayerSize;

    /// <summary>Elements between two positions of the grid along y.</summary>
    public readonly nint StepY => Y.Step * RowLength;

    /// <summary>Writes, for every tap, the distance from the start of a plane to the element that the tap meets at position 0.</summary>
    public readonly void WriteTapOffsets(nint* offsets)
    {
        int lowZ = Staged ? Z.Low : 0, lowY = Staged ? Y.Low : 0, lowX = Staged ? X.Low : 0;
        for (var z = 0; z < Z.Taps; z++)
        {
            for (var y = 0; y < Y.Taps; y++)
            {
                var row = (Z.First + z * Z.Increment - lowZ) * LayerSize + (Y.First + y * Y.Increment - lowY) * RowLength;
                for (var x = 0; x < X.Taps; x++)
                {
                    var (cell, phase) = Math.DivRem(X.First + x * X.Increment - lowX, X.Step);
                    *offsets++ = row + phase * PhaseLength + cell;
                }
            }
        }
    }

    /// <summary>Copies one plane of the source to its staged form.</summary>
    public readonly void Stage<T>(T* source, T* staged, T padding)
        where T : unmanaged
    {
        for (var z = 0; z < Z.Span; z++)
        {
            var fromZ = Z.Low + z;
            var insideZ = (uint)fromZ < (uint)Z.Source;
            for (var y = 0; y < Y.Span; y++, staged += RowLength)
            {
                var fromY = Y.Low + y;
                if (insideZ && (uint)fromY < (uint)Y.Source) StageRow(source + ((nint)fromZ * Y.Source + fromY) * X.Source, staged, padding);
                else new Span<T>(staged, (int)RowLength).Fill(padding);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly void StageRow<T>(T* source, T* staged, T padding)
        where T : unmanaged
    {
        var length = (int)PhaseLength;
        for (var phase = 0; phase < X.Step; phase++, staged += length)
        {
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
