using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

/// <summary>The windows of a pooling along one axis, for kernels.</summary>
internal readonly struct PoolAxis(in WindowShape s, int axis)
{
    private readonly int _outputs = s.Output[axis];
    private readonly int _before = s.Before[axis];
    private readonly int _dilation = s.Dilation[axis];
    private readonly DeviceDivisor _stride = new(s.Stride[axis]);
    private readonly DeviceDivisor _perDilation = new(s.Dilation[axis]);

    public int Inputs { get; } = s.Input[axis];

    public int Taps { get; } = s.Kernel[axis];

    public DeviceDivisor PerInput { get; } = new(Math.Max(1, s.Input[axis]));

    public DeviceDivisor PerOutput { get; } = new(Math.Max(1, s.Output[axis]));

    public int Outputs => _outputs;

    /// <summary>Where an output's window begins; may lie in the padding.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Start(int output) => output * _stride.Value - _before;

    /// <summary>The input of a tap, in its window or outside of the inputs.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Input(int start, int tap) => start + tap * _dilation;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool Contains(int input) => (uint)input < (uint)Inputs;

    /// <summary>The last output whose window reaches up to an input or farther.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int LastOutput(int input)
    {
        int last = DeviceDivisor.Divide(input + _before, _stride);
        return last < _outputs ? last : _outputs - 1;
    }

    /// <summary>The first output whose window has not ended before an input.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int FirstOutput(int input)
    {
        int rest = input + _before - (Taps - 1) * _dilation + _stride.Value - 1;
        return rest < 0 ? 0 : DeviceDivisor.Divide(rest, _stride);
    }

    /// <summary>An input between the ends of an output's window is met by a tap.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool Meets(int output, int input)
    {
        int distance = input - Start(output);
        return DeviceDivisor.Divide(distance, _perDilation) * _dilation == distance;
    }
}

/// <summary>The windows of a pooling, for kernels.</summary>
internal readonly struct PoolWindow(in WindowShape s)
{
    public PoolAxis Z { get; } = new(s, 0);

    public PoolAxis Y { get; } = new(s, 1);

    public PoolAxis X { get; } = new(s, 2);

    /// <summary>Elements of a plane of the input.</summary>
    public int Plane => Z.Inputs * Y.Inputs * X.Inputs;

    /// <summary>Windows of a plane.</summary>
    public int Windows => Z.Outputs * Y.Outputs * X.Outputs;

    /// <summary>The plane of an output, and where its window begins in it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public PoolPlace Window(int output)
    {
        int line = DeviceDivisor.Divide(output, X.PerOutput), layer = DeviceDivisor.Divide(line, Y.PerOutput), plane = DeviceDivisor.Divide(layer, Z.PerOutput);
        PoolPlace place = default;
        place.Plane = plane;
        place.Z = Z.Start(layer - plane * Z.Outputs);
        place.Y = Y.Start(line - layer * Y.Outputs);
        place.X = X.Start(output - line * X.Outputs);
        return place;
    }

    /// <summary>The plane of an input, and where it is there.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public PoolPlace Input(int input)
    {
        int line = DeviceDivisor.Divide(input, X.PerInput), layer = DeviceDivisor.Divide(line, Y.PerInput), plane = DeviceDivisor.Divide(layer, Z.PerInput);
        PoolPlace place = default;
        place.Plane = plane;
        place.Z = layer - plane * Z.Inputs;
        place.Y = line - layer * Y.Inputs;
        place.X = input - line * X.Inputs;
        return place;
    }
}

/// <summary>A position in a plane.</summary>
internal struct PoolPlace
{
    public int Plane;
    public int Z;
    public int Y;
    public int X;
}
