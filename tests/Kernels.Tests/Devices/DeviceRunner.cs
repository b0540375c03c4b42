using System.Numerics;
using System.Runtime.InteropServices;
using Fusion.Kernels;
using ILGPU;
using ILGPU.Runtime.CPU;

namespace Fusion.Tests.Devices;

/// <summary>Arrays of a device for the length of a test.</summary>
internal sealed class DeviceRunner(GpuDevice device) : IDisposable
{
    // ILGPU's debug device with the warps of CUDA.
    private static readonly Lazy<GpuDevice> s_warps = new(static () =>
    {
        Context context = Context.Create(static builder =>
        {
            builder.Optimize(OptimizationLevel.O2).CPU(new CPUDevice(numThreadsPerWarp: 32, numWarpsPerMultiprocessor: 2, numMultiprocessors: 1));
            DeviceIntrinsics.Register(builder);
        });
        return new GpuDevice(context.GetCPUDevice(0).CreateAccelerator(context), GpuBackend.Debug, "debug device with warps of 32");
    });

    private readonly List<DeviceBlock> _blocks = [];

    public static GpuDevice Debug => GpuDevices.Debug;

    /// <summary>A debug device of groups of 64 threads in warps of 32; GpuDevices.Debug has warps of 4.</summary>
    public static GpuDevice Warps => s_warps.Value;

    /// <summary>The OpenCL or CUDA device, or null.</summary>
    public static GpuDevice? Accelerator => GpuDevices.Count > 0 ? GpuDevices.Open(0) : null;

    public GpuDevice Device => device;

    public void Dispose()
    {
        device.Synchronize();
        foreach (DeviceBlock block in _blocks) block.Release();
    }

    /// <summary>An array with these elements, after so many others.</summary>
    public DeviceOperand Array<T>(ReadOnlySpan<T> values, int offset = 0) where T : unmanaged
    {
        ReadOnlySpan<byte> bytes = MemoryMarshal.AsBytes(values);
        int skipped = offset * (bytes.Length / Math.Max(1, values.Length));
        DeviceBlock block = new(device, Math.Max(16, bytes.Length + skipped));
        _blocks.Add(block);
        device.Upload(bytes, block, skipped);
        return new DeviceOperand(block, offset, DTypes.Of<T>());
    }

    /// <summary>A mask of these bytes.</summary>
    public DeviceOperand Mask(ReadOnlySpan<byte> values, int offset = 0) => Array(values, offset) with { Type = DType.Bool };

    public T[] Read<T>(DeviceOperand operand, int count) where T : unmanaged
    {
        T[] values = new T[count];
        Span<byte> bytes = MemoryMarshal.AsBytes(values.AsSpan());
        device.Download(operand.Block!, operand.Offset * operand.Type.Size, bytes);
        return values;
    }

    /// <summary>Runs one operator over contiguous inputs (masks: any byte) and gives the bytes of the output, every NaN the same one.</summary>
    public byte[] Run<T>(ElementOp op, DType type, params T[][] inputs) where T : unmanaged, INumber<T>
    {
        int n = inputs[0].Length;
        KernelSpec spec = KernelSpec.Of(op, type == DType.Float64);
        DeviceOperand[] operands = new DeviceOperand[op.Arity + 1];
        for (int i = 0; i < op.Arity; i++) operands[i] = op.IsMaskInput(i) ? Mask(MaskBytes(inputs[i])) : Array<T>(inputs[i]);
        operands[^1] = op.IsMask ? Mask(new byte[n]) : Array<T>(new T[n]);
        DeviceElements.Run(device, spec, type, operands, [.. operands.Select(_ => 1L)], [n]);
        return op.IsMask ? Read<byte>(operands[^1], n) : Scalars.Operands.OneNaN<T>(MemoryMarshal.AsBytes(Read<T>(operands[^1], n).AsSpan()).ToArray());
    }

    /// <summary>How <see cref="Scalars.Operands"/> turns numbers into Bool bytes.</summary>
    public static byte[] MaskBytes<T>(T[] values) where T : INumber<T> =>
        [.. values.Select(v => T.IsNaN(v) ? (byte)0x80 : v > T.One ? (byte)1 : v < T.Zero ? (byte)2 : (byte)0)];
}
