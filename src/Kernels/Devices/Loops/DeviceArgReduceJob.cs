using System.Numerics;

namespace Fusion.Kernels;

/// <summary>
/// An arg-reduction: a group works on some segments of lines at once, with several threads for each. Along rows the threads of a line are neighbours, along
/// columns the lines are, so that neighbours read neighbouring elements.
/// </summary>
internal struct DeviceArgReduceJob
{
    private const long ManyThreads = 64 * 1024;
    private const int LeastPerThread = 16;

    public DeviceDivisor Inner;
    public DeviceDivisor Segments;

    /// <summary>Elements of a line, or candidates.</summary>
    public int Count;

    /// <summary>The length of the axis.</summary>
    public int Rows;

    /// <summary>Elements of a segment.</summary>
    public int Segment;

    /// <summary>Segments of all lines.</summary>
    public int Work;

    /// <summary>Segments of a group, and threads of a segment: powers of two.</summary>
    public int GroupWork;
    public int Threads;

    /// <summary>How far apart in a group the threads of a segment are; and the threads of neighbouring segments.</summary>
    public int ThreadStep;
    public int WorkStep;

    /// <param name="device">The device.</param>
    /// <param name="outer">As in <see cref="ArgReduce"/>.</param>
    /// <param name="rows">The length of the reduced axis.</param>
    /// <param name="inner">As in <see cref="ArgReduce"/>.</param>
    /// <param name="candidates">How many elements of a line are asked, at most its length.</param>
    /// <param name="last">There is no further stage: a line is one segment.</param>
    public DeviceArgReduceJob(GpuDevice device, long outer, long rows, long inner, long candidates, bool last)
    {
        int group = DeviceGrid.GroupSize(device);
        long lines = outer * inner;
        Inner = new DeviceDivisor(DeviceGrid.Index(inner));
        (Rows, Count) = (DeviceGrid.Index(rows), DeviceGrid.Index(candidates));
        int neighbours = (int)BitOperations.RoundUpToPowerOf2((uint)Math.Min(inner, 32));
        Threads = inner > 1 ? 1 : Math.Min(group, (int)BitOperations.RoundUpToPowerOf2((uint)Math.Min(DeviceGrid.Divide(candidates, 4), 32)));
        while (2 * Threads * (inner > 1 ? neighbours : 1) <= group && lines * Threads < ManyThreads && LeastPerThread * Threads <= candidates) Threads *= 2;
        GroupWork = group / Threads;
        (ThreadStep, WorkStep) = inner > 1 ? (GroupWork, 1) : (1, Threads);
        long segments = last ? 1 : Math.Min(DeviceGrid.Divide(candidates, LeastPerThread * Threads), DeviceGrid.Divide(ManyThreads, lines * Threads));
        Segment = (int)DeviceGrid.Divide(candidates, segments);
        segments = DeviceGrid.Divide(candidates, Segment);
        Segments = new DeviceDivisor((int)segments);
        Work = DeviceGrid.Index(lines * segments + DeviceGrid.MaxGroup) - DeviceGrid.MaxGroup; // so that no index of a whole group overflows
    }
}
