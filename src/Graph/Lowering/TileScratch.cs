namespace Fusion;

/// <summary>Lays out the scratch memory of a tile: values get a place when they are computed and give it back after their last reader.</summary>
internal sealed class TileScratch(long tileRows, RowFrame frame)
{
    private const long Alignment = 64;

    private readonly GapList _gaps = new();
    private readonly List<OpenTile> _open = [];

    /// <summary>Bytes of all.</summary>
    public long Bytes => _gaps.Peak;

    public long this[GraphNode value] => _open.Find(t => ReferenceEquals(t.Value, value))!.Offset;

    /// <summary>Makes room for a tile of a value until part <paramref name="lastUse"/> has run. Kernels write up to 63 bytes past it.</summary>
    public long Take(GraphNode value, int lastUse)
    {
        long size = Size(value.Shape.Size / frame.Rows * value.DType.Size);
        long offset = _gaps.Take(size);
        _open.Add(new OpenTile(value, offset, size, lastUse));
        return offset;
    }

    /// <summary>Rows of a tile that only the part itself writes, and nobody after it.</summary>
    public long TakeRows(long width, DType dtype) => _gaps.Take(Size(width * dtype.Size));

    /// <summary>A row of an operand, with a register behind it, written before the first tile: no part of any tile has its memory, those before it neither.</summary>
    public long TakeRow(TileOperand operand) => _gaps.TakeEnd(Whole(operand.Access.Width * operand.DType.Size + Alignment));

    /// <summary>Memory that only the part itself writes, and nobody after it.</summary>
    public long TakeBytes(long bytes) => _gaps.Take(Whole(bytes));

    /// <summary>Part <paramref name="part"/> has run.</summary>
    public void Release(int part)
    {
        foreach (OpenTile tile in _open)
            if (tile.LastUse <= part) _gaps.Give(tile.Offset, tile.Size);
        _open.RemoveAll(t => t.LastUse <= part);
    }

    private static long Whole(long bytes) => (bytes + Alignment - 1) / Alignment * Alignment;

    private long Size(long bytesPerRow) => Whole(bytesPerRow * tileRows) + Alignment;

    private sealed record OpenTile(GraphNode Value, long Offset, long Size, int LastUse);
}
