using System.Runtime.InteropServices;

namespace Fusion.Tests;

/// <summary>
/// Native elements between two bands of canary bytes. What lies before the data and after it must survive a kernel; the band after it stands for the padding
/// of the library's blocks, which kernels may read but not write.
/// </summary>
internal sealed unsafe class GuardedBuffer<T> : IDisposable
    where T : unmanaged
{
    private const int Guard = 128;
    private const byte Canary = 0xFF; // NaN, should it reach a result
    private readonly byte* _memory;

    public GuardedBuffer(long count, int offset = 0)
    {
        Count = count;
        Bytes = count * sizeof(T);
        _memory = (byte*)NativeMemory.AlignedAlloc((nuint)(Bytes + 2 * Guard + offset), 64);
        new Span<byte>(_memory, checked((int)(Bytes + 2 * Guard + offset))).Fill(Canary);
        Data = (T*)(_memory + Guard + offset);
    }

    public GuardedBuffer(ReadOnlySpan<T> values)
        : this(values.Length) => values.CopyTo(Span);

    public long Count { get; }

    public long Bytes { get; }

    public T* Data { get; }

    public nint Address => (nint)Data;

    public Span<T> Span => new(Data, checked((int)Count));

    public void AssertIntact()
    {
        Assert.True(new ReadOnlySpan<byte>((byte*)Data - Guard, Guard).IndexOfAnyExcept(Canary) < 0, "Written before the data.");
        Assert.True(new ReadOnlySpan<byte>((byte*)Data + Bytes, Guard).IndexOfAnyExcept(Canary) < 0, "Written after the data.");
    }

    public void Dispose() => NativeMemory.AlignedFree(_memory);
}
