using System.Numerics;
using System.Runtime.CompilerServices;
using ILGPU;
using ILGPU.Runtime;

namespace Fusion.Kernels;

/// <summary>Launches <see cref="WindowKernels"/>.</summary>
internal static class ConvolutionWindows<T>
    where T : unmanaged, INumber<T>
{
    private const int WantedGroups = 1056;
    private const int ShortestPiece = 4096;

    private static readonly object s_weight = new();

    public static void Forward<TBody>(
        GpuDevice device, in WindowShape s, in ConvolutionSizes sizes, DeviceVector x, DeviceVector w, DeviceVector? bias, DeviceVector y, TBody body)
        where TBody : struct, IProductBody<T>
    {
        var kernel = device.Kernel(
            ForwardKernel<TBody>.Key, static a => a.LoadKernel<ArrayView<T>, ArrayView<T>, ArrayView<T>, TileFinish<T, TBody>, DeviceWindow, int>(WindowKernels.Forward));
        ArrayView<T> output = y.View<T>(sizes.Y);
        kernel(
            device.Stream, DeviceGrid.For(device, sizes.Y), x.View<T>(sizes.X), w.View<T>(sizes.W), output, Finish(s, bias, output, body),
            new DeviceWindow(s), sizes.Y);
        device.LaunchCount++;
    }

    public static void InputGradient<TBody>(
        GpuDevice device, in WindowShape s, in ConvolutionSizes sizes, DeviceVector dy, DeviceVector w, DeviceVector dx, TBody body)
        where TBody : struct, IProductBody<T>
    {
        var kernel = device.Kernel(
            InputKernel<TBody>.Key, static a => a.LoadKernel<ArrayView<T>, ArrayView<T>, ArrayView<T>, TBody, DeviceWindow, int>(WindowKernels.InputGradient));
        kernel(
            device.Stream, DeviceGrid.For(device, sizes.X), dy.View<T>(sizes.Y), w.View<T>(sizes.W), dx.View<T>(sizes.X), body,
            new DeviceWindow(s), sizes.X);
        device.LaunchCount++;
    }

    public static void WeightGradient(GpuDevice device, in WindowShape s, in ConvolutionSizes sizes, DeviceVector x, DeviceVector dy, DeviceVector dw)
    {
        int depth = s.Batch * sizes.OutputPlane;
        (int splits, int piece) = GemmPieces<T>.Split(sizes.W, WantedGroups, depth, ShortestPiece);
        var kernel = device.Kernel(
            s_weight, static a => a.LoadKernel<ArrayView<T>, ArrayView<T>, ArrayView<T>, DeviceWindow, int, int, int>(WindowKernels.WeightGradient));
        int results = checked(splits * sizes.W);
        DeviceBlock? scratch = splits == 1 ? null : new DeviceBlock(device, (long)results * Unsafe.SizeOf<T>());
        ArrayView<T> target = dw.View<T>(sizes.W), sums = scratch is null ? target : scratch.View<T>(0, results);
        kernel(
            device.Stream, new KernelConfig(results, DeviceGrid.GroupSize(device)), x.View<T>(sizes.X), dy.View<T>(sizes.Y), sums, new DeviceWindow(s),
            sizes.W, piece, depth);
        device.LaunchCount++;
        if (scratch is null) return;
        GemmPieces<T>.Add(device, sums, new StridedTarget<T, NoBody<T>>(target, 0, 0, 1, new TileFinish<T, NoBody<T>>(target, 0, 0, default)), 1, splits, 1, sizes.W);
        scratch.Release();
    }

    /// <summary>The bias of every channel, if there is one.</summary>
    public static TileFinish<T, TBody> Finish<TBody>(in WindowShape s, DeviceVector? bias, ArrayView<T> any, TBody body)
        where TBody : struct, IProductBody<T> =>
        bias is { } b ? new(b.View<T>(s.Groups * s.OutChannels), 1, 0, body) : new(any, 0, 0, body);

    private static class InputKernel<TBody>
    {
        public static readonly object Key = new();
    }

    private static class ForwardKernel<TBody>
    {
        public static readonly object Key = new();
    }
}
