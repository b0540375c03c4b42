using System.Numerics;
using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

/// <summary>A 4 × 4 piece of a product. Structs of scalars that are passed by value become registers; ILGPU has no arrays there.</summary>
internal struct RegisterTile4<T>
    where T : unmanaged, INumber<T>
{
    public Quartet<T> Row0;
    public Quartet<T> Row1;
    public Quartet<T> Row2;
    public Quartet<T> Row3;

    /// <summary>sums + column · row.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static RegisterTile4<T> AddOuter(RegisterTile4<T> sums, Quartet<T> column, Quartet<T> row)
    {
        sums.Row0 = Quartet<T>.AddScaled(sums.Row0, column.X, row);
        sums.Row1 = Quartet<T>.AddScaled(sums.Row1, column.Y, row);
        sums.Row2 = Quartet<T>.AddScaled(sums.Row2, column.Z, row);
        sums.Row3 = Quartet<T>.AddScaled(sums.Row3, column.W, row);
        return sums;
    }

    /// <summary>Writes the piece whose first element is (row, column).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store<TTarget>(RegisterTile4<T> tile, TTarget target, int batch, int row, int column)
        where TTarget : struct, ITileTarget<T>
    {
        if (TTarget.IsLong)
        {
            for (int i = 0; i < 4; i++) target.Store(batch, row + i, column, Row(tile, i));
            return;
        }

        target.Store(batch, row, column, tile.Row0);
        target.Store(batch, row + 1, column, tile.Row1);
        target.Store(batch, row + 2, column, tile.Row2);
        target.Store(batch, row + 3, column, tile.Row3);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Quartet<T> Row(RegisterTile4<T> tile, int row)
    {
        Quartet<T> low = row == 0 ? tile.Row0 : tile.Row1, high = row == 2 ? tile.Row2 : tile.Row3;
        return row < 2 ? low : high;
    }
}

/// <summary>An 8 × 8 piece of a product as four pieces: 64 accumulators.</summary>
internal struct RegisterTile8<T>
    where T : unmanaged, INumber<T>
{
    public RegisterTile4<T> TopLeft;
    public RegisterTile4<T> TopRight;
    public RegisterTile4<T> BottomLeft;
    public RegisterTile4<T> BottomRight;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static RegisterTile8<T> AddOuter(RegisterTile8<T> sums, Quartet<T> top, Quartet<T> bottom, Quartet<T> left, Quartet<T> right)
    {
        sums.TopLeft = RegisterTile4<T>.AddOuter(sums.TopLeft, top, left);
        sums.TopRight = RegisterTile4<T>.AddOuter(sums.TopRight, top, right);
        sums.BottomLeft = RegisterTile4<T>.AddOuter(sums.BottomLeft, bottom, left);
        sums.BottomRight = RegisterTile4<T>.AddOuter(sums.BottomRight, bottom, right);
        return sums;
    }
}
