// Declarations of kernels that are being written: this file goes when they come.
namespace Fusion.Kernels;
internal readonly record struct DeviceOperand(DeviceBlock? Block, long Offset, DType Type, double Value);
internal static class DeviceElements { 
  public static void Run(GpuDevice d, KernelSpec s, ReadOnlySpan<DeviceOperand> o, ReadOnlySpan<long> st, ReadOnlySpan<int> sh) => throw new NotSupportedException();
  public static void Run(GpuDevice d, KernelSpec s, DType lane, ReadOnlySpan<DeviceOperand> o, ReadOnlySpan<long> st, ReadOnlySpan<int> sh) => throw new NotSupportedException(); }
internal static class DeviceCopy { public static void Run(GpuDevice d, DeviceBlock a, long ao, ReadOnlySpan<long> asx, DeviceBlock b, long bo, ReadOnlySpan<long> bs, ReadOnlySpan<int> dims, int size) {} }
internal static class DeviceFill { public static void Run(GpuDevice d, DeviceBlock a, long ao, long n, DType t, double v) {} }
internal static class DeviceCast { public static void Run(GpuDevice d, DType f, DeviceBlock a, long ao, DType t, DeviceBlock b, long bo, long n) {} }
