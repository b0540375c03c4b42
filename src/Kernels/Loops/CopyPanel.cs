using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Fusion.Kernels;

/// <summary>A copy over two axes: rows that are contiguous, reversed, strided or repeat one element, a transpose, or anything else.</summary>
internal unsafe struct CopyPanel
{
    public long Columns;
    public long Rows;
    public long FromColumn;
    public long FromRow;
    public long ToColumn;
    public long ToRow;

    public readonly void Run(nint source, nint destination, int elementSize)
    {
        switch (elementSize)
        {
            case 1: Run((byte*)source, (byte*)destination); break;
            case 2: Run((ushort*)source, (ushort*)destination); break;
            case 4: Run((uint*)source, (uint*)destination); break;
            default: Run((ulong*)source, (ulong*)destination); break;
        }
    }

    private readonly void Run<T>(T* source, T* destination)
        where T : unmanaged
    {
        if (ToColumn != 1) Elements(source, destination);
        else if (FromColumn == 1) CopyRows.Run((byte*)source, FromRow * sizeof(T), (byte*)destination, ToRow * sizeof(T), Columns * sizeof(T), Rows);
        else if (FromColumn == 0) FillRows(source, destination);
        else if (FromColumn == -1) CopyRows.Reversed(source, FromRow, destination, ToRow, Columns, Rows);
        else if (FromColumn == 2 && sizeof(T) <= 4) CopyRows.EverySecond(source, FromRow, destination, ToRow, Columns, Rows);
        else if (FromRow == 1) CopyTranspose.Run(source, FromColumn, Columns, Rows, destination, ToRow);
        else Elements(source, destination);
    }

    // Not Span.Fill, whose instantiations start unoptimized.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly void FillRows<T>(T* source, T* destination)
        where T : unmanaged
    {
        for (long row = 0; row < Rows; row++)
        {
            T value = source[row * FromRow];
            Vector512<T> register = Vector512.Create(value);
            T* to = destination + (row * ToRow);
            long i = 0;
            for (; i + Vector512<T>.Count <= Columns; i += Vector512<T>.Count) register.Store(to + i);
            if (i == Columns) continue;
            if (i > 0) register.Store(to + Columns - Vector512<T>.Count); // overlaps what is written already
            else for (; i < Columns; i++) to[i] = value;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly void Elements<T>(T* source, T* destination)
        where T : unmanaged
    {
        for (long row = 0; row < Rows; row++)
        {
            T* from = source + (row * FromRow), to = destination + (row * ToRow);
            long column = Columns;
            for (; column >= 4; column -= 4)
            {
                T a = from[0], b = from[FromColumn], c = from[2 * FromColumn], d = from[3 * FromColumn];
                to[0] = a;
                to[ToColumn] = b;
                to[2 * ToColumn] = c;
                to[3 * ToColumn] = d;
                from += 4 * FromColumn;
                to += 4 * ToColumn;
            }
            for (; column > 0; column--)
            {
                *to = *from;
                from += FromColumn;
                to += ToColumn;
            }
        }
    }
}
