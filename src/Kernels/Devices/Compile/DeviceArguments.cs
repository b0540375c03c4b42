using ILGPU;

namespace Fusion.Kernels;

/// <summary>The arguments of a launch, by operand and in order; reused from launch to launch under the device's lock.</summary>
internal sealed class DeviceArguments(int operands)
{
    private readonly ArrayView<byte>[] _views = new ArrayView<byte>[operands];
    private readonly double[] _numbers = new double[operands];
    private readonly List<int> _integers = [];

    public void Clear() => _integers.Clear();

    /// <summary>The next integer.</summary>
    public void Add(int value) => _integers.Add(value);

    /// <summary>Operand <paramref name="k"/> is a number.</summary>
    public void Set(int k, double value) => _numbers[k] = value;

    /// <summary>Operand <paramref name="k"/> is these elements.</summary>
    public void Set(int k, DeviceBlock block, long offset, long length, int elementSize) =>
        _views[k] = block.View<byte>(offset * elementSize, length * elementSize);

    public ArrayView<T> View<T>(int k) where T : unmanaged => _views[k].Cast<T>();

    public float Single(int k) => (float)_numbers[k];

    public double Double(int k) => _numbers[k];

    public int Int32(int k) => (int)_numbers[k];

    public long Int64(int k) => (long)_numbers[k];

    /// <summary>A mask of the host.</summary>
    public int Mask(int k) => _numbers[k] != 0 ? 1 : 0;

    public int Integer(int i) => _integers[i];
}
