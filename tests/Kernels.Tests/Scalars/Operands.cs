using System.Numerics;
using System.Runtime.InteropServices;
using Fusion.Kernels;

namespace Fusion.Tests.Scalars;

/// <summary>Test arrays in padded native memory, with an operand table over them. Elements past the end are a canary of 0xCD bytes.</summary>
internal sealed unsafe class Operands : IDisposable
{
    private const int Slack = 64;

    private readonly List<(nint Block, int Bytes)> _blocks = [];

    public void Dispose()
    {
        foreach ((nint block, _) in _blocks) NativeMemory.AlignedFree((void*)block);
    }

    public Operands Add<T>(ReadOnlySpan<T> values) where T : unmanaged
    {
        int bytes = values.Length * sizeof(T), padded = ((bytes + 63) & ~63) + Slack;
        byte* block = (byte*)NativeMemory.AlignedAlloc((nuint)padded, 64);
        new Span<byte>(block, padded).Fill(0xCD);
        MemoryMarshal.AsBytes(values).CopyTo(new Span<byte>(block, padded));
        _blocks.Add(((nint)block, bytes));
        return this;
    }

    public T[] Read<T>(int index) where T : unmanaged => new ReadOnlySpan<T>((void*)_blocks[index].Block, _blocks[index].Bytes / sizeof(T)).ToArray();

    /// <summary>Runs a kernel whose operand table has all arrays in the order of addition, or those at <paramref name="order"/>.</summary>
    public Operands Run(ElementKernel kernel, long start, long end, int[]? order = null)
    {
        order ??= [.. Enumerable.Range(0, _blocks.Count)];
        nint* table = stackalloc nint[order.Length];
        for (int i = 0; i < order.Length; i++) table[i] = _blocks[order[i]].Block;
        kernel.Invoke((nint)table, start, end);
        foreach ((nint block, int bytes) in _blocks)
            Assert.False(new ReadOnlySpan<byte>((byte*)block + ((bytes + 63) & ~63), Slack).ContainsAnyExcept((byte)0xCD), "A kernel wrote past the padding.");
        return this;
    }

    /// <summary>Runs one operator's eager loop; inputs are numbers, or for a mask 0 and not 0. A scalar input has length 1.</summary>
    public static byte[] Eager<T>(ElementOp op, DType type, int width, int length, int scalars, params T[][] inputs) where T : unmanaged, INumber<T>
    {
        byte[] output = EagerBits(op, type, width, length, scalars, inputs);
        return op.IsMask ? output : OneNaN<T>(output);
    }

    /// <summary>The same, NaNs as they come: for operators on bit patterns.</summary>
    public static byte[] EagerBits<T>(ElementOp op, DType type, int width, int length, int scalars, params T[][] inputs) where T : unmanaged, INumber<T>
    {
        using Operands operands = new();
        for (int i = 0; i < inputs.Length; i++) operands.AddInput(inputs[i].AsSpan(0, ((scalars >> i) & 1) != 0 ? 1 : length), op.IsMaskInput(i));
        if (op.IsMask) operands.Add<byte>(new byte[length]);
        else operands.Add<T>(new T[length]);
        return operands.Run(op.Loop(type, scalars, width), 0, length).Read<byte>(inputs.Length);
    }

    /// <summary>Numbers with every NaN replaced by the same one: which of two NaNs an operation passes on is not part of the promise.</summary>
    public static byte[] OneNaN<T>(byte[] numbers) where T : unmanaged, INumber<T>
    {
        foreach (ref T value in MemoryMarshal.Cast<byte, T>(numbers.AsSpan()))
        {
            if (T.IsNaN(value)) value = T.CreateTruncating(double.NaN);
        }
        return numbers;
    }

    public Operands AddInput<T>(ReadOnlySpan<T> values, bool mask) where T : unmanaged, INumber<T> => mask ? Add<byte>(Mask(values)) : Add(values);

    // 0, 1 or another byte: every byte but 0 is true.
    private static byte[] Mask<T>(ReadOnlySpan<T> values) where T : unmanaged, INumber<T>
    {
        byte[] bytes = new byte[values.Length];
        for (int i = 0; i < bytes.Length; i++) bytes[i] = T.IsNaN(values[i]) ? (byte)0x80 : values[i] > T.One ? (byte)1 : values[i] < T.Zero ? (byte)2 : (byte)0;
        return bytes;
    }
}
