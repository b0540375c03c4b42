namespace Fusion.Kernels;

/// <summary>One launch of a scan of (outer, n, inner). Positions count in the direction of the scan; a line is cut into chunks of them.</summary>
internal struct DeviceScanJob
{
    /// <summary>Elements of a tile that one thread adds up.</summary>
    public const int PerThread = 8;

    /// <summary>Elements of the tile in shared memory, with one in 33 left free so that threads eight apart touch different banks.</summary>
    public const int TileElements = PerThread * DeviceGrid.MaxGroup * 33 / 32;

    public DeviceDivisor Inner;
    public DeviceDivisor Chunks;

    /// <summary>The length of a line, and of a chunk.</summary>
    public int Count;
    public int Chunk;

    /// <summary>Chunks of all lines.</summary>
    public int Work;

    /// <summary>1: from the last element to the first.</summary>
    public int Reverse;

    /// <summary>1: an output excludes its own element.</summary>
    public int Exclusive;

    /// <summary>1: chunks start with what the carries hold, in the order of the work.</summary>
    public int HasCarries;

    /// <summary>1: only the sums of whole chunks are written, in the order of the work.</summary>
    public int TotalsOnly;

    public DeviceScanJob(long outer, long n, long inner, int chunk, bool exclusive, bool reverse)
    {
        Inner = new DeviceDivisor(DeviceGrid.Index(inner));
        (Count, Chunk) = (DeviceGrid.Index(n), chunk);
        Chunks = new DeviceDivisor((int)DeviceGrid.Divide(n, chunk));
        Work = DeviceGrid.Index(outer * Chunks.Value * inner + DeviceGrid.MaxGroup) - DeviceGrid.MaxGroup; // so that no index of a whole group overflows
        (Exclusive, Reverse) = (exclusive ? 1 : 0, reverse ? 1 : 0);
        (HasCarries, TotalsOnly) = (0, 0);
    }
}
