using System.Numerics;
using System.Runtime.InteropServices;
using Fusion.Kernels;
using Fusion.Tests.Devices;

namespace Fusion.Tests;

/// <summary>Arrays in the memory of a device for the tests of products, convolutions and poolings, between elements that nobody may touch.</summary>
internal sealed class DenseArrays<T>(GpuDevice device) : IDisposable
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private const int Guard = 64;
    private const double Mark = 12345;

    private readonly List<DeviceBlock> _blocks = [];

    /// <summary>Uploads values behind so many elements more than the guard has.</summary>
    public DenseArray<T> Upload(ReadOnlySpan<T> values, int shift = 0)
    {
        var all = new T[Guard + shift + values.Length + Guard];
        all.AsSpan().Fill(T.CreateChecked(Mark));
        values.CopyTo(all.AsSpan(Guard + shift));
        ReadOnlySpan<byte> bytes = MemoryMarshal.AsBytes(all.AsSpan());
        var block = new DeviceBlock(device, bytes.Length);
        _blocks.Add(block);
        device.Upload(bytes, block, 0);
        return new DenseArray<T>(block, Guard + shift, values.Length);
    }

    /// <summary>The values of an array, whose surroundings have not been written.</summary>
    public static T[] Download(DenseArray<T> array)
    {
        var all = new T[array.Offset + array.Length + Guard];
        array.Block.Device.Download(array.Block, 0, MemoryMarshal.AsBytes(all.AsSpan()));
        T mark = T.CreateChecked(Mark);
        Assert.Equal(-1, all.AsSpan(0, array.Offset).IndexOfAnyExcept(mark));
        Assert.Equal(-1, all.AsSpan(array.Offset + array.Length).IndexOfAnyExcept(mark));
        return all[array.Offset..(array.Offset + array.Length)];
    }

    /// <summary>Uniform over [−1, 1).</summary>
    public static T[] Values(long count, int seed)
    {
        var random = new Random(seed);
        var values = new T[count];
        for (int i = 0; i < values.Length; i++) values[i] = T.CreateChecked(random.NextDouble() * 2 - 1);
        return values;
    }

    /// <summary>Every value within a distance of its reference.</summary>
    public static void AssertClose(double[] expected, T[] actual, double tolerance, string what)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (int i = 0; i < expected.Length; i++)
        {
            double distance = Math.Abs(expected[i] - double.CreateChecked(actual[i]));
            if (!(distance <= tolerance)) Assert.Fail($"{what} {typeof(T).Name}: element {i} of {expected.Length} is {actual[i]}, not {expected[i]}");
        }
    }

    public void Dispose()
    {
        foreach (DeviceBlock block in _blocks) block.Release();
    }
}

/// <summary>Elements of a block.</summary>
internal readonly record struct DenseArray<T>(DeviceBlock Block, int Offset, int Length)
{
    public DeviceVector Vector => new(Block, Offset);
}

/// <summary>A fact about the accelerator of this machine, skipped where there is none.</summary>
public sealed class DenseAcceleratorFactAttribute : FactAttribute
{
    public DenseAcceleratorFactAttribute(bool whole = false) =>
        Skip = DenseAcceleratorTheoryAttribute.Missing ?? (whole && !AcceleratorTable.IsWhole ? AcceleratorTable.Partial : null);
}

/// <summary>A theory about the accelerator of this machine, skipped where there is none.</summary>
public sealed class DenseAcceleratorTheoryAttribute : TheoryAttribute
{
    public DenseAcceleratorTheoryAttribute() => Skip = Missing;

    internal static string? Missing => GpuDevices.Count > 0 ? null : $"No accelerator: {GpuDevices.Failure}.";
}
