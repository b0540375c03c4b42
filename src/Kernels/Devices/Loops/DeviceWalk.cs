namespace Fusion.Kernels;

/// <summary>One axis of a walk: its length, and the steps of both sides.</summary>
internal readonly struct DeviceAxis(DeviceDivisor size, int from, int to)
{
    public readonly DeviceDivisor Size = size;
    public readonly int From = from;
    public readonly int To = to;
}

/// <summary>The places of an element on both sides of a walk.</summary>
internal readonly struct DevicePlaces(int from, int to)
{
    public readonly int From = from;
    public readonly int To = to;
}

/// <summary>A walk through two strided arrays at once, as kernels take it: element i, counted with axis 0 innermost, is found by division.</summary>
/// <remarks>The outermost axis divides by infinity: its index is what is left.</remarks>
internal struct DeviceWalk
{
    public const int MaxRank = 8;

    public int Rank;

    /// <summary>Elements.</summary>
    public int Count;

    /// <summary>Where the first element is.</summary>
    public DevicePlaces Start;

    public DeviceAxis Axis0;
    public DeviceAxis Axis1;
    public DeviceAxis Axis2;
    public DeviceAxis Axis3;
    public DeviceAxis Axis4;
    public DeviceAxis Axis5;
    public DeviceAxis Axis6;
    public DeviceAxis Axis7;

    /// <summary>Where element i is. The tests of the rank are the same for all threads.</summary>
    public static DevicePlaces At(DeviceWalk walk, int i)
    {
        DeviceStep step = Next(new DeviceStep(i, walk.Start.From, walk.Start.To), walk.Axis0);
        if (walk.Rank == 1) return new DevicePlaces(step.From, step.To);
        step = Next(step, walk.Axis1);
        if (walk.Rank == 2) return new DevicePlaces(step.From, step.To);
        step = Next(step, walk.Axis2);
        if (walk.Rank == 3) return new DevicePlaces(step.From, step.To);
        step = Next(step, walk.Axis3);
        if (walk.Rank > 4) step = Next(step, walk.Axis4);
        if (walk.Rank > 5) step = Next(step, walk.Axis5);
        if (walk.Rank > 6) step = Next(step, walk.Axis6);
        if (walk.Rank > 7) step = Next(step, walk.Axis7);
        return new DevicePlaces(step.From, step.To);
    }

    private static DeviceStep Next(DeviceStep step, DeviceAxis axis)
    {
        int quotient = DeviceDivisor.Divide(step.Rest, axis.Size);
        int index = step.Rest - (quotient * axis.Size.Value);
        return new DeviceStep(quotient, step.From + (index * axis.From), step.To + (index * axis.To));
    }

    private readonly struct DeviceStep(int rest, int from, int to)
    {
        public readonly int Rest = rest;
        public readonly int From = from;
        public readonly int To = to;
    }
}
