using System.Numerics;

namespace Fusion.Kernels;

/// <summary>
/// One stage of a reduction. It works on sums ("items"): item i of a part takes the elements i, i + Width, i + 2·Width, … of it. For columns the width is
/// the number of columns, a part is 256 rows, and items are results; for rows the width is that of <see cref="ReduceTree"/>, a part is a block of it, and
/// the items of a part are folded. So every sum is taken in the processor's order, and floating-point results have its bits.
/// </summary>
internal struct DeviceReduceJob
{
    /// <summary>Elements of the tile in shared memory of the staged kernel: eight a thread.</summary>
    public const int TileElements = LoadsPerThread * DeviceGrid.MaxGroup;

    public const int LoadsPerThread = 8;

    // Threads that keep a large device busy when each has eight loads under way.
    private const long ManyItems = 64 * 1024;

    public DeviceDivisor Width;

    /// <summary>Parts of a line.</summary>
    public DeviceDivisor Chunks;

    /// <summary>Elements of a line.</summary>
    public int LineStep;

    /// <summary>Elements of a part.</summary>
    public int PartStep;

    /// <summary>Items in all.</summary>
    public int Items;

    /// <summary>The most elements that an item takes.</summary>
    public int MaxCount;

    /// <summary>Items of a part that become one, a power of two; 1 for columns.</summary>
    public int Fold;

    /// <summary>Items of a group, a power of two.</summary>
    public int GroupItems;

    /// <summary>Threads that load for each item, each its share of the rows; 1 in the direct kernel.</summary>
    public int Loaders;

    /// <summary>(lines, n) → (lines, parts).</summary>
    public static DeviceReduceJob Rows(GpuDevice device, long lines, long n)
    {
        int width = (int)BitOperations.RoundUpToPowerOf2((ulong)Math.Clamp(n, 1, ReduceTree.Lanes));
        long chunks = ReduceTree.BlockCount(n);
        var job = new DeviceReduceJob { Fold = width, LineStep = DeviceGrid.Index(n), PartStep = chunks == 1 ? (int)n : ReduceTree.Block };
        return job.Plan(device, lines, width, chunks, width);
    }

    /// <summary>(outer, n, inner) → (outer, parts, inner), the parts <paramref name="chunk"/> rows long.</summary>
    public static DeviceReduceJob Columns(GpuDevice device, long outer, long n, long inner, long chunk)
    {
        long chunks = Math.Max(1, DeviceGrid.Divide(n, chunk));
        int line = DeviceGrid.Index(n * inner);
        var job = new DeviceReduceJob { Fold = 1, LineStep = line, PartStep = chunks == 1 ? line : (int)(chunk * inner) };
        return job.Plan(device, outer, DeviceGrid.Index(inner), chunks, (int)BitOperations.RoundUpToPowerOf2((ulong)Math.Min(inner, 32)));
    }

    private DeviceReduceJob Plan(GpuDevice device, long lines, int width, long chunks, int leastItems)
    {
        Width = new DeviceDivisor(width);
        Chunks = new DeviceDivisor((int)chunks);
        long items = lines * chunks * width;
        Items = DeviceGrid.Index(items + DeviceGrid.MaxGroup) - DeviceGrid.MaxGroup; // so that no index of a whole group overflows
        MaxCount = (int)DeviceGrid.Divide(PartStep, width);
        int group = DeviceGrid.GroupSize(device);
        Loaders = 1;
        while (2 * Loaders * leastItems <= group && items * Loaders < ManyItems && 2 * LoadsPerThread * Loaders <= MaxCount) Loaders *= 2;
        GroupItems = Math.Max(group / Loaders, leastItems);
        return this;
    }
}

/// <summary>The elements of one item.</summary>
internal readonly struct DeviceReduceItem(int first, int count)
{
    public readonly int First = first;
    public readonly int Count = count;

    /// <summary>No elements for an item past the last.</summary>
    public static DeviceReduceItem Of(DeviceReduceJob job, int item)
    {
        if (item >= job.Items) return new DeviceReduceItem(0, 0);
        int part = DeviceDivisor.Divide(item, job.Width), lane = item - (part * job.Width.Value);
        int line = DeviceDivisor.Divide(part, job.Chunks), chunk = part - (line * job.Chunks.Value);
        int start = chunk * job.PartStep, left = job.LineStep - start;
        int length = left < job.PartStep ? left : job.PartStep;
        return new DeviceReduceItem((line * job.LineStep) + start + lane, DeviceDivisor.Divide(length - lane + job.Width.Value - 1, job.Width));
    }
}
