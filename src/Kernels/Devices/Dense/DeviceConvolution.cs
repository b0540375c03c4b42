using System.Numerics;

namespace Fusion.Kernels;

/// <summary>
/// Convolutions in the memory of a device, and their two transposes: <see cref="Convolution"/> says what they are. Products of matrices by tiles, whose
/// patches are gathered by the threads that load a tile and exist nowhere; with fewer than four channels on the side of the result (depthwise
/// convolutions), and on devices with small groups, <see cref="WindowKernels"/>. The order of operations depends on the shape only.
/// </summary>
internal static class DeviceConvolution
{
    // Fewer rows than this leave a tile empty.
    private const int MinRows = 4;

    /// <summary>Queues y = x ⋆ w + bias.</summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="device">Where the arrays are.</param>
    /// <param name="s">The shape.</param>
    /// <param name="x">(batch, groups · in channels, input).</param>
    /// <param name="w">(groups · out channels, in channels, kernel).</param>
    /// <param name="bias">groups · out channels values, or null.</param>
    /// <param name="y">(batch, groups · out channels, output).</param>
    public static void Forward<T>(GpuDevice device, in WindowShape s, DeviceVector x, DeviceVector w, DeviceVector? bias, DeviceVector y)
        where T : unmanaged, INumber<T> => Forward<T, NoBody<T>>(device, s, x, w, bias, y, default);

    /// <summary>As above, with work on the elements where they are finished.</summary>
    public static void Forward<T, TBody>(GpuDevice device, in WindowShape s, DeviceVector x, DeviceVector w, DeviceVector? bias, DeviceVector y, TBody body)
        where T : unmanaged, INumber<T>
        where TBody : struct, IProductBody<T>
    {
        var sizes = new ConvolutionSizes(s);
        if (sizes.Y == 0) return;
        using (device.Enter())
        {
            if (!HasTiles(device) || s.OutChannels < MinRows || sizes.X == 0) ConvolutionWindows<T>.Forward(device, s, sizes, x, w, bias, y, body);
            else if (s.Taps <= PatchBits.MaxTaps) ConvolutionTiles<T, PatchBits>.Forward(device, s, sizes, x, w, bias, y, body);
            else ConvolutionTiles<T, PatchCoordinates>.Forward(device, s, sizes, x, w, bias, y, body);
        }

        Keep(x, w, y);
        GC.KeepAlive(bias?.Block);
    }

    /// <summary>Queues the gradient of x from that of y.</summary>
    public static void InputGradient<T>(GpuDevice device, in WindowShape s, DeviceVector dy, DeviceVector w, DeviceVector dx)
        where T : unmanaged, INumber<T> => InputGradient<T, NoBody<T>>(device, s, dy, w, dx, default);

    /// <summary>As above, with work on the elements where they are finished.</summary>
    public static void InputGradient<T, TBody>(GpuDevice device, in WindowShape s, DeviceVector dy, DeviceVector w, DeviceVector dx, TBody body)
        where T : unmanaged, INumber<T>
        where TBody : struct, IProductBody<T>
    {
        var sizes = new ConvolutionSizes(s);
        if (sizes.X == 0) return;
        using (device.Enter())
        {
            if (!HasTiles(device) || s.InChannels < MinRows || sizes.Y == 0) ConvolutionWindows<T>.InputGradient(device, s, sizes, dy, w, dx, body);
            else if (s.Taps <= PatchBits.MaxTaps) ConvolutionTiles<T, PatchBits>.InputGradient(device, s, sizes, dy, w, dx, body);
            else ConvolutionTiles<T, PatchCoordinates>.InputGradient(device, s, sizes, dy, w, dx, body);
        }

        Keep(dy, w, dx);
    }

    /// <summary>Queues the gradient of the filters from that of y.</summary>
    public static void WeightGradient<T>(GpuDevice device, in WindowShape s, DeviceVector x, DeviceVector dy, DeviceVector dw)
        where T : unmanaged, INumber<T>
    {
        var sizes = new ConvolutionSizes(s);
        if (sizes.W == 0) return;
        using (device.Enter())
        {
            if (!HasTiles(device) || s.OutChannels < MinRows || sizes.Y == 0) ConvolutionWindows<T>.WeightGradient(device, s, sizes, x, dy, dw);
            else if (s.Taps <= PatchBits.MaxTaps) ConvolutionTiles<T, PatchBits>.WeightGradient(device, s, sizes, x, dy, dw);
            else ConvolutionTiles<T, PatchCoordinates>.WeightGradient(device, s, sizes, x, dy, dw);
        }

        Keep(x, dy, dw);
    }

    private static bool HasTiles(GpuDevice device) => DeviceGrid.GroupSize(device) >= TileKernels.Threads;

    private static void Keep(DeviceVector a, DeviceVector b, DeviceVector c)
    {
        GC.KeepAlive(a.Block);
        GC.KeepAlive(b.Block);
        GC.KeepAlive(c.Block);
    }
}

/// <summary>Elements of the arrays of a convolution.</summary>
internal readonly struct ConvolutionSizes
{
    public ConvolutionSizes(in WindowShape s)
    {
        InputPlane = DeviceGrid.Index(s.InputSize);
        OutputPlane = DeviceGrid.Index(s.OutputSize);
        Taps = DeviceGrid.Index(s.Taps);
        X = checked(s.Batch * s.Groups * s.InChannels * InputPlane);
        Y = checked(s.Batch * s.Groups * s.OutChannels * OutputPlane);
        W = checked(s.Groups * s.OutChannels * s.InChannels * Taps);
    }

    public int InputPlane { get; }

    public int OutputPlane { get; }

    public int Taps { get; }

    public int X { get; }

    public int Y { get; }

    public int W { get; }
}
