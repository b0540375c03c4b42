using System.Numerics;
using ILGPU;
using ILGPU.Runtime;

namespace Fusion.Kernels;

/// <summary>The loaded kernels of <see cref="DeviceScatter"/>.</summary>
internal static class DeviceScatterLaunchers<TReader, TIndex, T>
    where TReader : struct, IDeviceIndexReader<TIndex>
    where TIndex : unmanaged
    where T : unmanaged, INumberBase<T>
{
    private static readonly object s_places = new();
    private static readonly object s_pieces = new();
    private static readonly object s_addPieces = new();
    private static readonly object s_addSums = new();
    private static readonly object s_addLines = new();

    public static Action<AcceleratorStream, KernelConfig, ArrayView<TIndex>, ArrayView<uint>, DeviceIndex, DeviceDivisor, DeviceDivisor, int, int> Places(
        GpuDevice device) => device.Kernel(s_places, static accelerator =>
            accelerator.LoadKernel<ArrayView<TIndex>, ArrayView<uint>, DeviceIndex, DeviceDivisor, DeviceDivisor, int, int>(
                DeviceScatterKernels.Places<TReader, TIndex>));

    public static Action<AcceleratorStream, KernelConfig, ArrayView<uint>, ArrayView<int>, ArrayView<int>, int, int> Pieces(GpuDevice device) =>
        device.Kernel(s_pieces, static accelerator =>
            accelerator.LoadKernel<ArrayView<uint>, ArrayView<int>, ArrayView<int>, int, int>(DeviceScatterKernels.Pieces));

    public static Action<
        AcceleratorStream, KernelConfig, ArrayView<T>, ArrayView<uint>, ArrayView<int>, ArrayView<int>, ArrayView<T>, ArrayView<T>, DeviceScatterJob> AddPieces(
        GpuDevice device) => device.Kernel(s_addPieces, static accelerator =>
            accelerator.LoadKernel<ArrayView<T>, ArrayView<uint>, ArrayView<int>, ArrayView<int>, ArrayView<T>, ArrayView<T>, DeviceScatterJob>(
                DeviceScatterKernels.AddPieces));

    public static Action<
        AcceleratorStream, KernelConfig, ArrayView<uint>, ArrayView<int>, ArrayView<int>, ArrayView<T>, ArrayView<T>, DeviceScatterJob> AddSums(
        GpuDevice device) => device.Kernel(s_addSums, static accelerator =>
            accelerator.LoadKernel<ArrayView<uint>, ArrayView<int>, ArrayView<int>, ArrayView<T>, ArrayView<T>, DeviceScatterJob>(
                DeviceScatterKernels.AddSums));

    public static Action<AcceleratorStream, KernelConfig, ArrayView<T>, ArrayView<TIndex>, ArrayView<T>, DeviceIndex, DeviceDivisor, int, int> AddLines(
        GpuDevice device) => device.Kernel(s_addLines, static accelerator =>
            accelerator.LoadKernel<ArrayView<T>, ArrayView<TIndex>, ArrayView<T>, DeviceIndex, DeviceDivisor, int, int>(
                DeviceScatterKernels.AddLines<TReader, TIndex, T>));
}
