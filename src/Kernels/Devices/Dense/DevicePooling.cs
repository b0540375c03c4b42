using System.Numerics;
using System.Runtime.CompilerServices;
using ILGPU;
using ILGPU.Runtime;

namespace Fusion.Kernels;

/// <summary>
/// Poolings in the memory of a device, with the bits of those of <see cref="Convolution"/> and <see cref="MaxPoolIndices{T, TIndex}"/>. A shape's images are
/// planes: one channel, one group.
/// </summary>
internal static class DevicePooling
{
    /// <summary>Queues y = the largest element of every window of a plane; NaN if there is one.</summary>
    public static void Max<T>(GpuDevice device, in WindowShape s, DeviceVector x, DeviceVector y)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => Join<T, PoolMax<T>>(device, s, x, y);

    /// <summary>Queues y = the sum of every window of a plane.</summary>
    public static void Sum<T>(GpuDevice device, in WindowShape s, DeviceVector x, DeviceVector y)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => Join<T, PoolSum<T>>(device, s, x, y);

    /// <summary>
    /// Queues indices = which element of its plane (flat index) each window of a max pooling takes. Integers as wide as the elements; their offset is in
    /// integers of this width.
    /// </summary>
    public static void MaxIndices<T>(GpuDevice device, in WindowShape s, DeviceVector x, DeviceVector indices)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        (int inputs, int outputs) = Sizes(s);
        if (outputs == 0) return;
        using (device.Enter())
        {
            var kernel = device.Kernel(
                Keys<T>.MaxIndices, static a => a.LoadKernel<ArrayView<T>, ArrayView<int>, PoolWindow, int, int>(PoolKernels.MaxIndices));
            kernel(
                device.Stream, DeviceGrid.For(device, outputs), x.View<T>(inputs), Indices<T>(indices, outputs), new PoolWindow(s), Words<T>(),
                outputs);
            device.LaunchCount++;
        }

        GC.KeepAlive(x.Block);
        GC.KeepAlive(indices.Block);
    }

    /// <summary>Queues dx = the transpose of <see cref="Sum{T}"/>: every input receives the sum of the windows that it is in.</summary>
    public static void SumGradient<T>(GpuDevice device, in WindowShape s, DeviceVector dy, DeviceVector dx)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        (int inputs, int outputs) = Sizes(s);
        if (inputs == 0) return;
        using (device.Enter())
        {
            var kernel = device.Kernel(Keys<T>.SumGradient, static a => a.LoadKernel<ArrayView<T>, ArrayView<T>, PoolWindow, int>(PoolKernels.SumGradient));
            kernel(device.Stream, DeviceGrid.For(device, inputs), dy.View<T>(outputs), dx.View<T>(inputs), new PoolWindow(s), inputs);
            device.LaunchCount++;
        }

        GC.KeepAlive(dy.Block);
        GC.KeepAlive(dx.Block);
    }

    private static void Join<T, TOp>(GpuDevice device, in WindowShape s, DeviceVector x, DeviceVector y)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TOp : struct, IPoolOp<T>
    {
        (int inputs, int outputs) = Sizes(s);
        if (outputs == 0) return;
        using (device.Enter())
        {
            var kernel = device.Kernel(Keys<TOp>.Join, static a => a.LoadKernel<ArrayView<T>, ArrayView<T>, PoolWindow, int>(PoolKernels.Join<T, TOp>));
            kernel(device.Stream, DeviceGrid.For(device, outputs), x.View<T>(inputs), y.View<T>(outputs), new PoolWindow(s), outputs);
            device.LaunchCount++;
        }

        GC.KeepAlive(x.Block);
        GC.KeepAlive(y.Block);
    }

    private static (int Inputs, int Outputs) Sizes(in WindowShape s) => (DeviceGrid.Index(s.Batch * s.InputSize), DeviceGrid.Index(s.Batch * s.OutputSize));

    private static int Words<T>() => Unsafe.SizeOf<T>() / sizeof(int);

    private static ArrayView<int> Indices<T>(DeviceVector indices, int count) =>
        new DeviceVector(indices.Block, indices.Offset * Words<T>()).View<int>(checked(count * Words<T>()));

    private static class Keys<TKind>
    {
        public static readonly object Join = new();
        public static readonly object MaxIndices = new();
        public static readonly object SumGradient = new();
    }
}
