using ILGPU;

namespace Fusion.Kernels;

/// <summary>
/// The device code of <see cref="DeviceRandom"/>. Word w of block b of a group is at 16·w + b of the group, see <see cref="Philox.Fill"/>: what belongs to one
/// thread lies a quarter of a group apart, and neighbours write neighbouring elements.
/// </summary>
internal static class DeviceRandomKernels
{
    /// <summary>A thread for each block: four elements of a word each.</summary>
    public static void Narrow<TDistribution, T>(ArrayView<T> y, TDistribution distribution, ulong key, ulong block, int count)
        where TDistribution : unmanaged, IDeviceDistribution<TDistribution, uint, T>
        where T : unmanaged
    {
        int thread = (Grid.IdxX * Group.DimX) + Group.IdxX;
        int first = (thread / Philox.GroupBlocks * Philox.GroupWords) + (thread & (Philox.GroupBlocks - 1));
        if (first >= count) return;
        Write(y, TDistribution.Draw(distribution, DevicePhilox.Block(key, block + (ulong)thread)), first, Philox.GroupWords / 4, count - first);
    }

    /// <summary>A thread for two neighbouring blocks, whose words make numbers of 64 bits: four elements of one each.</summary>
    public static void Wide<TDistribution, T>(ArrayView<T> y, TDistribution distribution, ulong key, ulong block, int count)
        where TDistribution : unmanaged, IDeviceDistribution<TDistribution, ulong, T>
        where T : unmanaged
    {
        const int Pairs = Philox.GroupBlocks / 2, GroupElements = Philox.GroupWords / 2;
        int thread = (Grid.IdxX * Group.DimX) + Group.IdxX;
        int first = (thread / Pairs * GroupElements) + (thread & (Pairs - 1));
        if (first >= count) return;
        DeviceQuartet<uint> low = DevicePhilox.Block(key, block + (2 * (ulong)thread)), high = DevicePhilox.Block(key, block + (2 * (ulong)thread) + 1);
        var words = new DeviceQuartet<ulong>(Join(low.A, high.A), Join(low.B, high.B), Join(low.C, high.C), Join(low.D, high.D));
        Write(y, TDistribution.Draw(distribution, words), first, GroupElements / 4, count - first);
    }

    private static ulong Join(uint low, uint high) => low | ((ulong)high << 32);

    private static void Write<T>(ArrayView<T> y, DeviceQuartet<T> elements, int first, int step, int left)
        where T : unmanaged
    {
        y[first] = elements.A;
        if (left > step) y[first + step] = elements.B;
        if (left > 2 * step) y[first + (2 * step)] = elements.C;
        if (left > 3 * step) y[first + (3 * step)] = elements.D;
    }
}
