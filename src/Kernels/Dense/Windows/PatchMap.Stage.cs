using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Fusion.Kernels;

// Planes are staged by whole registers: what spills over a row's end is overwritten by the phase's next row, or lies in the slack behind its last one.
internal unsafe partial struct PatchMap
{
    private const int StageSlack = 16; // elements: a register

    /// <summary>Copies one plane of the source to its staged form.</summary>
    public readonly void Stage<T>(T* source, T* staged, T padding)
        where T : unmanaged
        => Stage(source, staged, padding, 0, Y.Cells);

    /// <summary>As above, of every phase only the rows from <paramref name="row0"/> to <paramref name="row1"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public readonly void Stage<T>(T* source, T* staged, T padding, int row0, int row1)
        where T : unmanaged
    {
        int firstY = row0 * Y.Step, endY = Math.Min(row1, Y.Cells) * Y.Step;
        if (X.Step == 1 && Y.Step == 1 && Z.Step == 1)
        {
            for (var z = 0; z < Z.Cells; z++) StageRows(Layer(source, z), staged + z * LayerSize, padding, firstY, endY);
            return;
        }

        nint phasesY = X.Step * PhaseSize, phasesZ = Y.Step * phasesY;
        for (int z = 0, cellZ = 0; cellZ < Z.Cells; cellZ++)
        {
            for (var phaseZ = 0; phaseZ < Z.Step; phaseZ++, z++)
            {
                for (var phaseY = 0; phaseY < Y.Step; phaseY++)
                {
                    T* to = staged + phaseZ * phasesZ + phaseY * phasesY + cellZ * LayerSize + row0 * RowLength;
                    for (var phase = 0; phase < X.Step; phase++) StagePhase(Layer(source, z), to + phase * PhaseSize, padding, firstY + phaseY, endY, phase);
                }
            }
        }
    }

    // Of the span's layers one, or null: all padding.
    private readonly T* Layer<T>(T* source, int z)
        where T : unmanaged
        => (uint)(Z.Low + z) < (uint)Z.Source ? source + (nint)(Z.Low + z) * Y.Source * X.Source : null;

    /// <summary>Rows of a layer (null: all padding) that are not stepped over.</summary>
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
            Copy((byte*)(layer + fromY * width + first), (byte*)(to + left), bytes);
            for (var x = right; x < length; x++) to[x] = padding;
        }
    }

    /// <summary>One phase along x of every <c>Y.Step</c>-th row of a layer (null: all padding).</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly void StagePhase<T>(T* layer, T* staged, T padding, int row0, int row1, int phase)
        where T : unmanaged
    {
        // Cell c holds the source's x = first + c·Step: padding, then the source from one cell on, then padding.
        int first = X.Low + phase, step = X.Step;
        nint length = RowLength, width = X.Source, left = first >= 0 ? 0 : Math.Min(length, (-first + step - 1) / step);
        nint right = Math.Max(left, first >= width ? 0 : Math.Min(length, (width - first + step - 1) / step)), count = right - left;
        for (var y = row0; y < row1; y += Y.Step, staged += length)
        {
            var fromY = Y.Low + y;
            if (layer == null || (uint)fromY >= (uint)Y.Source)
            {
                for (nint x = 0; x < length; x++) staged[x] = padding;
                continue;
            }

            for (nint x = 0; x < left; x++) staged[x] = padding;
            T* from = layer + fromY * width + first + left * step, to = staged + left;
            if (step == 2 && sizeof(T) == 4) EverySecond((uint*)from, (uint*)to, count);
            else if (step == 1) Copy((byte*)from, (byte*)to, count * sizeof(T));
            else for (nint x = 0; x < count; x++) to[x] = from[x * step];
            for (var x = right; x < length; x++) staged[x] = padding;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Copy(byte* from, byte* to, nint bytes)
    {
        for (nint i = 0; i < bytes; i += 64) Vector512.Store(Vector512.Load(from + i), to + i);
    }

    // The lower halves of 64-bit words. No register is read that begins behind the last element.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void EverySecond(uint* from, uint* to, nint count)
    {
        for (; count > 8; count -= 16, from += 32, to += 16) Vector512.Narrow(Vector512.Load((ulong*)from), Vector512.Load((ulong*)(from + 16))).Store(to);
        if (count > 0) Vector512.Narrow(Vector512.Load((ulong*)from), Vector512<ulong>.Zero).Store(to);
    }
}
