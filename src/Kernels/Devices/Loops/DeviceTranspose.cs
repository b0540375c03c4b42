using System.Numerics;

namespace Fusion.Kernels;

/// <summary>Sixteen bytes that a thread moves at once; they must lie at a multiple of 16.</summary>
internal struct DeviceQuad
{
    public uint A;
    public uint B;
    public uint C;
    public uint D;
}

/// <summary>
/// A copy in square tiles: along axis 0 the target is contiguous, along axis 1 the source. A group moves one tile, four elements a thread; the other axes are
/// a walk over the tiles' origins.
/// </summary>
internal readonly struct DeviceTranspose
{
    /// <summary>Elements of shared memory: 32 rows of 32 and one, so that a column touches every bank.</summary>
    public const int TileElements = 32 * 33;

    public readonly int Side;
    public readonly int Shift;
    public readonly int Size0;
    public readonly int Size1;

    /// <summary>The step of the source along axis 0, of the target along axis 1.</summary>
    public readonly int From0;
    public readonly int To1;
    public readonly DeviceDivisor Tiles0;
    public readonly DeviceDivisor Tiles1;
    public readonly DeviceWalk Origins;

    public DeviceTranspose(in DeviceCopyPlan plan, int axis, int side)
    {
        (Side, Shift) = (side, BitOperations.Log2((uint)side));
        (Size0, Size1) = (DeviceGrid.Index(plan.Sizes[0]), DeviceGrid.Index(plan.Sizes[axis]));
        (From0, To1) = ((int)plan.From[0], (int)plan.To[axis]);
        Tiles0 = new DeviceDivisor((Size0 + side - 1) / side);
        Tiles1 = new DeviceDivisor((Size1 + side - 1) / side);
        Origins = plan.Walk(1, axis);
    }

    /// <summary>Groups to launch.</summary>
    public long Tiles => (long)Tiles0.Value * Tiles1.Value * Origins.Count;

    /// <summary>The side of a tile: 2·√(threads of a group), at most 32.</summary>
    public static int SideFor(GpuDevice device) => 2 << (BitOperations.Log2((uint)DeviceGrid.GroupSize(device)) / 2);
}
